"""Reads everything once: AWS knows how to reach the cluster, and the cluster's objects say what to read from AWS."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError

from eks_load_balancing.doctor.facts import CannotLookError, Facts
from eks_load_balancing.doctor.reading import aws, kube
from eks_load_balancing.doctor.reading.account import Account


@dataclass(frozen=True)
class Where:
    """Which cluster, and how to reach it."""

    cluster: str | None = None
    """Its name; `None` for that of the kubeconfig's context."""
    region: str | None = None
    profile: str | None = None
    kubeconfig: str | None = None
    context: str | None = None


def gather(where: Where, report: Callable[[str], None] = lambda _: None) -> Facts:
    """Read the facts of a cluster and its account.

    Args:
        where: the cluster.
        report: called with each request.

    Raises:
        CannotLookError: there are no credentials or no such cluster, or it refuses the caller.
    """
    region, name, by_kubeconfig = where.region, where.cluster, bool(where.kubeconfig or where.context)
    if name is None:
        name, named_region = kube.named(where.kubeconfig, where.context)
        region, by_kubeconfig = region or named_region, True
    try:
        session = boto3.Session(region_name=region, profile_name=where.profile)
        account = Account(session, report)
        cluster = aws.described(account, name)
        if by_kubeconfig:
            settings = kube.by_kubeconfig(where.kubeconfig, where.context)
        else:
            settings = kube.by_token(cluster, account.token(name))
    except BotoCoreError as error:
        raise CannotLookError(
            f"AWS cannot be asked: {' '.join(str(error).split())};"
            " give credentials (AWS_PROFILE or --profile) and --region"
        ) from error
    api = kube.Api(settings, report)
    kube.greet(api)
    now = dt.datetime.now(dt.UTC)
    kubernetes = kube.facts(api)
    of_aws = aws.facts(account, cluster, kubernetes)
    del kubernetes["nodes"]  # they only lead to their instances
    return Facts(now=now, cluster=cluster, **kubernetes, **of_aws)
