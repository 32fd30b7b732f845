"""The AWS Load Balancer Controller's pods: how many, where, and their permissions."""

from collections.abc import Iterable
from functools import partial
from typing import Any

from kinds.installs import CHART, CONTROLLER, RELEASE, ReleasedController
from kinds.kubernetes import (
    DISRUPTION_BUDGET,
    KubernetesView,
    objects,
)
from pack.controls import CONTROLLER_DOCS, cis, guide
from pack.properties import Edit
from pack.registry import LOW, MEDIUM, Messages, Stack, number, rule, texts
from pack.values import Unknown, dig, items, truth, unknown, words

_on_controller = partial(rule, on=CONTROLLER)


@_on_controller(
    instead="Set replicaCount (the Deployment's replicas) to 2",
    severity=MEDIUM,
    controls=[guide("reliability/application", "Run multiple replicas")],
    min_replicas=number(2, "how many"),
)
def controller_runs_two_replicas(controller: Any, *, min_replicas: float) -> Messages:
    """The controller runs with two replicas or more.

    Its webhooks have the failure policy Fail: while no replica runs, no Service or Ingress can be made.
    """
    if controller.replicas < min_replicas:
        yield f"{controller.title} runs {controller.replicas:g} replica"


@controller_runs_two_replicas.remedy
def _fix_controller_runs_two_replicas(controller: Any, *, min_replicas: float) -> Iterable[Edit]:
    yield controller.set_replicas(min_replicas)


@_on_controller(
    instead="Set the chart's podDisruptionBudget, or make a PodDisruptionBudget that selects its pods",
    severity=MEDIUM,
    controls=[
        guide("reliability/application", "Configure Pod Disruption Budgets"),
        guide("reliability/application", "Protect critical workload with Pod Disruption Budgets"),
    ],
    limits=texts(["maxUnavailable", "minAvailable"], "the fields of which a budget must give one"),
)
def controller_has_a_disruption_budget(controller: Any, stack: Stack, *, limits: list[str]) -> Messages:
    """A disruption budget keeps one replica of the controller running.

    Without one, draining two nodes at once stops all replicas, and with them every change to Services.
    """
    if isinstance(controller, ReleasedController):
        budget = controller.value("podDisruptionBudget")
        covered = _limits(budget, limits)
    else:
        covered = any(
            _selects(budget, controller) and _limits(budget.spec, limits) for budget in stack.of(DISRUPTION_BUDGET)
        )
    if not covered:
        yield f"no disruption budget covers {controller.title}"


def _limits(budget: Any, limits: list[str]) -> bool:
    """Say whether a budget protects any pod: minAvailable 0 and maxUnavailable 100% do not."""
    given = {limit: dig(budget, [limit]) for limit in limits}
    idle = {"minAvailable": (0, "0", "0%"), "maxUnavailable": ("100%",)}
    return any(value is not None and value not in idle.get(limit, ()) for limit, value in given.items())


def _selects(budget: KubernetesView, controller: Any) -> bool:
    """Say whether a budget's selector matches the controller's pods; an empty one matches all, a missing one none."""
    selector, labels = dig(budget.spec, ["selector"]), controller.selector or {}
    if not isinstance(selector, dict) or budget.namespace != controller.namespace:
        return bool(isinstance(selector, Unknown) and selector)
    named = (dig(selector, ["matchLabels"]) or {}).items()
    return all(labels.get(key) == value for key, value in named) and all(
        _fits(expression, labels) for expression in items(dig(selector, ["matchExpressions"]))
    )


def _fits(expression: Any, labels: Any) -> bool:
    """Say whether labels match one of a selector's expressions."""
    value, values = labels.get(dig(expression, ["key"])), items(dig(expression, ["values"]))
    fits = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return fits.get(dig(expression, ["operator"]), False)


@_on_controller(
    instead="Keep the chart's default affinity, or set topologySpreadConstraints",
    severity=LOW,
    controls=[guide("reliability/application", "Schedule replicas across nodes")],
    single_replica=number(1, "up to this many replicas there is nothing to spread"),
)
def controller_replicas_are_spread(controller: Any, *, single_replica: float) -> Messages:
    """The controller's replicas run on different nodes.

    If both replicas run on one node, its failure stops both.
    """
    if controller.replicas > single_replica and not controller.spread:
        yield f"{controller.title} has neither topologySpreadConstraints nor podAntiAffinity"


