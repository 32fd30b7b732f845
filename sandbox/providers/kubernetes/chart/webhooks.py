"""The controller's webhooks: which objects the API server shows it before it stores them."""

from collections.abc import Mapping, Sequence
from typing import Any, Final

from sandbox.providers.kubernetes.chart.naming import Names

_REGISTRATION: Final = "admissionregistration.k8s.io/v1"
_PODS: Final = ("", "v1", "pods", ("CREATE",))
_BINDINGS: Final = ("elbv2.k8s.aws", "v1beta1", "targetgroupbindings", ("CREATE", "UPDATE"))
_INJECTION: Final = "elbv2.k8s.aws/alb-target-control-agent-injection"
_INJECT: Final = "elbv2.k8s.aws/alb-target-control-agent-inject"
What = tuple[str, str, str, Sequence[str]]
"""Group, version, resource and operations."""


def configurations(names: Names, ca: str | None) -> list[dict[str, Any]]:
    """The mutating and the validating configuration.

    Args:
        names: Of what.
        ca: The CA of the serving certificate, base64 of PEM; None where cert-manager puts it in.
    """
    return [
        _configuration(names, "MutatingWebhookConfiguration", _mutating(names, ca)),
        _configuration(names, "ValidatingWebhookConfiguration", _validating(names, ca)),
    ]


def _configuration(names: Names, kind: str, webhooks: list[dict[str, Any]]) -> dict[str, Any]:
    issued = {"cert-manager.io/inject-ca-from": f"{names.release.namespace}/{names.prefix}-serving-cert"}
    metadata = names.metadata(
        f"{names.prefix}-webhook",
        cluster_wide=True,
        annotations=issued if names.values["enableCertManager"] else None,
    )
    return {"apiVersion": _REGISTRATION, "kind": kind, "metadata": metadata, "webhooks": webhooks}


def _webhook(
    names: Names, ca: str | None, name: str, path: str, what: What, *, policy: str = "Fail", **more: Any
) -> dict[str, Any]:
    """One webhook; `more` are its further fields, without those that are None."""
    group, version, resource, operations = what
    service = {"name": names.webhook_service, "namespace": names.release.namespace, "path": path}
    service |= more.pop("service", {})
    rule = {"apiGroups": [group], "apiVersions": [version], "operations": list(operations), "resources": [resource]}
    return {
        "name": name,
        "admissionReviewVersions": [names.chart.reviews],
        "clientConfig": {"service": service} if ca is None else {"service": service, "caBundle": ca},
        "failurePolicy": policy,
        "rules": [rule],
        "sideEffects": "None",
        **{field: value for field, value in more.items() if value is not None},
    }


def _expression(key: str, operator: str, *values: str) -> dict[str, Any]:
    return {"key": key, "operator": operator, **({"values": list(values)} if values else {})}


def _not_the_controller(names: Names, further: Mapping[str, Any] | None = None) -> dict[str, Any]:
    """Everything but what the chart itself makes: it must be possible to make the controller while it does not run."""
    further = further or {}
    own = _expression("app.kubernetes.io/name", "NotIn", names.app)
    selector: dict[str, Any] = {"matchExpressions": [own, *(further.get("matchExpressions") or ())]}
    return {**selector, "matchLabels": further["matchLabels"]} if further.get("matchLabels") else selector


def _mutating(names: Names, ca: str | None) -> list[dict[str, Any]]:
    values = names.values
    objects = _not_the_controller(names, values["objectSelector"])
    chosen = values["webhookNamespaceSelectors"]

    def enabled(label: str) -> dict[str, Any]:
        return {"matchExpressions": chosen or [_expression(f"elbv2.k8s.aws/{label}", "In", "enabled")]}

    webhooks = [
        _webhook(
            *(names, ca, "mpod.elbv2.k8s.aws", "/mutate-v1-pod", _PODS),
            policy=values["podMutatorWebhookConfig"]["failurePolicy"],
            namespaceSelector=enabled("pod-readiness-gate-inject"),
            objectSelector=objects,
        ),
    ]
    if names.chart.injects:
        webhooks.append(
            _webhook(
                *(names, ca, "quicid.elbv2.k8s.aws", "/mutate-v1-pod-server-id", _PODS),
                namespaceSelector=enabled("quic-server-id-inject"),
                objectSelector=objects,
            )
        )
    if values["enableServiceMutatorWebhook"]:
        webhooks.append(_service(names, ca))
    return [
        *webhooks,
        *(_target_control(names, ca) if names.chart.injects else ()),
        _webhook(
            *(names, ca, "mtargetgroupbinding.elbv2.k8s.aws"),
            *("/mutate-elbv2-k8s-aws-v1beta1-targetgroupbinding", _BINDINGS),
        ),
    ]


