"""What moto's server calls for EKS: the action's function, between botocore's parser and moto's serializer.

It replaces moto's EKS, which has no control planes, add-ons, access entries, Pod Identity or updates.
"""

import json
from collections.abc import Callable
from typing import Any

import moto.eks.urls
from moto.core.responses import ActionResult, BaseResponse
from moto.utilities.utils import get_partition

from sandbox.aws.eks import access, addons, clusters, nodegroups, pod_identity, tags
from sandbox.aws.eks.errors import EksError, InvalidParameterError
from sandbox.aws.eks.store import Document, Eks, Request
from sandbox.aws.identities.identity import caller_of

Action = Callable[[Eks, Request], Document]
ACTIONS: dict[str, Action] = {
    "".join(part.capitalize() for part in function.__name__.split("_")): function
    for function in (
        clusters.create_cluster, clusters.describe_cluster, clusters.list_clusters, clusters.delete_cluster,
        clusters.update_cluster_config, clusters.update_cluster_version, clusters.associate_encryption_config,
        clusters.describe_update, clusters.list_updates, clusters.describe_cluster_versions,
        nodegroups.create_nodegroup, nodegroups.describe_nodegroup, nodegroups.list_nodegroups,
        nodegroups.update_nodegroup_config, nodegroups.update_nodegroup_version, nodegroups.delete_nodegroup,
        addons.create_addon, addons.describe_addon, addons.list_addons, addons.update_addon, addons.delete_addon,
        addons.describe_addon_versions,
        access.create_access_entry, access.describe_access_entry, access.list_access_entries,
        access.update_access_entry, access.delete_access_entry, access.list_access_policies,
        access.associate_access_policy, access.disassociate_access_policy, access.list_associated_access_policies,
        pod_identity.create_pod_identity_association, pod_identity.describe_pod_identity_association,
        pod_identity.list_pod_identity_associations, pod_identity.update_pod_identity_association,
        pod_identity.delete_pod_identity_association,
        tags.tag_resource, tags.untag_resource, tags.list_tags_for_resource,
    )
}  # fmt: skip


def serve(eks: Eks) -> None:
    """Make moto's server call `eks` for everything under EKS's host."""

    class Response(BaseResponse):
        """moto's protocol handling around our actions."""

        def __init__(self) -> None:
            super().__init__(service_name="eks")
            self.automated_parameter_parsing = True

        def call_action(self) -> Any:
            name = self._get_action()
            action = ACTIONS.get(name or "")
            if action is None:
                return refuse(501, "NotImplemented", f"the sandbox's EKS does not know {name or self.path}")
            caller = caller_of(self.get_access_key(), eks.account, eks.region)
            try:
                if self.region != eks.region:
                    raise InvalidParameterError(f"the sandbox's clusters are in {eks.region}, not in {self.region}")
                result = action(eks, Request(name, dict(self.params), caller))
            except EksError as error:
                return refuse(error.status, error.code, str(error))
            except KeyError as missing:
                return refuse(400, "InvalidParameterException", f"{name}: {missing} is missing")
            return self.serialized(ActionResult(result))

    moto.eks.urls.response = Response()  # pyright: ignore[reportAttributeAccessIssue] - moto's own instance of its class
    moto.eks.urls.url_paths = {"{0}/.*$": Response.dispatch}


def refuse(status: int, code: str, message: str) -> Any:
    """An EKS error in the form of moto's server."""
    headers = {"x-amzn-ErrorType": code, "Content-Type": "application/json"}
    return status, headers, json.dumps({"message": message, "__type": code})


def install(region: str, account: str, endpoint: str) -> Eks:
    """An EKS without clusters, served instead of moto's."""
    eks = Eks(region, account, get_partition(region), endpoint)
    serve(eks)
    return eks