@_on_controller(
    instead="Set resources.requests and resources.limits, cpu and memory in requests, memory in limits",
    severity=LOW,
    controls=[guide("security/pods", "Set requests and limits for each container to avoid resource contention")],
    needed=texts(["requests.cpu", "requests.memory", "limits.memory"], "the entries that must be there"),
)
def controller_states_its_resources(controller: Any, *, needed: list[str]) -> Messages:
    """The controller's container has resource requests and limits.

    A pod without requests is evicted first when its node runs out of memory.
    """
    missing = [path for path in needed if dig(controller.resources, path.split(".")) is None]
    if missing:
        yield f"{controller.title} does not state {', '.join(missing)}"


@_on_controller(
    instead="Keep the chart's securityContext, and hostNetwork off",
    controls=[
        cis("4.2.1"),
        cis("4.2.4"),
        cis("4.2.5"),
        guide("security/pods", "Do not allow privileged escalation"),
        guide("security/pods", "Configure your images with read-only root file system"),
        guide("security/pods", "Do not run processes in containers as root"),
    ],
    must_be_on=texts(["readOnlyRootFilesystem", "runAsNonRoot"], "settings that must be true"),
    must_be_off=texts(["allowPrivilegeEscalation"], "settings that must be false"),
    must_not_be_on=texts(["privileged"], "settings that must not be true"),
)
def controller_security_context_is_hardened(
    controller: Any, *, must_be_on: list[str], must_be_off: list[str], must_not_be_on: list[str]
) -> Messages:
    """The controller is not root, gains no privileges, and writes to no root file system.

    Whoever breaks into the process should gain nothing beyond what the process may do.
    """
    security = {name: value for name, value in controller.security.items() if not unknown(value)}
    undecided = set(controller.security) - set(security)
    for name in (one for one in must_be_on if one not in undecided):
        if not security.get(name):
            yield f"{controller.title} does not set {name}"
    for name in (one for one in must_be_off if one not in undecided):
        if truth(security.get(name)) is not False:
            yield f"{controller.title} does not set {name} to false"
    for name in must_not_be_on:
        if security.get(name):
            yield f"{controller.title} sets {name}"
    if controller.host_network:
        yield f"{controller.title} shares the node's network"
    added = words(controller.added_capabilities)
    if added:
        yield f"{controller.title} adds the capabilities {', '.join(added)}"


@controller_security_context_is_hardened.remedy
def _fix_controller_security_context_is_hardened(
    controller: Any, *, must_be_on: list[str], must_be_off: list[str], must_not_be_on: list[str]
) -> Iterable[Edit]:
    yield from (controller.set_security(name, value=True) for name in must_be_on)
    yield from (controller.set_security(name, value=False) for name in [*must_be_off, *must_not_be_on])
    if controller.added_capabilities:
        yield controller.set_security("capabilities", value={"drop": ["ALL"]})
    if controller.host_network:
        yield controller.leave_host_network()


@rule(
    on=objects(
        "cluster role or release of the controller",
        [("rbac.authorization.k8s.io", "ClusterRole")],
        others={RELEASE: CONTROLLER.view},
    ),
    instead="Leave clusterSecretsPermissions.allowAllSecrets off; grant single Secrets by a Role where OIDC needs one",
    source=f"{CONTROLLER_DOCS}/examples/secrets_access/",
    controls=[cis("4.1.2")],
    resources=texts(["secrets", "*"], "the resources that a ClusterRole must not name"),
)
def controller_reads_no_secrets_cluster_wide(role: Any, *, resources: list[str]) -> Messages:
    """The controller may not read the Secrets of the whole cluster.

    It needs a Secret only where an Ingress logs users in by OIDC. With all Secrets it holds every application's
    credentials.
    """
    if isinstance(role, ReleasedController):
        if role.cluster_secrets:
            yield f"{role.title} sets clusterSecretsPermissions.allowAllSecrets"
        return
    if not _may_be_the_controllers(role):
        return
    for entry in items(dig(role.props, ["rules"])):
        named = [name for name in words(dig(entry, ["resources"])) if name in resources]
        core = any(group in ("", "*") for group in words(dig(entry, ["apiGroups"])))
        if named and core and not dig(entry, ["resourceNames"]):
            yield f"the controller's {role.title} reads {named[0]} in every namespace"


def _may_be_the_controllers(role: KubernetesView) -> bool:
    names = [role.object_name, role.name, dig(role.labels, ["app.kubernetes.io/name"])]
    return any(CHART in name for name in words(names))


@controller_reads_no_secrets_cluster_wide.remedy
def _fix_controller_reads_no_secrets_cluster_wide(role: Any, *, resources: list[str]) -> Iterable[Edit]:
    if resources and isinstance(role, ReleasedController):
        yield role.set_value(["clusterSecretsPermissions", "allowAllSecrets"], value=False)
