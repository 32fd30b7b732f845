"""An ALB with a certificate that DNS proves, access logs in a bucket, and a name; an NLB at addresses of its owner."""

import pulumi
import pulumi_aws as aws

from eks_load_balancing import (
    AccessLogsBucket,
    ApplicationLoadBalancedIngress,
    ClusterReference,
    LoadBalancerRecord,
    NetworkLoadBalancedService,
    ValidatedCertificate,
)

config = pulumi.Config()
domain = config.require("domain")
cluster = ClusterReference.lookup(config.require("cluster"), irsa=False)
zone = aws.route53.Zone("zone", name=domain)
logs = AccessLogsBucket("logs", {"region": cluster.region, "force_destroy": True})
certificate = ValidatedCertificate(
    "certificate", {"host": domain, "alternative_hosts": [f"*.{domain}"], "zone_id": zone.zone_id}
)
front = ApplicationLoadBalancedIngress(
    "front",
    {
        "cluster_name": cluster.cluster_name,
        "namespace": "default",
        "certificate_arn": certificate.arn,
        "access_logs_bucket": logs.bucket_name,
    },
    pulumi.ResourceOptions(provider=cluster.provider),
)
name = LoadBalancerRecord(
    "name",
    {
        "host": f"shop.{domain}",
        "zone_id": zone.zone_id,
        "load_balancer_type": "application",
        "load_balancer_host": front.host_name,
        "region": cluster.region,
    },
)

addresses = [aws.ec2.Eip(f"fixed-{number}", domain="vpc") for number in range(2)]  # one for each zone
fixed = NetworkLoadBalancedService(
    "fixed",
    {
        "cluster_name": cluster.cluster_name,
        "namespace": "default",
        "scheme": "internet-facing",
        "inbound_cidrs": ["203.0.113.0/24"],
        "eip_allocation_ids": [address.allocation_id for address in addresses],
        "proxy_protocol": True,
    },
    pulumi.ResourceOptions(provider=cluster.provider),
)

pulumi.export("addresses", [address.public_ip for address in addresses])
pulumi.export("fixed", fixed.host_name)
pulumi.export("bucket", logs.bucket_name)
pulumi.export("certificateArn", certificate.arn)
pulumi.export("zoneId", zone.zone_id)
pulumi.export("host", name.host)
pulumi.export("loadBalancer", front.host_name)
