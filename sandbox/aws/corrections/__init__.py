"""What moto does otherwise than AWS, put right: one subject a module, each with the AWS page that says so."""

from sandbox.aws.corrections import (
    addresses,
    classic_elb,
    dependencies,
    elb_attributes,
    elb_health,
    elb_listeners,
    elb_load_balancers,
    elb_targets,
    gateways,
    iam,
    interfaces,
    services,
)


def install() -> None:
    """Put everything right, once, before the first call."""
    for subject in (
        interfaces,
        addresses,
        gateways,
        dependencies,
        classic_elb,
        elb_load_balancers,
        elb_attributes,
        elb_listeners,
        elb_targets,
        elb_health,
        iam,
        services,
    ):
        subject.install()
