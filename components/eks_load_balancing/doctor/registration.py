"""Commands that register and deregister targets by hand, where the controller does not.

The controller writes a checkpoint on a TargetGroupBinding, and does not look at the targets again while pods and
binding stay the same: a target that somebody else deregistered stays away, even after a restart.
https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/pkg/targetgroupbinding/resource_manager.go
"""

from collections.abc import Collection, Iterable

from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import endpoints, key, ready_addresses


def register(facts: Facts, binding: Object, group: Object, addresses: Collection[str] = ()) -> str:
    """Return how to register ready pods of a binding's Service.

    Args:
        facts: with the endpoints.
        binding: of the Service and the target group.
        group: the target group.
        addresses: of the pods; all that are ready if it is empty.
    """
    namespace, service = key(binding)[0], binding["spec"]["serviceRef"]["name"]
    ports = [
        port["port"]
        for part, _ in endpoints(facts, namespace, service)
        for port in part.get("ports") or []
        if "port" in port
    ]
    port = (ports or [group.get("Port", "PORT")])[0]
    found = sorted(addresses or ready_addresses(facts, namespace, service))
    targets = " ".join(f"Id={address},Port={port}" for address in found)
    return f"`aws elbv2 register-targets --target-group-arn {group['TargetGroupArn']} --targets {targets}`"


def deregister(group: str, targets: Iterable[Object]) -> str:
    """Return how to deregister targets of a group, by its ARN."""
    ids = " ".join(f"Id={target['Id']},Port={target.get('Port', 'PORT')}" for target in targets)
    return f"`aws elbv2 deregister-targets --target-group-arn {group} --targets {ids}`"
