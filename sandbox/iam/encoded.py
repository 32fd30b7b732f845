"""EC2's encoded authorization messages: a complete refusal, for `aws sts decode-authorization-message`. Pure.

AWS encrypts them; here they are only packed.
https://docs.aws.amazon.com/STS/latest/APIReference/API_DecodeAuthorizationMessage.html
"""

import base64
import binascii
import json
import zlib
from typing import Any

from sandbox.iam.language.evaluate import Decision
from sandbox.iam.permissions.demands import Demand
from sandbox.iam.wire.credentials import Key


class EncodedMessageError(Exception):
    """The message was not encoded by this sandbox."""


def encode(key: Key, demand: Demand, decision: Decision | None) -> str:
    """Encode what was refused to whom, and the statement that denied it, if there was one."""
    statements = decision.statements if decision else ()
    document = {
        "allowed": False,
        "explicitDeny": decision is not None and decision.explicit,
        "matchedStatements": _items([{"statementId": each.sid, "effect": "DENY"} for each in statements]),
        "context": {
            "principal": {"id": key.user_id, "arn": key.principal.arn},
            "action": demand.action,
            "resource": demand.resource,
            "conditions": _items(
                [
                    {"key": name, "values": _items([{"value": value} for value in values])}
                    for name, values in sorted(demand.context.values.items())
                ]
            ),
        },
    }
    return base64.urlsafe_b64encode(zlib.compress(json.dumps(document, separators=(",", ":")).encode())).decode()


def _items(listed: list[Any]) -> dict[str, Any]:
    return {"items": listed}


def decode(message: str) -> str:
    """The message's JSON.

    Raises:
        EncodedMessageError: it is not an encoded message.
    """
    try:
        return zlib.decompress(base64.b64decode(message, b"-_", validate=True)).decode()
    except (binascii.Error, zlib.error, UnicodeDecodeError, ValueError):
        raise EncodedMessageError("Message could not be decoded: it is none of the sandbox's EC2") from None
