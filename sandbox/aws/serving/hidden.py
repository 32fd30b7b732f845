"""Eventual consistency: for a moment after its creation, EC2 does not know a security group.

https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

import re
import time
from dataclasses import dataclass, field

from werkzeug.wrappers import Response

from sandbox.iam.wire.call import Call
from sandbox.iam.wire.replies import Denial
from sandbox.run.latency import Latency

_GROUP = re.compile(r"<groupId>(sg-[0-9a-f]+)</groupId>")


@dataclass
class Hidden:
    """The security groups that are not known yet."""

    latency: Latency
    _until: dict[str, float] = field(default_factory=dict[str, float])
    """Id -> when it becomes known."""

    def made(self, call: Call, reply: Response) -> None:
        """A call has been carried out."""
        if (call.service, call.action) == ("ec2", "CreateSecurityGroup"):
            seconds = self.latency.hides_group(call.parameters.get("GroupName", ""))
            found = _GROUP.search(reply.get_data(as_text=True))
            if found and seconds:
                self._until[found[1]] = time.monotonic() + seconds

    def refuses(self, call: Call) -> Denial | None:
        """The refusal of a call that names a resource which is not known yet."""
        if call.service != "ec2" or not self._until:
            return None
        self._until = {name: until for name, until in self._until.items() if until > time.monotonic()}
        for value in call.parameters.values():
            if value in self._until:
                return Denial("InvalidGroup.NotFound", f"The security group '{value}' does not exist", 400)
        return None
