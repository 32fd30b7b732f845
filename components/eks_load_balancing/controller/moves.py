"""What comes with another version of the controller: said by the preview that moves it. Functions of plain values.

the controller moves from 2.12.0 to 3.5.0, in this order:
1. IAM grants ec2:DescribeRouteTables
2. ...
"""

from collections.abc import Iterator
from typing import Any

import pulumi
from pulumi import Input, Output

from eks_load_balancing.controller.policy import controller_statements
from eks_load_balancing.controller.values import SERVICE_WEBHOOK_LABEL
from eks_load_balancing.versions import CONTROLLER_VERSIONS, ControllerVersion, release


def moving(old: str, new: str, partition: str = "aws") -> list[str]:
    """Return what comes with a move from one version to another, as lines in the order in which things must come.

    Args:
        old: the version that is there.
        new: the version that is to be there.
        partition: whose IAM policies are compared, such as `aws`.
    """
    if old == new:
        return []
    before, after = CONTROLLER_VERSIONS.get(old), CONTROLLER_VERSIONS.get(new)
    if before is None or after is None:
        unknown = old if before is None else new
        return [
            f"the controller moves from {old} to {new}: what comes with it is not known here, for want of {unknown}"
        ]
    back = goes_back(old, new)
    steps = [*_permissions(before, after, partition), *_definitions(before, after), *_gateways(before, after)]
    steps += [*_chart(before, after), *_webhooks(before, after), *_removed(before, after)]
    head = f"the controller {'goes BACK' if back else 'moves'} from {old} to {new}, in this order:"
    return [head, *(f"{number}. {step}" for number, step in enumerate(steps, 1))]


def goes_back(old: str, new: str) -> bool:
    """Return whether the new version is the older one."""
    return release(new) < release(old)


def announced(
    name: str, version: str, partition: Input[str], parent: pulumi.Resource, after: pulumi.Resource
) -> pulumi.Stash:
    """Keep the version in the state, and have every preview and update that moves it say what comes with it.

    It is kept once the chart is there: as long as a move fails, the next preview says it again.

    Args:
        name: the name of the resource that keeps it; its hook has the same, one of its kind in a stack.
        version: the version that is to be there.
        partition: the cluster's.
        parent: the component that has the controller.
        after: the controller's chart.
    """

    async def say(args: pulumi.ResourceHookArgs) -> None:
        old: Any = await Output.from_input((args.old_inputs or {})["input"]).future()
        where: Any = await Output.from_input(partition).future()
        if lines := moving(str(old), version, str(where or "aws")):
            log = pulumi.log.warn if goes_back(str(old), version) else pulumi.log.info
            log("\n".join(lines), parent)

    hook = pulumi.ResourceHook(name, say, pulumi.ResourceHookOptions(on_dry_run=True))
    return pulumi.Stash(
        name,
        input=version,
        opts=pulumi.ResourceOptions(
            parent=parent, depends_on=[after], hooks=pulumi.ResourceHookBinding(before_update=[hook])
        ),
    )


def _actions(version: ControllerVersion, partition: str) -> frozenset[str]:
    statements = controller_statements(version.like, partition, "any", "any", "any")
    return frozenset(action for statement in statements for action in statement.actions)


def _permissions(before: ControllerVersion, after: ControllerVersion, partition: str) -> Iterator[str]:
    had, has = _actions(before, partition), _actions(after, partition)
    if has - had:
        yield f"IAM grants {_listed(has - had)}"
    if had - has:
        yield f"IAM takes back {_listed(had - has)}: the pods of {before.version} may be refused it until they are gone"


def _definitions(before: ControllerVersion, after: ControllerVersion) -> Iterator[str]:
    if new := after.crds.keys() - before.crds.keys():
        yield f"new CRDs, before the pods that watch them: {_listed(new)}"
    for name in sorted(before.crds.keys() & after.crds.keys()):
        if more := after.crds[name] - before.crds[name]:
            yield f"CRD {name} learns spec.{_listed(more, 'spec.')}"
        if less := before.crds[name] - after.crds[name]:
            yield f"CRD {name} forgets spec.{_listed(less, 'spec.')}: objects that set them lose them when next written"


def _removed(before: ControllerVersion, after: ControllerVersion) -> Iterator[str]:
    if gone := before.crds.keys() - after.crds.keys():
        yield f"CRDs are deleted, AND EVERY OBJECT OF THEIRS WITH THEM: {_listed(gone)}"


def _gateways(before: ControllerVersion, after: ControllerVersion) -> Iterator[str]:
    if after.gateway_api and after.gateway_api != before.gateway_api:
        yield (
            f"the Gateway API's CRDs, release {after.gateway_api}, if Gateways are wanted: they are not in the chart,"
            " and the controller looks for them once, when it starts"
        )
    if before.gateway_api and not after.gateway_api:
        yield f"Gateways are kept no longer: {after.version} knows none"


def _chart(before: ControllerVersion, after: ControllerVersion) -> Iterator[str]:
    yield f"chart {before.chart} becomes {after.chart}, image {before.image_tag} becomes {after.image_tag}"
    for key in sorted(before.defaults.keys() | after.defaults.keys()):
        was, now = before.defaults.get(key, "unset"), after.defaults.get(key, "unset")
        if was != now:
            yield f"the chart's default of {key} becomes {now}, from {was}"


def _webhooks(before: ControllerVersion, after: ControllerVersion) -> Iterator[str]:
    if new := after.webhooks - before.webhooks:
        yield f"new webhooks, which refuse what they are for until a new pod answers: {_listed(new)}"
    if gone := before.webhooks - after.webhooks:
        yield f"webhooks go: {_listed(gone)}"
    if before.leaves_services_out and not after.leaves_services_out:
        yield f"new Services get an NLB even in namespaces with {SERVICE_WEBHOOK_LABEL}=disabled"


def _listed(names: frozenset[str] | set[str], prefix: str = "") -> str:
    return f", {prefix}".join(sorted(names))
