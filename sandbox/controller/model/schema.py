"""The shapes of JSON annotations, and how loosely the real controller reads them.

Its decoder takes a field's name in any case, passes unknown fields and nulls over, and refuses a value of another type.
Manifests written for older controllers (`{"Type": "redirect", "RedirectConfig": ...}`) live on that.
"""

from collections.abc import Mapping
from typing import Any

Shape = Any
"""`str`, `int`, `bool`; PORT; a mapping of field names (`*`: any) to shapes; a list of one shape."""

PORT = (int, str)
_WORDS = {str: "string", int: "int32", bool: "bool", PORT: "IntOrString"}
_NAMED = {"targetGroupARN": str, "targetGroupName": str}
_VALUES = {"values": [str], "regexValues": [str]}
_LOGIN = {"authenticationRequestExtraParams": {"*": str}}

ACTION = {
    "type": str,
    **_NAMED,
    "fixedResponseConfig": {"contentType": str, "messageBody": str, "statusCode": str},
    "redirectConfig": dict.fromkeys(("host", "path", "port", "protocol", "query", "statusCode"), str),
    "forwardConfig": {
        "targetGroups": [{**_NAMED, "serviceName": str, "servicePort": PORT, "weight": int}],
        "targetGroupStickinessConfig": {"enabled": bool, "durationSeconds": int},
    },
}
CONDITIONS = [
    {
        "field": str,
        "hostHeaderConfig": _VALUES,
        "pathPatternConfig": _VALUES,
        "httpHeaderConfig": {"httpHeaderName": str, **_VALUES},
        "httpRequestMethodConfig": {"values": [str]},
        "queryStringConfig": {"values": [{"key": str, "value": str}]},
        "sourceIPConfig": {"values": [str]},
    }
]
_REWRITES = {"rewrites": [{"regex": str, "replace": str}]}
TRANSFORMS = [{"type": str, "hostHeaderRewriteConfig": _REWRITES, "urlRewriteConfig": _REWRITES}]
COGNITO = {"userPoolARN": str, "userPoolClientID": str, "userPoolDomain": str, **_LOGIN}
OIDC = {
    **dict.fromkeys(("issuer", "authorizationEndpoint", "tokenEndpoint", "userInfoEndpoint", "secretName"), str),
    **_LOGIN,
}
JWT = {
    "jwksEndpoint": str,
    "issuer": str,
    "additionalClaims": [{"format": str, "name": str, "values": [str]}],
}
MUTUAL_AUTHENTICATION = [
    {
        "port": int,
        "mode": str,
        "trustStore": str,
        "ignoreClientCertificateExpiry": bool,
        "advertiseTrustStoreCaNames": str,
    }
]
LISTEN_PORTS = [{"*": int}]
SERVICE_ACTION = {
    "type": str,
    "forwardConfig": {
        "baseServiceWeight": int,
        "targetGroups": [
            {"targetGroupARN": str, "serviceName": str, "servicePort": PORT, "decrypt": bool, "weight": int}
        ],
        "targetGroupStickinessConfig": {"enabled": bool},
    },
}


def shaped(value: Any, shape: Shape, where: str = "") -> Any:
    """A JSON value in a shape: fields under the shape's names, without unknown ones and nulls.

    Args:
        value: what was parsed.
        shape: what it should be.
        where: the path to it, for the message.

    Raises:
        ValueError: a value is of another type.
    """
    match shape:
        case list():
            if not isinstance(value, list):
                raise _mismatch(value, "array", where)
            return [shaped(one, shape[0], where) for one in value if one is not None]
        case dict():
            if not isinstance(value, dict):
                raise _mismatch(value, "object", where)
            return _object(value, shape, where)
        case _:
            kinds = shape if isinstance(shape, tuple) else (shape,)
            if type(value) not in kinds or (type(value) is int and not -(2**31) <= value < 2**31):
                raise _mismatch(value, _WORDS[shape], where)
            return value


def _object(value: Mapping[str, Any], shape: Mapping[str, Shape], where: str) -> dict[str, Any]:
    names = {name.lower(): name for name in shape}
    result: dict[str, Any] = {}
    for given, one in value.items():
        name = given if "*" in shape else names.get(given.lower())
        if name is not None and one is not None:
            result[name] = shaped(one, shape.get("*") or shape[name], f"{where}.{name}".lstrip("."))
    return result


def _mismatch(value: Any, wanted: str, where: str) -> ValueError:
    found = {str: "string", int: "number", float: "number", bool: "bool", list: "array", dict: "object"}
    what = found.get(type(value), "null")  # pyright: ignore[reportUnknownArgumentType] - any JSON value
    return ValueError(f"{what} where {wanted} is wanted{f', field {where}' if where else ''}")
