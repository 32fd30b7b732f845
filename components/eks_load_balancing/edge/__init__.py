"""What stands around load balancers: a bucket for their access logs, certificates, names in DNS."""

from eks_load_balancing.edge.access_logs_bucket import AccessLogsBucket, AccessLogsBucketArgs
from eks_load_balancing.edge.load_balancer_record import LoadBalancerRecord, LoadBalancerRecordArgs
from eks_load_balancing.edge.validated_certificate import ValidatedCertificate, ValidatedCertificateArgs

__all__ = [
    "AccessLogsBucket",
    "AccessLogsBucketArgs",
    "LoadBalancerRecord",
    "LoadBalancerRecordArgs",
    "ValidatedCertificate",
    "ValidatedCertificateArgs",
]
