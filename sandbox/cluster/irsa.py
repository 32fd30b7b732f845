"""IRSA's webhook: a pod whose service account names a role gets a token for it and is told where.

What EKS's own does: the annotation `eks.amazonaws.com/role-arn` on the service account puts a projected token, its path
and the role's ARN into every container. https://github.com/aws/amazon-eks-pod-identity-webhook
"""

import base64
import json
from collections.abc import Sequence
from typing import Any

from sandbox.cluster.api import Object

_PREFIX = "eks.amazonaws.com"
_VOLUME = "aws-iam-token"
_MOUNT = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
_AUDIENCE = "sts.amazonaws.com"
_EXPIRATION = 86400
_SHORTEST = 600
WEBHOOK_NAME = "pod-identity-webhook"


def webhook_configuration(url: str, ca_data: str) -> Object:
    """The MutatingWebhookConfiguration that sends new pods to `url`."""
    return {
        "apiVersion": "admissionregistration.k8s.io/v1",
        "kind": "MutatingWebhookConfiguration",
        "metadata": {"name": WEBHOOK_NAME},
        "webhooks": [
            {
                "name": "iam-for-pods.amazonaws.com",
                "clientConfig": {"url": url, "caBundle": ca_data},
                "rules": [{"apiGroups": [""], "apiVersions": ["v1"], "operations": ["CREATE"], "resources": ["pods"]}],
                "admissionReviewVersions": ["v1"],
                "sideEffects": "None",
                "failurePolicy": "Ignore",
                "timeoutSeconds": 5,
                "reinvocationPolicy": "IfNeeded",
            }
        ],
    }


def _expiration(annotations: dict[str, str]) -> int:
    text = annotations.get(f"{_PREFIX}/token-expiration", "")
    return max(int(text), _SHORTEST) if text.isdigit() else _EXPIRATION


def _with_variables(container: Object, variables: dict[str, str]) -> Object:
    """A container with the variables that it does not set itself, and the mount."""
    present = {v["name"] for v in container.get("env") or []}
    mounts: list[dict[str, Any]] = container.get("volumeMounts") or []
    if not any(m["name"] == _VOLUME for m in mounts):
        mounts = [*mounts, {"name": _VOLUME, "mountPath": _MOUNT, "readOnly": True}]
    added = [{"name": k, "value": v} for k, v in variables.items() if k not in present]
    return {**container, "env": [*(container.get("env") or []), *added], "volumeMounts": mounts}


def patch(pod: Object, service_account: Object | None, region: str) -> list[dict[str, Any]]:
    """What the webhook changes in a new pod, as a JSON patch; empty if its service account names no role.

    Args:
        pod: the pod as it is to be created.
        service_account: its service account, None if there is none.
        region: the cluster's region.
    """
    annotations = ((service_account or {}).get("metadata", {}).get("annotations")) or {}
    role = annotations.get(f"{_PREFIX}/role-arn")
    if not role:
        return []
    pod_annotations = pod["metadata"].get("annotations") or {}
    skipped = {s.strip() for s in pod_annotations.get(f"{_PREFIX}/skip-containers", "").split(",")}
    regional = annotations.get(f"{_PREFIX}/sts-regional-endpoints", "true") != "false"
    variables = {
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ROLE_ARN": role,
        "AWS_WEB_IDENTITY_TOKEN_FILE": f"{_MOUNT}/token",
        "AWS_STS_REGIONAL_ENDPOINTS": "regional" if regional else "legacy",
    }
    token = {
        "audience": annotations.get(f"{_PREFIX}/audience", _AUDIENCE),
        "expirationSeconds": _expiration({**annotations, **pod_annotations}),
        "path": "token",
    }
    volumes: Sequence[dict[str, Any]] = pod["spec"].get("volumes") or []
    kept = [v for v in volumes if v["name"] != _VOLUME]
    changes = [
        {
            "op": "add",
            "path": "/spec/volumes",
            "value": [*kept, {"name": _VOLUME, "projected": {"sources": [{"serviceAccountToken": token}]}}],
        }
    ]
    for kind in ("initContainers", "containers"):
        containers: list[Object] = pod["spec"].get(kind) or []
        if containers:
            value = [c if c["name"] in skipped else _with_variables(c, variables) for c in containers]
            changes.append({"op": "add", "path": f"/spec/{kind}", "value": value})
    return changes


def review(request: Object, changes: list[dict[str, Any]]) -> Object:
    """The AdmissionReview that answers `request`: always allowed, with these changes."""
    response: dict[str, Any] = {"uid": request["uid"], "allowed": True}
    if changes:
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(changes).encode()).decode()}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
