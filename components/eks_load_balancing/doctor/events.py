"""The controller's reports, as events: which events are its own, and which came last. Pure.

https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/main/pkg/k8s/events.go
"""

import datetime as dt
from typing import Final

from eks_load_balancing.doctor.facts import Facts, Object

SUCCEEDED: Final = "SuccessfullyReconciled"
_COMPONENTS: Final = (
    "ingress",
    "service",
    "targetGroupBinding",
    "globalAccelerator",
    "gateway.k8s.aws/alb",
    "gateway.k8s.aws/nlb",
)
"""The controller's name in its events."""
_REASONS: Final = (
    SUCCEEDED,
    "BackendNotFound",
    "ConflictingIngressClass",
    "FailedAddFinalizer",
    "FailedBuildModel",
    "FailedCleanup",
    "FailedCleanupStatus",
    "FailedDeleteRoutesAttached",
    "FailedDeploy",
    "FailedDeployModel",
    "FailedEndpointLoad",
    "FailedLoadGroupID",
    "FailedNetworkReconcile",
    "FailedReconcile",
    "FailedRemoveFinalizer",
    "FailedUpdateStatus",
    "WarningEndpoints",
)


def moment(text: str | None) -> dt.datetime:
    """Return a time as Kubernetes writes it; long ago for none."""
    return dt.datetime.fromisoformat(text) if text else dt.datetime.min.replace(tzinfo=dt.UTC)


def time_of(event: Object) -> dt.datetime:
    """Return when an event was last seen."""
    series = (event.get("series") or {}).get("lastObservedTime")
    return max(
        moment(text)
        for text in (series, event.get("lastTimestamp"), event.get("eventTime"), event.get("firstTimestamp"))
    )


def is_the_controllers(event: Object) -> bool:
    """Return whether an event is the load balancer controller's: other components report on the same objects."""
    component = (event.get("source") or {}).get("component") or event.get("reportingComponent")
    return event.get("reason") in _REASONS and (not component or component in _COMPONENTS)


def last_reports(facts: Facts) -> dict[tuple[str, str, str], Object]:
    """Return the controller's last event on each object: kind, namespace, name -> event."""
    found: dict[tuple[str, str, str], Object] = {}
    for event in sorted(filter(is_the_controllers, facts.events), key=time_of):
        about = event["involvedObject"]
        found[about["kind"], about.get("namespace", ""), about["name"]] = event
    return found


def text_of(event: Object) -> str:
    """Return an event in one line: `FailedBuildModel: Failed build model due to ...`."""
    return f"{event['reason']}: {' '.join(event.get('message', '').split())}"
