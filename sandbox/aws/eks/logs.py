"""The control plane's logs: EKS makes their group where there is none, and writes once more after the cluster is gone.

The groups are kept, what is written is not: https://docs.aws.amazon.com/eks/latest/userguide/control-plane-logs.html
and https://github.com/terraform-aws-modules/terraform-aws-eks/issues/2763.
"""

from typing import Any

from moto.logs.models import LogsBackend, logs_backends

from sandbox.aws.eks.store import Document, Eks
from sandbox.aws.patching import replace

_MARK = "eks_has_more_to_write"


def write(eks: Eks, cluster: Document, *, last: bool = False) -> None:
    """Have a cluster's log group there, without a retention if EKS makes it.

    Args:
        eks: all clusters.
        cluster: as DescribeCluster gives it.
        last: whether the cluster is gone: what it still has to write comes after its group is deleted.
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
    """Have a group written again that is deleted right after its cluster."""
    delete = LogsBackend.delete_log_group

    def delete_log_group(self: LogsBackend, log_group_name: str) -> None:
        again = getattr(self.groups.get(log_group_name), _MARK, False)
        delete(self, log_group_name)
        if again:
            self.create_log_group(log_group_name, {})

    replace(LogsBackend, "delete_log_group", delete_log_group)
