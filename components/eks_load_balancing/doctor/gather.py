"""One look at everything: AWS says how to reach the cluster, Kubernetes what to ask AWS for."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass

import boto3
from botocore.exceptions import BotoCoreError

from eks_load_balancing.doctor import aws, kube
from eks_load_balancing.doctor.account import Account
from eks_load_balancing.doctor.facts import CannotLookError, Facts


@dataclass(frozen=True)
class Where:
    """Which cluster, and how to get at it."""

    cluster: str
    region: str | None = None
    profile: str | None = None
    kubeconfig: str | None = None
    context: str | None = None


def gather(where: Where, report: Callable[[str], None] = lambda _: None) -> Facts:
    """Look at a cluster and its account.

    Args:
        where: the cluster.
        report: called with what is being asked.

    Raises:
        CannotLookError: no credentials, no such cluster, or it does not let the caller in.
    """
    try:
        session = boto3.Session(region_name=where.region, profile_name=where.profile)
        account = Account(session, report)
        cluster = aws.described(account, where.cluster)
        if where.kubeconfig or where.context:
            settings = kube.by_kubeconfig(where.kubeconfig, where.context)
        else:
            settings = kube.by_token(cluster, account.token(where.cluster))
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
    del kubernetes["nodes"]  # they are there to find the instances by
    return Facts(now=now, cluster=cluster, **kubernetes, **of_aws)
