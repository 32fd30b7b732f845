"""What moto does otherwise than AWS, put right: one subject a module, each with the AWS page that says so."""

from sandbox.aws.corrections import (
    addresses,
    classic_elb,
    dependencies,
    elb_attributes,
    elb_capacity,
    elb_certificates,
    elb_health,
    elb_limits,
    elb_listeners,
    elb_load_balancers,
    elb_rules,
    elb_tags,
    elb_target_groups,
    elb_targets,
    elb_trust_stores,
    elb_validation,
    gateways,
    iam,
    interfaces,
    ipam,
    security_groups,
    services,
    ssl_policies,
)


def install() -> None:
    """Put everything right, once, before the first call."""
    for subject in (
        interfaces,
        addresses,
        gateways,
        dependencies,
        security_groups,
        ipam,
        classic_elb,
        elb_limits,
        elb_load_balancers,
        elb_capacity,
        elb_attributes,
        ssl_policies,
        elb_trust_stores,
        elb_tags,
        elb_certificates,
        elb_listeners,
        elb_rules,
        elb_target_groups,
        elb_targets,
        elb_health,
        elb_validation,
        iam,
        services,
    ):
        subject.install()
