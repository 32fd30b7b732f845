"""The DNS name of a load balancer, from the status of the object that asked for it."""

from pulumi_kubernetes.core.v1.outputs import ServiceStatus
from pulumi_kubernetes.networking.v1.outputs import IngressStatus


def host_name(status: ServiceStatus | IngressStatus | None) -> str:
    """Return the host name that the controller wrote into the status, or nothing if there is none yet."""
    ingress = status.load_balancer.ingress if status and status.load_balancer else None
    return str(ingress[0].hostname) if ingress else ""
