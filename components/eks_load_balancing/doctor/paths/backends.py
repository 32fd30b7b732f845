"""The backends of Ingresses that do not exist: the controller answers 503 instead. Pure."""

from collections.abc import Iterator
from typing import Final

from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import restart
from eks_load_balancing.doctor.lookups import annotations_of, called, key, stack_named

NO_SERVICE: Final = "Backend service does not exist"
NO_ACTION: Final = "Backend action does not exist"
"""Bodies of the controller's 503 for an Ingress that names a missing Service or action.

https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/pkg/ingress/enhanced_backend_builder.go
"""


def missing_backends(facts: Facts, owner: Object | None, body: str) -> str:
    """Return which backends of the load balancer's Ingresses do not exist, as a remedy."""
    stack = stack_named(facts, owner) if owner is not None and owner["kind"] == "Ingress" else None
    there = set(map(key, facts.services))
    missing: list[str] = []
    for ingress in facts.ingresses:
        if stack_named(facts, ingress) != stack:
            continue
        namespace, prefix = key(ingress)[0], "alb.ingress.kubernetes.io/actions."
        for name, by_annotation in _backends(ingress):
            if by_annotation and body == NO_ACTION and prefix + name not in annotations_of(ingress):
                missing.append(f"add the annotation {prefix}{name} to {called(ingress)}")
            elif not by_annotation and body == NO_SERVICE and (namespace, name) not in there:
                others = ", ".join(sorted(n for at, n in there if at == namespace)) or "none"
                missing.append(
                    f"create Service {namespace}/{name}, or correct the backend of {called(ingress)}"
                    f" (Services of {namespace}: {others})"
                )
    return "; ".join(dict.fromkeys(missing)) or restart(facts)


def _backends(ingress: Object) -> Iterator[tuple[str, bool]]:
    """Yield the names of an Ingress's backends, and whether each names an action by annotation."""
    spec = ingress.get("spec", {})
    paths = [path for rule in spec.get("rules") or [] for path in (rule.get("http") or {}).get("paths") or []]
    for backend in (spec.get("defaultBackend"), *(path.get("backend") for path in paths)):
        service = (backend or {}).get("service")
        if service:
            yield service["name"], (service.get("port") or {}).get("name") == "use-annotation"
