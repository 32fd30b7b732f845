"""What a request asks for: service, action, region and caller, read from its headers and body; no state."""

import re
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl, urlsplit

_SCOPE = re.compile(r"Credential=([^/,\s]+)/(\d{8})/([^/,\s]+)/([^/,\s]+)/aws4_request")
_READ = re.compile(r"(Describe|List|Get|Lookup|Search|Head|Check|Validate|Simulate|Filter|Test)(?![a-z])")
# Calls that carry no signature: https://docs.aws.amazon.com/STS/latest/APIReference/welcome.html
_UNSIGNED_STS = {"AssumeRoleWithWebIdentity", "AssumeRoleWithSAML"}
_KEPT_HEADERS = {"authorization", "content-type", "content-encoding", "accept", "range"}


@dataclass(frozen=True)
class Call:
    """One request to AWS.

    `url` is the path with its query as it arrived; `headers` have lower-case names and contain only what a service
    reads.
    """

    method: str
    url: str
    headers: dict[str, str] = field(default_factory=dict[str, str])
    body: bytes = b""
    received: dict[str, str] = field(default_factory=dict[str, str], compare=False, repr=False)
    """Every header as it came, names in lower case: the signature covers these. A replayed call has none."""

    @cached_property
    def path(self) -> str:
        """The path, still percent-encoded."""
        return urlsplit(self.url).path or "/"

    @cached_property
    def query(self) -> dict[str, str]:
        """The parameters in the URL."""
        return dict(parse_qsl(urlsplit(self.url).query, keep_blank_values=True))

    @property
    def is_form(self) -> bool:
        """Whether the body is a form."""
        return self.headers.get("content-type", "").startswith("application/x-www-form-urlencoded")

    @cached_property
    def fields(self) -> list[tuple[str, str]]:
        """The names and values of URL and form, as they came: a name may occur twice."""
        form = parse_qsl(self.body.decode("utf-8", "replace"), keep_blank_values=True) if self.is_form else []
        return [*parse_qsl(urlsplit(self.url).query, keep_blank_values=True), *form]

    @cached_property
    def parameters(self) -> dict[str, str]:
        """The flat parameters of the query protocols (`Action`, `Filter.1.Name`): URL and form."""
        return dict(self.fields)

    @cached_property
    def _scope(self) -> tuple[str, str, str] | None:
        """Access key, region and service of the signature, in the header or in a presigned URL."""
        text = self.headers.get("authorization", "")
        if not text and "X-Amz-Credential" in self.query:
            text = f"Credential={self.query['X-Amz-Credential']}"
        found = _SCOPE.search(text)
        return (found[1], found[3], found[4].lower()) if found else None

    @property
    def access_key(self) -> str | None:
        """The caller's access key id; None for an unsigned call."""
        return self._scope[0] if self._scope else None

    @property
    def session_token(self) -> str | None:
        """The session token sent along, in the header or in a presigned URL."""
        return self.headers.get("x-amz-security-token") or self.query.get("X-Amz-Security-Token")

    @property
    def region(self) -> str | None:
        """The region that the signature names."""
        return self._scope[1] if self._scope else None

    @cached_property
    def service(self) -> str | None:
        """The signing name, `ec2`, `elasticloadbalancing`, ...; None if the call is not one of AWS's."""
        if self._scope:
            return self._scope[2]
        return "sts" if self.parameters.get("Action") in _UNSIGNED_STS else None

    @cached_property
    def action(self) -> str:
        """`DescribeVpcs`, ...; `METHOD path` for REST services that identify it by path."""
        target = self.headers.get("x-amz-target", "")
        return self.parameters.get("Action") or target.rpartition(".")[2] or self._rest_action()

    def _rest_action(self) -> str:
        if self.service in {"eks", "eks-auth"}:
            return eks_action(self.method, self.path, self.service) or f"{self.method} {self.path}"
        return f"{self.method} {self.path}"

    @property
    def writes(self) -> bool:
        """Whether it may change something: read-only calls are neither journaled nor seeded."""
        if self.action == f"{self.method} {self.path}":
            return self.method not in {"GET", "HEAD"}
        return not _READ.match(self.action)

    def to_json(self) -> dict[str, Any]:
        """The call as a journal stores it; bytes that are not UTF-8 survive as surrogates."""
        body = self.body.decode("utf-8", "surrogateescape")
        return {"method": self.method, "url": self.url, "headers": self.headers, "body": body}

    @staticmethod
    def from_json(data: dict[str, Any]) -> "Call":
        """The call from the output of `to_json`."""
        return Call(data["method"], data["url"], data["headers"], data["body"].encode("utf-8", "surrogateescape"))


def kept_headers(headers: dict[str, str]) -> dict[str, str]:
    """The headers that a service may read, names in lower case."""
    lower = {name.lower(): value for name, value in headers.items()}
    return {
        name: value for name, value in lower.items() if name in _KEPT_HEADERS or name.startswith(("x-amz", "x-k8s-aws"))
    }


def eks_action(method: str, path: str, service: str = "eks") -> str | None:
    """EKS names its actions by method and path; the table is botocore's."""
    # Imported late: moto reads AWS's service models, which takes a second; parsing signed queries does not need them.
    from moto.core.request import Request  # noqa: PLC0415
    from moto.core.routing import get_service_router  # noqa: PLC0415
    from werkzeug.exceptions import NotFound  # noqa: PLC0415

    try:
        operation, _ = get_service_router(service).match(Request.from_primitives(method, f"http://localhost{path}", {}))
    except NotFound:
        return None
    return str(operation.name)
