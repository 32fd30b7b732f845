"""Admission requests answered: which webhook is at which path, and its decision in Kubernetes' shape."""

import base64
import json
import logging
from collections.abc import Callable

import jsonpatch
from botocore.exceptions import BotoCoreError, ClientError

from sandbox.controller.annotations import AnnotationError
from sandbox.controller.deploy.aws import Aws
from sandbox.controller.model.objects import Objects
from sandbox.controller.model.stack import Json, ModelError
from sandbox.controller.settings import Settings
from sandbox.controller.webhooks import mutate, validate

log = logging.getLogger(__name__)


class Admission:
    """Decides about objects before they are written."""

    def __init__(self, objects: Objects, aws: Aws, settings: Settings, synced: Callable[[], bool]) -> None:
        """Decide by the cluster's `objects` and AWS's target groups; nothing before the cache is `synced`."""
        self._synced = synced
        described = mutate.Described(aws)
        self._mutators: dict[str, Callable[[Json], Json]] = {
            "/mutate-v1-pod": lambda request: mutate.pod(request, objects, settings),
            "/mutate-v1-service": lambda request: mutate.service(request, settings),
            "/mutate-elbv2-k8s-aws-v1beta1-targetgroupbinding": lambda request: mutate.binding(request, described),
        }
        self._validators: dict[str, Callable[[Json], None]] = {
            "/validate-elbv2-k8s-aws-v1beta1-targetgroupbinding": lambda request: validate.binding(
                request, objects, described, settings
            ),
            "/validate-elbv2-k8s-aws-v1beta1-ingressclassparams": validate.class_params,
            "/validate-networking-v1-ingress": lambda request: validate.ingress(request, objects, settings),
        }

    def knows(self, path: str) -> bool:
        """Whether there is a webhook at a path."""
        return path in self._mutators or path in self._validators

    def answer(self, path: str, request: Json) -> Json:
        """The `response` of an AdmissionReview."""
        uid = request.get("uid", "")
        if not self._synced():
            return _refused(uid, 500, "the controller has not listed the cluster yet")
        try:
            if path in self._mutators:
                return _allowed(uid, _patch(request, self._mutators[path](request)))
            if request.get("operation") in ("CREATE", "UPDATE"):
                self._validators[path](request)
            return _allowed(uid, [])
        except mutate.RefusedError as error:
            return _refused(uid, 400, str(error))
        except (ModelError, AnnotationError) as error:
            return _refused(uid, 403, str(error))
        except (ClientError, BotoCoreError) as error:
            return _refused(uid, 403, str(error))


def _patch(request: Json, wanted: Json) -> list[Json]:
    return list(jsonpatch.make_patch(request.get("object") or {}, wanted))


def _allowed(uid: str, patch: list[Json]) -> Json:
    answer: Json = {"uid": uid, "allowed": True}
    if patch:
        answer |= {"patchType": "JSONPatch", "patch": base64.b64encode(json.dumps(patch).encode()).decode()}
    return answer


def _refused(uid: str, status: int, message: str) -> Json:
    reason = {403: "Forbidden", 400: "BadRequest"}.get(status, "InternalError")
    return {"uid": uid, "allowed": False, "status": {"code": status, "message": message, "reason": reason}}
