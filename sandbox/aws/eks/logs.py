"""The control plane's logs: EKS creates the log group if it is missing, and writes once more after the cluster is gone.

The groups are kept, their content is not: https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
and https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2763.
"""

from typing import Any

from moto.logs.models import LogsBackend, logs_backends

from sandbox.aws.eks.store import Document, Eks
from sandbox.aws.patching import replace

_MARK = "eks_has_more_to_write"
_TYPES = ["api", "audit", "authenticator", "controllerManager", "scheduler"]


def write(eks: Eks, cluster: Document, *, last: bool = False) -> None:
    """Ensure that a cluster's log group exists; if EKS creates it, it has no retention.

    Args:
        eks: all clusters.
        cluster: as DescribeCluster returns it.
        last: whether the cluster is gone: EKS's last writes come after its group is deleted.
    """
    if not any(setup["enabled"] for setup in cluster["logging"]["clusterLogging"]):
        return
    backend: Any = logs_backends[eks.account][eks.region]
    name = f"/aws/eks/{cluster['name']}/cluster"
    if name not in backend.groups:
        backend.create_log_group(name, {})
    if last:
        setattr(backend.groups[name], _MARK, True)


def install() -> None:
    """Create a group again that was deleted right after its cluster."""
    delete = LogsBackend.delete_log_group

    def delete_log_group(self: LogsBackend, log_group_name: str) -> None:
        again = getattr(self.groups.get(log_group_name), _MARK, False)
        delete(self, log_group_name)
        if again:
            self.create_log_group(log_group_name, {})

    replace(LogsBackend, "delete_log_group", delete_log_group)


def logging_of(wanted: Document | None) -> Document:
    """All log types, each on or off."""
    on = {kind for setup in (wanted or {}).get("clusterLogging", []) if setup.get("enabled") for kind in setup["types"]}
    setups = [{"types": [t for t in _TYPES if (t in on) is enabled], "enabled": enabled} for enabled in (True, False)]
    return {"clusterLogging": [setup for setup in setups if setup["types"]]}
