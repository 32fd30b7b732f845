"""Eventual consistency: for a moment after its creation, some calls do not know a resource.

EC2 does not know a security group, and the Resource Groups Tagging API does not list a load balancer or target group.
https://docs.aws.amazon.com/ec2/latest/devguide/eventual-consistency.html
"""

import json
import re
import time
from dataclasses import dataclass, field

from werkzeug.wrappers import Response

from sandbox.iam.wire.call import Call
from sandbox.iam.wire.replies import Denial
from sandbox.run.latency import Latency

_GROUP = re.compile(r"<groupId>(sg-[0-9a-f]+)</groupId>")
_ARN = re.compile(r"<(?:LoadBalancer|TargetGroup)Arn>(arn:[^<]+)<")


@dataclass
class Hidden:
    """What is not known yet."""

    latency: Latency
    _until: dict[str, float] = field(default_factory=dict[str, float])
    """Id or ARN -> when it becomes known."""

    def answered(self, call: Call, reply: Response) -> None:
        """Note what a call has created, or leave out of its reply what is not known yet."""
        match call.service, call.action:
            case "ec2", "CreateSecurityGroup":
                self._hide(
                    _GROUP, reply, self.latency.hides("ec2:CreateSecurityGroup", call.parameters.get("GroupName", ""))
                )
            case "elasticloadbalancing", "CreateLoadBalancer" | "CreateTargetGroup":
                self._hide(_ARN, reply, self.latency.hides("tag:GetResources", call.parameters.get("Name", "")))
            case "tagging", "GetResources" if unknown := self._unknown():
                document = json.loads(reply.get_data())
                listed = document["ResourceTagMappingList"]
                document["ResourceTagMappingList"] = [one for one in listed if one["ResourceARN"] not in unknown]
                reply.set_data(json.dumps(document))
            case _:
                pass

    def refuses(self, call: Call) -> Denial | None:
        """The refusal of a call that names a resource which is not known yet."""
        unknown = self._unknown() if call.service == "ec2" else {}
        for value in call.parameters.values() if unknown else ():
            if value in unknown:
                return Denial("InvalidGroup.NotFound", f"The security group '{value}' does not exist", 400)
        return None

    def _hide(self, form: re.Pattern[str], reply: Response, seconds: float) -> None:
        if seconds and (found := form.search(reply.get_data(as_text=True))):
            self._until[found[1]] = time.monotonic() + seconds

    def _unknown(self) -> dict[str, float]:
        now = time.monotonic()
        self._until = {name: until for name, until in self._until.items() if until > now}
        return self._until
