"""An ALB that serves only clients whose certificate comes from an authority of yours."""

import pulumi
import pulumi_aws as aws
import pulumi_tls as tls

from eks_load_balancing import ApplicationLoadBalancedIngress, ClusterReference, ValidatedCertificate

config = pulumi.Config()
domain = config.require("domain")
cluster = ClusterReference.lookup(config.require("cluster"), irsa=False)

# Elsewhere you have an authority, and only its certificate is given here.
key = tls.PrivateKey("authority", algorithm="ECDSA", ecdsa_curve="P256")
authority = tls.SelfSignedCert(
    "authority",
    private_key_pem=key.private_key_pem,
    subject={"common_name": "partners"},
    is_ca_certificate=True,
    validity_period_hours=8760,
    allowed_uses=["cert_signing", "crl_signing"],
)
bucket = aws.s3.Bucket("authorities", force_destroy=True)
bundle = aws.s3.BucketObjectv2("partners", bucket=bucket.bucket, key="partners.pem", content=authority.cert_pem)
partners = aws.lb.TrustStore(
    "partners", ca_certificates_bundle_s3_bucket=bundle.bucket, ca_certificates_bundle_s3_key=bundle.key
)

zone = aws.route53.Zone("zone", name=domain)
first, second = (
    ValidatedCertificate(host, {"host": f"{host}.{domain}", "zone_id": zone.zone_id}) for host in ("orders", "prices")
)
orders = ApplicationLoadBalancedIngress(
    "orders",
    {
        "cluster_name": cluster.cluster_name,
        "namespace": "default",
        "certificate_arn": first.arn,
        "certificate_arns": [second.arn],
        "mutual_tls": {"mode": "verify", "trust_store_arn": partners.arn},
    },
    pulumi.ResourceOptions(provider=cluster.provider),
)

pulumi.export("certificateArns", [first.arn, second.arn])
pulumi.export("trustStoreArn", partners.arn)
pulumi.export("orders", orders.host_name)
