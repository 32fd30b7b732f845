"""Load balancers that the program creates through AWS's API, and everything else that creates load balancers."""

from collections.abc import Iterator
from typing import Any, Final

from kinds.aws import LOAD_BALANCER
from kinds.balancers import (
    ACCESS_LOGS,
    DELETION_PROTECTION,
    DESYNC_MODE,
    DROP_HEADERS,
    PUBLIC,
    WAF_FAIL_OPEN,
    Balancer,
    either,
)
from kinds.gateways import GATEWAY_BALANCER, GATEWAY_CONFIGURATION
from kinds.ingresses import CLASS_PARAMS, INGRESS
from kinds.kubernetes import objects
from kinds.services import SERVICE
from pack.properties import Edit
from pack.resources import Resource
from pack.values import Unknown, truth
from pack.views import View


class OwnBalancer(Balancer):
    """A load balancer that the program creates through AWS's API, for bindings to target groups."""

    called = "the load balancer"
    owned = True
    _fields: Final = {
        ACCESS_LOGS: "access_logs",
        DELETION_PROTECTION: "deletion_protection",
        DROP_HEADERS: "drops_headers",
        DESYNC_MODE: "desync_mode",
        WAF_FAIL_OPEN: "waf_fails_open",
    }

    def __init__(self, seen: Resource) -> None:
        super().__init__(seen)
        self.own: View = LOAD_BALANCER.view(seen)
        self.application = self.own.kind in (None, "application")
        self.keeps_logs = isinstance(self.own.kind, Unknown) or self.own.kind != "gateway"

    @property
    def identity(self) -> Any:
        """Its name in profiles: its name in the account."""
        return self.own.id

    @property
    def namespace(self) -> Any:
        """Return no namespace: it is outside Kubernetes."""
        return ""

    @property
    def scheme(self) -> Any:
        """Return the scheme, by default internet-facing; a Gateway Load Balancer has none."""
        if self.own.kind == "gateway":
            return None
        internal = self.own.internal
        return internal if isinstance(internal, Unknown) else ("internal" if internal else PUBLIC)

    @property
    def target_type(self) -> Any:
        """Return nothing: its target groups have it."""
        return "ip"

    @property
    def balancer_name(self) -> Any:
        """Return its name in the account."""
        return self.own.id

    @property
    def attributes(self) -> dict[str, Any]:
        """Return the attributes that rules ask about."""
        if self.own.has("attributes"):
            return self.own.attributes or {}
        return {name: getattr(self.own, field) for name, field in self._fields.items()}

    def set_attribute(self, name: str, value: str) -> Iterator[Edit]:
        """Change one of the attributes."""
        if self.own.has("attributes"):
            merged = {**self.attributes, name: value}
            yield self.own.put("attributes", [{"key": key, "value": text} for key, text in merged.items()])
        else:
            switch = truth(value)
            yield self.own.put(self._fields[name], value if switch is None else switch)

    def property_of(self, name: str) -> str:
        """Return the top-level property that holds a field."""
        return self.own.property_of(name)


OWN: Final = objects("load balancer of the program's own", [], others=dict.fromkeys(LOAD_BALANCER.shapes, OwnBalancer))
BALANCER: Final = either("load balancer", INGRESS, SERVICE, CLASS_PARAMS, GATEWAY_CONFIGURATION, GATEWAY_BALANCER, OWN)
