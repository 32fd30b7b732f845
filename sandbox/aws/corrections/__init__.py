"""Corrections of moto where it differs from AWS: one subject per module, each with the AWS page that documents it."""

from sandbox.aws.corrections import (
    addresses,
    certificates,
    classic_elb,
    dependencies,
    ec2_requests,
    elbv2,
    gateways,
    iam,
    interfaces,
    ipam,
    security_groups,
    services,
)


def install() -> None:
    """Install all corrections, once, before the first call."""
    for subject in (
        interfaces,
        addresses,
        gateways,
        dependencies,
        security_groups,
        ipam,
        classic_elb,
        elbv2,
        iam,
        services,
        certificates,
        ec2_requests,
    ):
        subject.install()
