"""Calls to AWS: with the caller's credentials, only reading ones, with all pages of each answer."""

import base64
from collections.abc import Callable
from typing import Any, Final

import boto3
from botocore import xform_name
from botocore.client import Config
from botocore.exceptions import BotoCoreError, ClientError
from botocore.signers import RequestSigner

from eks_load_balancing.doctor.facts import NotSeenError, Object, Unseen
from eks_load_balancing.doctor.reading.permissions import CALLS, action

_CLUSTER_HEADER: Final = "x-k8s-aws-id"
_TOKEN_SECONDS: Final = 60
_CONFIG: Final = Config(connect_timeout=10, read_timeout=60, retries={"mode": "standard", "max_attempts": 5})


class RefusedError(NotSeenError):
    """AWS refused a call; `code` is AWS's error code."""

    def __init__(self, unseen: Unseen, code: str) -> None:
        super().__init__(unseen)
        self.code = code


class Account:
    """Read-only calls, with the caller's credentials, in one region."""

    def __init__(self, session: boto3.Session, report: Callable[[str], None] = lambda _: None) -> None:
        self._session, self._report = session, report
        self._clients: dict[str, Any] = {}

    def ask(self, service: str, call: str, **arguments: Any) -> Object:
        """Return an answer with all its pages.

        Args:
            service: boto3's name of the service.
            call: one of `permissions.CALLS`.
            **arguments: the call's arguments.

        Raises:
            RefusedError: AWS refuses, or does not answer.
            ValueError: the call is not listed.
        """
        if call not in CALLS.get(service, ()):
            raise ValueError(
                f"{service}:{call} is not among the calls that the doctor makes: list it in permissions.CALLS"
            )
        self._report(action(service, call))
        method = xform_name(call)
        try:
            client = self.client(service)
            if client.can_paginate(method):
                return client.get_paginator(method).paginate(**arguments).build_full_result()
            return getattr(client, method)(**arguments)
        except ClientError as error:
            code = error.response.get("Error", {}).get("Code", "")
            raise RefusedError(Unseen(action(service, call), " ".join(str(error).split())), code) from error
        except BotoCoreError as error:
            raise RefusedError(Unseen(action(service, call), " ".join(str(error).split())), "") from error

    def client(self, service: str) -> Any:
        """Return boto3's client for a service."""
        if service not in self._clients:
            self._clients[service] = self._session.client(  # pyright: ignore[reportCallIssue] - one overload a service
                service,  # pyright: ignore[reportArgumentType]
                config=_CONFIG,
            )
        return self._clients[service]

    def token(self, cluster: str) -> str:
        """Return a bearer token for the cluster's API, like `aws eks get-token`: a presigned GetCallerIdentity.

        https://docs.aws.amazon.com/eks/latest/userguide/cluster-auth.html
        """
        sts = self.client("sts")
        signer = RequestSigner(
            sts.meta.service_model.service_id, sts.meta.region_name, "sts", "v4",
            self._session.get_credentials(), self._session.events,
        )  # fmt: skip
        url = signer.generate_presigned_url(
            {
                "method": "GET",
                "url": f"{sts.meta.endpoint_url}/?Action=GetCallerIdentity&Version=2011-06-15",
                "body": {},
                "headers": {_CLUSTER_HEADER: cluster},
                "context": {},
            },
            region_name=sts.meta.region_name,
            expires_in=_TOKEN_SECONDS,
            operation_name="",
        )
        return "k8s-aws-v1." + base64.urlsafe_b64encode(str(url).encode()).decode().rstrip("=")
