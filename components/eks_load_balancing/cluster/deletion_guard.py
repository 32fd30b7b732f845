"""The deletion guard: a stack with something that AWS refuses to delete is not taken down halfway.

EKS refuses to delete a protected cluster, and Elastic Load Balancing a protected load balancer, when the engine comes
to it: workloads, nodes and add-ons are gone by then. The guard depends on everything, so the engine deletes it first.
"""

from collections.abc import Sequence
from typing import Any

import pulumi
from pulumi import Output


class DeletionRefusedError(RuntimeError):
    """One line that names what AWS refuses to delete, and what to do."""


def refuse_deletion(name: str, protected: Sequence[str], after: Sequence[pulumi.Resource]) -> pulumi.Stash:
    """Declare a guard that is deleted before everything else, and only if nothing is protected.

    What is protected is kept in the state: the guard judges by what the last `up` made, and not by settings that were
    changed since.

    Args:
        name: the guard's name; its hook has the same, one of its kind in a stack.
        protected: the settings that protect something from deletion, such as `cluster.deletionProtection`.
        after: everything that must still be there when the guard is asked.
    """
    hook = pulumi.ResourceHook(name, _before_delete)
    return pulumi.Stash(
        name,
        input=list(protected),
        opts=pulumi.ResourceOptions(depends_on=list(after), hooks=pulumi.ResourceHookBinding(before_delete=[hook])),
    )


async def _before_delete(args: pulumi.ResourceHookArgs) -> None:
    kept: Any = await Output.from_input((args.old_inputs or {})["input"]).future()
    refuse_while_protected(kept)


def refuse_while_protected(protected: Sequence[str]) -> None:
    """Do nothing if nothing is protected.

    Raises:
        DeletionRefusedError: something is; the settings are named.
    """
    if protected:
        raise DeletionRefusedError(
            f"AWS refuses to delete what {', '.join(protected)} protects, so nothing is deleted: set it to false, run"
            " `pulumi up`, then run this again"
        )
