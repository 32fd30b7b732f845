"""The AWS Load Balancer Controller's webhooks, and the security group rules that it writes."""

from collections.abc import Iterable, Iterator
from typing import Any, Final

from kinds.installs import CONTROLLER, RELEASE, ReleasedController
from kinds.kubernetes import objects
from pack.controls import BY_CONTROLLER, CONTROLLER_DOCS, SECURITY_GROUPS, guide
from pack.properties import Edit
from pack.registry import MEDIUM, Finding, Messages, rule, texts
from pack.values import dig, items, known, truth, unknown

_CHART: Final = (
    "https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/main/helm/aws-load-balancer-controller"
)
_CONFIGURATIONS: Final = [
    ("admissionregistration.k8s.io", f"{kind}WebhookConfiguration") for kind in ("Validating", "Mutating")
]


@rule(
    on=objects("webhooks of the controller", _CONFIGURATIONS, others={RELEASE: CONTROLLER.view}),
    instead="Leave enableServiceMutatorWebhook on, disableIngressValidation off, and the failure policies at Fail",
    source=_CHART,
    severity=MEDIUM,
    controls=[BY_CONTROLLER, guide("reliability/controlplane", "Admission Webhooks")],
    lenient_webhooks=texts(["mpod.elbv2.k8s.aws"], "webhooks that may be ignored when they fail, as in the chart"),
    own_webhooks=texts(
        [".elbv2.k8s.aws", ".gateway.k8s.aws"], "how the names of the controller's webhooks end", allows=False
    ),
    allowed_values=texts([], "values of the chart that are allowed, such as enableServiceMutatorWebhook=false"),
)
def controller_webhooks_are_on_and_refuse(
    view: Any, *, lenient_webhooks: list[str], own_webhooks: list[str], allowed_values: list[str]
) -> Messages:
    """The controller's webhooks are on, and what they cannot judge is refused.

    They refuse Ingresses and bindings that would take others' load balancers, and give Services their class. Without
    the webhook a Service has no class, and the cloud controller makes a Classic load balancer for it.
    """
    if isinstance(view, ReleasedController):
        for value in _lax_values(view):
            if value not in allowed_values:
                yield Finding(f"{view.title} sets {value}", f'add "{value}" to allowedValues')
        return
    for hook in known(items(dig(view.props, ["webhooks"]))):
        name = dig(hook, ["name"])
        if unknown(name) or not str(name).endswith(tuple(own_webhooks)) or name in lenient_webhooks:
            continue
        if dig(hook, ["failurePolicy"]) == "Ignore":
            yield Finding(f"{view.title} ignores it when {name} fails", f'add "{name}" to lenientWebhooks')


def _lax_values(release: ReleasedController) -> Iterator[str]:
    """Yield the values that switch a webhook off or weaken it."""
    if truth(release.value("enableServiceMutatorWebhook")) is False:
        yield "enableServiceMutatorWebhook=false"
    if truth(release.value("webhookConfig", "disableIngressValidation")):
        yield "webhookConfig.disableIngressValidation=true"
    # the chart's own spelling
    policies = (("webhookConfig", "ingressValdationFailurePolicy"), ("serviceMutatorWebhookConfig", "failurePolicy"))
    yield from (f"{'.'.join(path)}=Ignore" for path in policies if release.value(*path) == "Ignore")


@rule(
    on=CONTROLLER,
    instead="Leave disableRestrictedSecurityGroupRules off",
    source=f"{CONTROLLER_DOCS}/deploy/security_groups/",
    controls=[SECURITY_GROUPS],
    flags=texts(["disable-restricted-sg-rules"], "the flags that must not be true"),
)
def controller_keeps_restricted_security_group_rules(controller: Any, *, flags: list[str]) -> Messages:
    """The controller opens only the ports of the targets to its load balancers.

    Without them every port of every node and pod is open to every load balancer of the cluster.
    """
    for flag in flags:
        if truth(controller.flag(flag)):
            yield f"{controller.title} sets --{flag}"


@controller_keeps_restricted_security_group_rules.remedy
def _fix_controller_keeps_restricted_security_group_rules(controller: Any, *, flags: list[str]) -> Iterable[Edit]:
    yield from controller.set_flags(dict.fromkeys(flags, "false"))