def _target_control(names: Names, ca: str | None) -> list[dict[str, Any]]:
    return [
        _webhook(
            *(names, ca, "alb-target-control.namespace.elbv2.k8s.aws"),
            *("/mutate-alb-target-control-namespace-v1-pod", _PODS),
            namespaceSelector={"matchExpressions": [_expression(_INJECTION, "In", "enabled")]},
            objectSelector=_not_the_controller(names, {"matchExpressions": [_expression(_INJECT, "NotIn", "false")]}),
        ),
        _webhook(
            *(names, ca, "alb-target-control.object.elbv2.k8s.aws"),
            *("/mutate-alb-target-control-object-v1-pod", _PODS),
            namespaceSelector={"matchExpressions": [_expression(_INJECTION, "DoesNotExist")]},
            objectSelector=_not_the_controller(names, {"matchExpressions": [_expression(_INJECT, "In", "true")]}),
        ),
    ]


def _service(names: Names, ca: str | None) -> dict[str, Any]:
    config = names.values["serviceMutatorWebhookConfig"]
    namespaces = config.get("namespaceSelectors")
    return _webhook(
        *(names, ca, "mservice.elbv2.k8s.aws", "/mutate-v1-service"),
        ("", "v1", "services", config["operations"] or ()),
        policy=config["failurePolicy"],
        namespaceSelector={"matchExpressions": namespaces} if namespaces else None,
        objectSelector=_not_the_controller(names, config["objectSelector"]),
    )


def _validating(names: Names, ca: str | None) -> list[dict[str, Any]]:
    values, both = names.values, ("CREATE", "UPDATE")
    config = values["webhookConfig"]
    webhooks = [
        _webhook(
            *(names, ca, "vingressclassparams.elbv2.k8s.aws"),
            "/validate-elbv2-k8s-aws-v1beta1-ingressclassparams",
            ("elbv2.k8s.aws", "v1beta1", "ingressclassparams", both),
            objectSelector=_not_the_controller(names),
        ),
        _webhook(
            *(names, ca, "vtargetgroupbinding.elbv2.k8s.aws"),
            *("/validate-elbv2-k8s-aws-v1beta1-targetgroupbinding", _BINDINGS),
        ),
    ]
    if not config["disableIngressValidation"]:
        webhooks.append(
            _webhook(
                *(names, ca, "vingress.elbv2.k8s.aws", "/validate-networking-v1-ingress"),
                ("networking.k8s.io", "v1", "ingresses", both),
                policy=config.get("ingressValdationFailurePolicy", "Fail"),
                matchPolicy="Equivalent",
                objectSelector=_chosen(config.get("ingressValidationObjectSelector", {})),
                namespaceSelector=_chosen(config.get("ingressValidationNamespaceSelector", {})),
            )
        )
    gates = values["controllerConfig"]["featureGates"] or {}
    if names.chart.accelerators_and_gateways and gates.get("GlobalAcceleratorController"):
        webhooks.append(
            _webhook(
                *(names, ca, "vglobalaccelerator.aga.k8s.aws"),
                "/validate-aga-k8s-aws-v1beta1-globalaccelerator",
                ("aga.k8s.aws", "v1beta1", "globalaccelerators", both),
                matchPolicy="Equivalent",
                service={"port": 443},
                namespaceSelector={},
                objectSelector={},
                timeoutSeconds=10,
            )
        )
    return webhooks


def _chosen(selector: Mapping[str, Any]) -> dict[str, Any] | None:
    """A selector's filled parts; None, which selects everything, if none is."""
    return {key: value for key, value in selector.items() if value} or None
