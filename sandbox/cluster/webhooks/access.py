"""Who may enter the cluster: `aws eks get-token` tokens, access entries and access policies.

kube-apiserver asks who sent a token. AWS answers who signed it and which access entry is theirs. The entry's policies
become RBAC bindings of a group that only this entry's callers are in; the bindings take effect before the answer is
given. EKS has its own authorizer for these; the resulting permissions are the same.
https://docs.aws.amazon.com/eks/latest/userguide/access-entries.html
"""

import asyncio
import datetime as dt
import fnmatch
import hashlib
import logging
import re
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from botocore.exceptions import BotoCoreError, ClientError
from yarl import URL

from sandbox.cluster.api import NOT_FOUND, Api, ApiError, Object
from sandbox.cluster.webhooks.tokens import CLUSTER_HEADER, Caller, Request, TokenError, parse, user_name, without_path

log = logging.getLogger(__name__)

_CACHED_SECONDS = 2.0
_STS_SECONDS = 10.0
_EFFECTIVE_SECONDS = 2.0
_POLL_SECONDS = 0.02
_OK = 200
_RBAC = "/apis/rbac.authorization.k8s.io/v1"
_MANAGED_BY = "sandbox-eks-access"
_ENTRY_LABEL = "sandbox/access-entry"
ADMIN_VIEW = "sandbox:eks-admin-view"
ROLES = {
    "AmazonEKSClusterAdminPolicy": "cluster-admin",
    "AmazonEKSAdminPolicy": "admin",
    "AmazonEKSEditPolicy": "edit",
    "AmazonEKSViewPolicy": "view",
    "AmazonEKSAdminViewPolicy": ADMIN_VIEW,
}
"""Access policy -> the ClusterRole with the same permissions.
https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html
"""


@dataclass(frozen=True)
class Policy:
    """An access policy of an entry; `namespaces` may contain wildcards, and is empty for the whole cluster."""

    name: str
    namespaces: tuple[str, ...] = ()


@dataclass(frozen=True)
class Entry:
    """An access entry with its policies."""

    principal: str
    username: str
    groups: tuple[str, ...]
    policies: tuple[Policy, ...]

    @property
    def group(self) -> str:
        """The Kubernetes group of this entry's callers, to which its policies are bound."""
        return f"access-entry:{self.principal}"

    @property
    def mark(self) -> str:
        """The label of its bindings."""
        return hashlib.sha256(self.principal.encode()).hexdigest()[:16]


def admin_view_role() -> Object:
    """The ClusterRole of AmazonEKSAdminViewPolicy: read access to everything, including Secrets."""
    rules = [{"apiGroups": ["*"], "resources": ["*"], "verbs": ["get", "list", "watch"]}]
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRole",
        "metadata": {"name": ADMIN_VIEW},
        "rules": rules,
    }


def bindings(entry: Entry, namespaces: list[str]) -> dict[str, Object]:
    """The bindings for an entry's policies: API path -> ClusterRoleBinding or RoleBinding.

    Args:
        entry: the entry.
        namespaces: the existing namespaces.

    Raises:
        TokenError: the sandbox does not know a policy.
    """
    made: dict[str, Object] = {}
    for policy in entry.policies:
        if policy.name not in ROLES:
            raise TokenError(
                f"access policy {policy.name} is not supported by the sandbox, which supports {sorted(ROLES)}"
            )
        name = f"sandbox:access-entry:{entry.mark}:{ROLES[policy.name].rpartition(':')[2]}"
        if not policy.namespaces:
            made[f"{_RBAC}/clusterrolebindings/{name}"] = _binding("ClusterRoleBinding", entry, name, policy)
        for namespace in namespaces:
            if any(fnmatch.fnmatchcase(namespace, pattern) for pattern in policy.namespaces):
                path = f"{_RBAC}/namespaces/{namespace}/rolebindings/{name}"
                made[path] = _binding("RoleBinding", entry, name, policy, namespace)
    return made


def _binding(kind: str, entry: Entry, name: str, policy: Policy, namespace: str | None = None) -> Object:
    place = {"namespace": namespace} if namespace else {}
    labels = {"app.kubernetes.io/managed-by": _MANAGED_BY, _ENTRY_LABEL: entry.mark}
    group = "rbac.authorization.k8s.io"
    return {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": kind,
        "metadata": {"name": name, **place, "labels": labels, "annotations": {"sandbox/principal": entry.principal}},
        "roleRef": {"apiGroup": group, "kind": "ClusterRole", "name": ROLES[policy.name]},
        "subjects": [{"apiGroup": group, "kind": "Group", "name": entry.group}],
    }


def path_of(binding: Object) -> str:
    """The API path of a listed binding."""
    metadata = binding["metadata"]
    if "namespace" in metadata:
        return f"{_RBAC}/namespaces/{metadata['namespace']}/rolebindings/{metadata['name']}"
    return f"{_RBAC}/clusterrolebindings/{metadata['name']}"


def user(entry: Entry, caller: Caller, access_key_id: str, nodes: dict[str, str]) -> Object:
    """The user that a TokenReview reports to kube-apiserver."""
    return {
        "username": user_name(entry.username, caller, nodes),
        "uid": f"aws-iam-authenticator:{caller.account}:{caller.user_id.partition(':')[0]}",
        "groups": [*entry.groups, entry.group],
        "extra": {
            "arn": [caller.arn],
            "canonicalArn": [caller.principal],
            "principalId": [caller.user_id.partition(":")[0]],
            "sessionName": [caller.session],
            "accessKeyId": [access_key_id],
        },
    }


