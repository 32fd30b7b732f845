"""The guard: a controller stays while objects that nobody else can clean up still need it (docs/adr/0013).

Whoever else uses the cluster (kubectl, Argo CD, another stack) may have asked for load balancers that this program
knows nothing of. Without a controller these live on unseen, and their objects can never be deleted.
"""

import asyncio
import json
import os
import subprocess
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, Final

import pulumi
from pulumi import Input, Output

FINALIZERS: Final = ("service.k8s.aws/", "ingress.k8s.aws/", "group.ingress.k8s.aws/", "elbv2.k8s.aws/")
"""What the controller's finalizers begin with: a Service's, an Ingress's, a group's, a TargetGroupBinding's."""
_MADE_BY_THE_CONTROLLER: Final = ("service.k8s.aws/", "ingress.k8s.aws/")
"""What labels of its own TargetGroupBindings begin with: they go with the Service or Ingress that they are for."""
_KINDS: Final = ("services", "ingresses.networking.k8s.io", "targetgroupbindings.elbv2.k8s.aws")
_NAMED_AT_MOST: Final = 10
_SECONDS: Final = 60


class ControllerInUseError(RuntimeError):
    """One line that names what still needs the controller, or why that cannot be known, and what to do."""


def guard(name: str, kubeconfig: Input[str], parent: pulumi.Resource, after: pulumi.Resource) -> pulumi.Stash:
    """Declare a guard: it is deleted before `after` is, and only if nothing needs the controller any more.

    The kubeconfig is kept in the state, as a secret: when the guard is asked, the program may no longer know it.

    Args:
        name: the guard's name; its hook has the same, one of its kind in a stack.
        kubeconfig: reaches the cluster, with kubectl; it may read Services, Ingresses and TargetGroupBindings.
        parent: the component that has the controller.
        after: the controller's chart.
    """
    hook = pulumi.ResourceHook(name, _before_delete)
    return pulumi.Stash(
        name,
        input=Output.secret({"kubeconfig": kubeconfig}),
        opts=pulumi.ResourceOptions(
            parent=parent, depends_on=[after], hooks=pulumi.ResourceHookBinding(before_delete=[hook])
        ),
    )


async def _before_delete(args: pulumi.ResourceHookArgs) -> None:
    kept: Any = await Output.from_input((args.old_inputs or {})["input"]).future()
    refuse_while_needed(await asyncio.to_thread(objects, kept["kubeconfig"]), args.urn)


def refuse_while_needed(found: Iterable[Mapping[str, Any]], urn: str) -> None:
    """Do nothing if no object holds a finalizer of the controller's.

    Raises:
        ControllerInUseError: some do; they are named.
    """
    names = holders(found)
    if names:
        more = f" and {len(names) - _NAMED_AT_MOST} more" if len(names) > _NAMED_AT_MOST else ""
        raise ControllerInUseError(
            f"the load balancer controller is still needed by {', '.join(names[:_NAMED_AT_MOST])}{more}: delete them"
            " with the tool that made them, wait until they are gone, then run this again; or, to leave them and their"
            f" load balancers behind, `pulumi state delete '{urn}'` first"
        )


def holders(found: Iterable[Mapping[str, Any]]) -> list[str]:
    """Return which objects hold a finalizer of the controller's, as `Kind namespace/name`, in order.

    Bindings that the controller made are named only if what they are for is gone already.

    Args:
        found: Kubernetes objects.
    """
    held = [o for o in found if any(f.startswith(FINALIZERS) for f in o["metadata"].get("finalizers", []))]
    asked_for = [
        o for o in held if not any(x.startswith(_MADE_BY_THE_CONTROLLER) for x in o["metadata"].get("labels", {}))
    ]
    return sorted(f"{o['kind']} {o['metadata']['namespace']}/{o['metadata']['name']}" for o in asked_for or held)


def objects(kubeconfig: str) -> list[dict[str, Any]]:
    """Return the cluster's Services, Ingresses and TargetGroupBindings.

    Args:
        kubeconfig: the text of a kubeconfig.

    Raises:
        ControllerInUseError: kubectl is missing, or the cluster does not answer it.
    """
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder, "kubeconfig")
        file.touch(mode=0o600)
        file.write_text(kubeconfig)
        return [found for kind in _KINDS for found in _listed(kind, file)]


def _listed(kind: str, kubeconfig: Path) -> list[dict[str, Any]]:
    command = ["kubectl", "get", kind, "--all-namespaces", "--output=json", f"--request-timeout={_SECONDS}s"]
    environment = {**os.environ, "KUBECONFIG": str(kubeconfig)}
    try:
        done = subprocess.run(
            command, env=environment, capture_output=True, text=True, timeout=2 * _SECONDS, check=False
        )
    except FileNotFoundError:
        raise ControllerInUseError(
            "whether the load balancer controller is still needed is asked with kubectl, which is not on the PATH:"
            " install it, then run this again"
        ) from None
    except subprocess.TimeoutExpired:
        done = subprocess.CompletedProcess(command, 1, "", f"no answer in {2 * _SECONDS} s")
    if "the server doesn't have a resource type" in done.stderr:
        return []  # the chart's own kinds are not there before its first, or after its last resource
    if done.returncode:
        said = " ".join(done.stderr.split()) or f"exit code {done.returncode}"
        raise ControllerInUseError(
            f"whether the load balancer controller is still needed cannot be known, `kubectl get {kind}` says: {said}."
            " See that the cluster answers, then run this again"
        )
    return json.loads(done.stdout)["items"]
