"""EC2's client tokens: a call that is repeated with its token, after its answer was lost, gets the same answer.

https://docs.aws.amazon.com/ec2/latest/devguide/ec2-api-idempotency.html
"""

from dataclasses import dataclass, field

from werkzeug.wrappers import Response

from sandbox.iam.wire.call import Call
from sandbox.iam.wire.replies import Denial, error_reply


@dataclass
class Repeats:
    """Answers by action and token. moto ignores tokens, and would create everything twice."""

    _answers: dict[tuple[str, str], tuple[dict[str, str], bytes]] = field(
        default_factory=dict[tuple[str, str], tuple[dict[str, str], bytes]]
    )

    def answer(self, call: Call) -> Response | None:
        """The answer to return without doing anything, or None if the call is new."""
        known = self._answers.get((call.action, token_of(call)))
        if known is None:
            return None
        parameters, body = known
        if parameters != call.parameters:
            text = f"The client token {token_of(call)} was used before, with other parameters"
            return error_reply(call, Denial("IdempotentParameterMismatch", text, 400))
        return Response(body, 200, content_type="text/xml")

    def keep(self, call: Call, reply: Response) -> None:
        """Remember the answer of a successful call with a token."""
        if token_of(call) and reply.status_code < 300:  # noqa: PLR2004 - HTTP's successes
            self._answers[call.action, token_of(call)] = (call.parameters, reply.get_data())


def token_of(call: Call) -> str:
    """The client token of a writing call to EC2; otherwise empty."""
    return call.parameters.get("ClientToken", "") if call.service == "ec2" and call.writes else ""