class Entries:
    """Access entries from the EKS API; blocking."""

    def __init__(self, client: Any, cluster: str) -> None:
        """`client` is boto3's for EKS."""
        self._eks = client
        self._cluster = cluster

    def of(self, principal: str) -> Entry | None:
        """The entry of a principal, None if it has none."""
        pages = self._eks.get_paginator("list_access_entries").paginate(clusterName=self._cluster)
        arns: list[str] = [arn for page in pages for arn in page["accessEntries"]]
        arn = next((a for a in arns if without_path(a) == principal), None)
        if arn is None:
            return None
        where = {"clusterName": self._cluster, "principalArn": arn}
        entry = self._eks.describe_access_entry(**where)["accessEntry"]
        listed = self._eks.get_paginator("list_associated_access_policies").paginate(**where)
        policies = [p for page in listed for p in page["associatedAccessPolicies"]]
        return Entry(
            arn,
            entry["username"],
            tuple(entry["kubernetesGroups"]),
            tuple(
                Policy(p["policyArn"].rpartition("/")[2], tuple(p["accessScope"].get("namespaces") or []))
                for p in policies
            ),
        )


@dataclass
class Access:
    """Answers token reviews."""

    api: Api
    session: aiohttp.ClientSession
    entries: Entries
    cluster: str
    endpoint: str
    """The sandbox's AWS."""
    nodes: Callable[[], dict[str, str]]
    """Node names by instance id."""
    _cache: dict[str, tuple[float, Object]] = field(default_factory=dict[str, tuple[float, Object]])

    async def review(self, token: str) -> Object:
        """A TokenReview's status for a bearer token."""
        now = time.monotonic()
        self._cache = {t: (at, status) for t, (at, status) in self._cache.items() if now - at < _CACHED_SECONDS}
        if token not in self._cache:
            try:
                status: Object = {"authenticated": True, "user": await self._user(token)}
            except TokenError as error:
                log.info("token refused: %s", error)
                return {"authenticated": False, "error": str(error)}
            except (BotoCoreError, ClientError, ApiError, aiohttp.ClientError, TimeoutError, OSError) as error:
                log.warning("token not judged: %s", error)
                return {"authenticated": False, "error": f"the sandbox could not ask AWS: {error}"}
            self._cache[token] = (now, status)
        return self._cache[token][1]

    async def _user(self, token: str) -> Object:
        request = parse(token, self.endpoint, dt.datetime.now(dt.UTC))
        caller = await self._caller(request)
        entry = await asyncio.to_thread(self.entries.of, caller.principal)
        if entry is None:
            raise TokenError(f"{caller.principal} has no access entry in cluster {self.cluster}")
        await self._bind(entry)
        return user(entry, caller, request.access_key_id, self.nodes())

    async def _caller(self, request: Request) -> Caller:
        """Who signed: asks STS, with the Host and the cluster's name that the signature covers."""
        headers = {"Host": request.host, CLUSTER_HEADER: self.cluster}
        async with (
            asyncio.timeout(_STS_SECONDS),
            self.session.get(URL(f"{self.endpoint}/?{request.query}", encoded=True), headers=headers) as answer,
        ):
            text = await answer.text()
            if answer.status != _OK:
                raise TokenError(f"STS refused the token: {_element(text, 'Code')} {_element(text, 'Message')}")
        return Caller(_element(text, "Arn"), _element(text, "Account"), _element(text, "UserId"))

    async def _bind(self, entry: Entry) -> None:
        """Make an entry's bindings equal to its policies."""
        listed = await self.api.get("/api/v1/namespaces")
        wanted = bindings(entry, [n["metadata"]["name"] for n in listed["items"]])
        selector = {"labelSelector": f"{_ENTRY_LABEL}={entry.mark}"}
        present: set[str] = set()
        for kind in ("clusterrolebindings", "rolebindings"):
            answer = await self.api.request("GET", f"{_RBAC}/{kind}", params=selector)
            present |= {path_of(item) for item in answer["items"]}
        for path in present - set(wanted):
            await self.api.delete(path)
        if any(b["roleRef"]["name"] == ADMIN_VIEW for b in wanted.values()):
            await self.api.apply(f"{_RBAC}/clusterroles/{ADMIN_VIEW}", admin_view_role())
        for path in set(wanted) - present:
            try:
                await self.api.apply(path, wanted[path])
            except ApiError as error:
                if error.status != NOT_FOUND:  # the namespace was deleted meanwhile
                    raise
            else:
                await self._until_effective(entry, wanted[path]["metadata"].get("namespace", ""))

    async def _until_effective(self, entry: Entry, namespace: str) -> None:
        """Wait until kube-apiserver's authorizer knows a new binding: all these roles can read pods."""
        question = {
            "apiVersion": "authorization.k8s.io/v1",
            "kind": "SubjectAccessReview",
            "spec": {
                "groups": [entry.group],
                "user": entry.group,
                "resourceAttributes": {"verb": "get", "resource": "pods", "namespace": namespace},
            },
        }
        deadline = time.monotonic() + _EFFECTIVE_SECONDS
        while time.monotonic() < deadline:
            answer = await self.api.create("/apis/authorization.k8s.io/v1/subjectaccessreviews", question)
            if answer["status"].get("allowed"):
                return
            await asyncio.sleep(_POLL_SECONDS)


def _element(text: str, name: str) -> str:
    """The text of the first XML element (or JSON member) with that name; empty if there is none."""
    found = re.search(rf'<{name}>([^<]*)</{name}>|"{name}": *"([^"]*)"', text)
    return (found[1] or found[2] or "") if found else ""
