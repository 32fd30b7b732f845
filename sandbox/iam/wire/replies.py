"""An AWS error in the format of the call's protocol, and the sandbox's own plain replies."""

import json
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

from werkzeug.wrappers import Response

from sandbox.iam.wire.call import Call

REQUEST_ID = "00000000-0000-0000-0000-000000000000"
_EC2 = (
    '<?xml version="1.0" encoding="UTF-8"?><Response><Errors><Error><Code>{code}</Code><Message>{message}</Message>'
    "</Error></Errors><RequestID>{request}</RequestID></Response>"
)
_QUERY = (
    "<ErrorResponse><Error><Type>Sender</Type><Code>{code}</Code><Message>{message}</Message></Error>"
    "<RequestId>{request}</RequestId></ErrorResponse>"
)


@dataclass(frozen=True)
class Denial:
    """An AWS error: its code, its message, the HTTP status."""

    code: str
    message: str
    status: int = 403


def error_reply(call: Call, denial: Denial) -> Response:
    """`denial` in the format of the service of `call`."""
    if call.headers.get("content-type", "").startswith("application/x-www-form-urlencoded") or "Action" in call.query:
        form = _EC2 if call.service == "ec2" else _QUERY
        text = form.format(code=escape(denial.code), message=escape(denial.message), request=REQUEST_ID)
        return Response(text, denial.status, content_type="text/xml")
    body = {"__type": denial.code, "message": denial.message}
    headers = {"x-amzn-ErrorType": denial.code, "x-amzn-RequestId": REQUEST_ID}
    return Response(json.dumps(body), denial.status, headers, content_type="application/json")


def json_reply(data: Any, status: int = 200) -> Response:
    """`data` as JSON."""
    return Response(json.dumps(data), status, content_type="application/json")
