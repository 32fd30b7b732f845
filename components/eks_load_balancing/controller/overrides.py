"""Values of the chart that a program gives, over those of the component. Functions of plain values, or of outputs."""

from collections.abc import Mapping
from typing import Any, Final, cast

from pulumi import Output

from eks_load_balancing.controller.values import default_tags
from eks_load_balancing.errors import InvalidInputError

_OWN: Final = {
    "clusterName": "the controller would take another cluster's load balancers for its own: give cluster_name",
    "region": "its role is for one region: give region",
    "vpcId": "its role is for one VPC: give vpc_id",
    "vpcTags": "its role is for one VPC: give vpc_id",
    "serviceAccount": "its role trusts one service account, which is made here: give service_account, or role_arn",
    "webhookTLS": "the certificate is made and renewed here: leave it out",
    "enableCertManager": "the certificate is made and renewed here: leave it out",
    "nameOverride": "the webhooks' certificate is good for one name: leave it out",
    "fullnameOverride": "the webhooks' certificate is good for one name: leave it out",
    "image.repository": "it is an argument of its own: give image_repository or image_registry",
    "image.tag": "chart and IAM policy are those of one version: give version",
    "replicaCount": "it is an argument of its own: give replicas",
    "enableWaf": "its permissions go with it: give disabled_features",
    "enableWafv2": "its permissions go with it: give disabled_features",
    "enableShield": "its permissions go with it: give disabled_features",
    "controllerConfig.featureGates": "their permissions come with them: give feature_gates",
}
"""What the component promises something about, and what to give instead."""


def check_values(values: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return values of the chart, or say which of them cannot be given.

    Raises:
        InvalidInputError: the first one that would break what the component promises.
    """
    for path, reason in _OWN.items():
        found = _at(values, path.split("."))
        if found is not None:
            raise InvalidInputError(f"values.{path} {found!r} cannot be set: {reason}", key="values")
    tags = values.get("defaultTags")
    if isinstance(tags, Mapping):
        default_tags(cast(Mapping[str, Any], tags))
    return values


def merged(ours: Any, theirs: Any) -> Any:
    """Return our values with theirs over them, as Helm merges: maps key by key, anything else as a whole."""
    if isinstance(ours, Mapping) and isinstance(theirs, Mapping):
        one, other = cast(Mapping[str, Any], ours), cast(Mapping[str, Any], theirs)
        both = {key: merged(one[key], other[key]) for key in one.keys() & other.keys()}
        return {**one, **other, **both}
    if isinstance(ours, (Mapping, Output)) and isinstance(theirs, (Mapping, Output)):
        return Output.all(ours, theirs).apply(lambda known: merged(*known))
    return theirs


def _at(values: Any, path: list[str]) -> Any:
    for key in path:
        values = cast(Mapping[str, Any], values).get(key) if isinstance(values, Mapping) else None
    return values
