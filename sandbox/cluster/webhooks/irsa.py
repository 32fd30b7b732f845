"""IRSA's webhook: if a pod's service account names a role, the pod gets a token for it and variables with its path.

Like EKS's webhook: the annotation `eks.amazonaws.com/role-arn` on the service account puts a projected token, its path
and the role's ARN into every container. https://github.com/aws/amazon-eks-pod-identity-webhook
"""

import base64
import json
from typing import Any

from sandbox.cluster.api import Object
from sandbox.cluster.webhooks.injection import PREFIX, Injection, expiration, inject

_VOLUME = "aws-iam-token"
_MOUNT = "/var/run/secrets/eks.amazonaws.com/serviceaccount"
_AUDIENCE = "sts.amazonaws.com"
_FILE = "token"
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


def patch(pod: Object, service_account: Object | None, region: str) -> list[dict[str, Any]]:
    """The webhook's changes to a new pod, as a JSON patch; empty if its service account names no role.

    Args:
        pod: the pod that will be created.
        service_account: its service account, None if it does not exist.
        region: the cluster's region.
    """
    annotations = ((service_account or {}).get("metadata", {}).get("annotations")) or {}
    role = annotations.get(f"{PREFIX}/role-arn")
    if not role:
        return []
    regional = annotations.get(f"{PREFIX}/sts-regional-endpoints", "true") != "false"
    variables = {
        "AWS_DEFAULT_REGION": region,
        "AWS_REGION": region,
        "AWS_ROLE_ARN": role,
        "AWS_WEB_IDENTITY_TOKEN_FILE": f"{_MOUNT}/{_FILE}",
        "AWS_STS_REGIONAL_ENDPOINTS": "regional" if regional else "legacy",
    }
    audience = annotations.get(f"{PREFIX}/audience", _AUDIENCE)
    seconds = expiration({**annotations, **(pod["metadata"].get("annotations") or {})})
    return inject(pod, Injection(_VOLUME, _MOUNT, audience, _FILE, variables, seconds))


def review(request: Object, changes: list[dict[str, Any]]) -> Object:
    """The AdmissionReview that answers `request`: always allowed, with these changes."""
    response: dict[str, Any] = {"uid": request["uid"], "allowed": True}
    if changes:
        response |= {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(changes).encode()).decode()}
    return {"apiVersion": "admission.k8s.io/v1", "kind": "AdmissionReview", "response": response}
