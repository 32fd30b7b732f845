"""EKS Auth: AssumeRoleForPodIdentity exchanges a pod's token for a session of its service account's role.

A node calls it for one of its pods. The role must trust `pods.eks.amazonaws.com` to assume it and to tag the session.
https://docs.aws.amazon.com/eks/latest/APIReference/API_auth_AssumeRoleForPodIdentity.html
"""

import json
import re
from collections.abc import Callable, Mapping
from datetime import UTC
from typing import Any

from moto.iam.models import iam_backends
from moto.moto_api._internal import mock_random
from moto.sts.models import sts_backends
from werkzeug.wrappers import Request, Response

from sandbox.aws import determinism
from sandbox.aws.eks.errors import EksError, InvalidParameterError, ResourceNotFoundError, UnsupportedOperationError
from sandbox.aws.eks.store import Cluster, Document, Eks
from sandbox.aws.identities.sessions import Extras, furnish
from sandbox.aws.identities.web_identity import WebIdentity, verify
from sandbox.aws.refusal import Refusal
from sandbox.iam.language.trust import PODS, Door

AUDIENCE = "pods.eks.amazonaws.com"
_PATH = re.compile(r"/clusters/([^/]+)/assume-role-for-pod-identity")
# https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html
_SESSION_SECONDS = 6 * 3600
_NAME_LENGTH = 64


class AccessDeniedError(EksError):
    """The role does not trust EKS's pods."""


class InvalidTokenError(EksError):
    """The token is not valid."""


class ExpiredTokenError(EksError):
    """The token is valid."""


def application(eks: Eks, door: Door) -> Callable[..., Any]:
    """The service as a WSGI application."""

    @Request.application
    def answer(request: Request) -> Response:
        path = _PATH.fullmatch(request.path)
        try:
            if path is None or request.method != "POST":
                raise UnsupportedOperationError(f"the sandbox's EKS Auth does not know {request.method} {request.path}")
            token = (request.get_json(force=True, silent=True) or {}).get("token")
            if not token:
                raise InvalidParameterError("AssumeRoleForPodIdentity: 'token' is missing")
            found = assume_role_for_pod_identity(eks, door, path[1], token)
        except EksError as error:
            body = json.dumps({"message": str(error), "__type": error.code})
            return Response(body, error.status, {"x-amzn-ErrorType": error.code}, content_type="application/json")
        return Response(json.dumps(found), content_type="application/json")

    return answer


def assume_role_for_pod_identity(eks: Eks, door: Door, name: str, token: str) -> Document:
    """AssumeRoleForPodIdentity.

    Args:
        eks: has the cluster.
        door: evaluates the role's trust policy.
        name: the cluster's name.
        token: the pod's, for the audience `pods.eks.amazonaws.com`.

    Raises:
        EksError: no pod of this cluster has the token, its service account has no role, or the role cannot be assumed
            this way.
    """
    cluster = eks.cluster(name)
    identity = _verified(eks, cluster, token)
    pod = _pod(identity)
    association = _association(cluster, pod)
    arn = association["roleArn"]
    tags = {} if association["disableSessionTags"] else session_tags(cluster, pod)
    role = next((r for r in iam_backends[eks.account][eks.partition].roles.values() if r.arn == arn), None)
    keys: dict[str, Any] = {f"aws:RequestTag/{key}": value for key, value in tags.items()}
    keys |= {"aws:SourceAccount": eks.account, "aws:SourceArn": cluster.document["arn"]}
    if tags:
        keys |= {"aws:TagKeys": list(tags), "sts:TransitiveTagKeys": list(tags)}
    asked = ["sts:AssumeRole", *(["sts:TagSession"] if tags else [])]
    if role is None or not all(door.admits(role.assume_role_policy_document, arn, PODS, a, keys) for a in asked):
        raise AccessDeniedError("Unauthorized Exception! EKS does not have permissions to assume the associated role.")
    unique = str(mock_random.uuid4())
    session: Any = sts_backends[eks.account][eks.partition].assume_role(
        region_name=eks.region,
        role_session_name=f"eks-{name}-{pod['pod']['name']}"[: _NAME_LENGTH - len(unique) - 1] + f"-{unique}",
        role_arn=arn,
        policy=None,  # pyright: ignore[reportArgumentType] - moto's annotation is too narrow
        duration=_SESSION_SECONDS,
        external_id=None,  # pyright: ignore[reportArgumentType] - as above
    )
    # https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html: all of them are passed on to roles that it
    # assumes.
    furnish(session, Extras(tags, frozenset(key.lower() for key in tags)))
    return {
        "subject": {"namespace": pod["namespace"], "serviceAccount": pod["serviceaccount"]["name"]},
        "audience": identity.audience,
        "podIdentityAssociation": {key: association[key] for key in ("associationArn", "associationId")},
        "assumedRoleUser": {"arn": session.arn, "assumeRoleId": session.user_id},
        "credentials": {
            "accessKeyId": session.access_key_id,
            "secretAccessKey": session.secret_access_key,
            "sessionToken": session.session_token,
            "expiration": session.expiration.replace(tzinfo=UTC).timestamp(),
        },
    }


def session_tags(cluster: Cluster, pod: Mapping[str, Any]) -> dict[str, str]:
    """The tags of a pod's session: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-abac.html."""
    return {
        "eks-cluster-arn": cluster.document["arn"],
        "eks-cluster-name": cluster.name,
        "kubernetes-namespace": pod["namespace"],
        "kubernetes-service-account": pod["serviceaccount"]["name"],
        "kubernetes-pod-name": pod["pod"]["name"],
        "kubernetes-pod-uid": pod["pod"]["uid"],
    }


def _verified(eks: Eks, cluster: Cluster, token: str) -> WebIdentity:
    """The holder of the token, verified with the cluster's own keys; IAM's OIDC providers are not involved."""
    issuer = cluster.issuer.removeprefix("https://")
    try:
        return verify(token, {issuer: [AUDIENCE]}, eks.public_keys, determinism.now())
    except Refusal as error:
        kind = ExpiredTokenError if error.code == "ExpiredTokenException" else InvalidTokenError
        raise kind(error.message) from None


def _pod(identity: WebIdentity) -> Mapping[str, Any]:
    """What a token says about its pod: `{"namespace", "pod": {"name", "uid"}, "serviceaccount": {"name", "uid"}}`."""
    pod = identity.claims.get("kubernetes.io") or {}
    if "pod" not in pod:
        raise InvalidTokenError("The token is not bound to a pod: it must be a projected token")
    return pod


def _association(cluster: Cluster, pod: Mapping[str, Any]) -> Document:
    namespace, account = pod["namespace"], pod["serviceaccount"]["name"]
    for association in cluster.associations.values():
        if (association["namespace"], association["serviceAccount"]) == (namespace, account):
            if association["targetRoleArn"]:
                raise UnsupportedOperationError("the sandbox's EKS Auth does not support target roles")
            return association
    raise ResourceNotFoundError(f"No association found for service account {namespace}/{account}")
