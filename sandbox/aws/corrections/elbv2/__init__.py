"""Corrections of Elastic Load Balancing v2: load balancers, listeners with their rules, target groups, trust stores."""

from sandbox.aws.corrections.elbv2 import (
    attributes,
    capacity,
    certificates,
    health,
    limits,
    listeners,
    load_balancers,
    pages,
    rules,
    ssl_policies,
    tags,
    target_groups,
    targets,
    trust_stores,
    validation,
)


def install() -> None:
    """Install all corrections, once, before the first call. Later ones wrap earlier ones."""
    for subject in (
        limits,
        load_balancers,
        capacity,
        attributes,
        ssl_policies,
        trust_stores,
        tags,
        certificates,
        listeners,
        rules,
        target_groups,
        targets,
        health,
        pages,
        validation,
    ):
        subject.install()
