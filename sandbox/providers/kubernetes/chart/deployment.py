"""The controller's Deployment."""

from collections.abc import Mapping
from typing import Any, Final

from sandbox.providers.kubernetes.chart.naming import CHART, Names, listed, written

_CERTIFICATES: Final = "/tmp/k8s-webhook-server/serving-certs"  # noqa: S108 - a path in the container, the controller's default
_METRICS_PORT, _WEBHOOK_PORT = 8080, 9443

# The controller's flags, in the chart's order, and the value that each is given.
_FLAGS: Final = (
    ("cluster-name", "clusterName"),
    ("ingress-class", "ingressClass"),
    ("aws-region", "region"),
    ("aws-vpc-id", "vpcId"),
    ("aws-api-endpoints", "awsApiEndpoints"),
    ("aws-api-throttle", "awsApiThrottle"),
    ("aws-max-retries", "awsMaxRetries"),
    ("enable-pod-readiness-gate-inject", "enablePodReadinessGateInject"),
    ("enable-shield", "enableShield"),
    ("enable-waf", "enableWaf"),
    ("enable-wafv2", "enableWafv2"),
    ("metrics-bind-addr", "metricsBindAddr"),
    ("ingress-max-concurrent-reconciles", "ingressMaxConcurrentReconciles"),
    ("service-max-concurrent-reconciles", "serviceMaxConcurrentReconciles"),
    ("targetgroupbinding-max-concurrent-reconciles", "targetgroupbindingMaxConcurrentReconciles"),
    ("targetgroupbinding-max-exponential-backoff-delay", "targetgroupbindingMaxExponentialBackoffDelay"),
    ("targetgroupbinding-requeue-duration", "targetgroupbindingRequeueDuration"),
    ("alb-gateway-max-concurrent-reconciles", "albGatewayMaxConcurrentReconciles"),
    ("nlb-gateway-max-concurrent-reconciles", "nlbGatewayMaxConcurrentReconciles"),
    ("globalaccelerator-max-concurrent-reconciles", "globalAcceleratorMaxConcurrentReconciles"),
    ("globalaccelerator-max-exponential-backoff-delay", "globalAcceleratorMaxExponentialBackoffDelay"),
    ("lb-stabilization-monitor-interval", "lbStabilizationMonitorInterval"),
    ("log-level", "logLevel"),
    ("webhook-bind-port", "webhookBindPort"),
    ("sync-period", "syncPeriod"),
    ("watch-namespace", "watchNamespace"),
    ("disable-ingress-class-annotation", "disableIngressClassAnnotation"),
    ("disable-ingress-group-name-annotation", "disableIngressGroupNameAnnotation"),
    ("tolerate-non-existent-backend-service", "tolerateNonExistentBackendService"),
    ("tolerate-non-existent-backend-action", "tolerateNonExistentBackendAction"),
    ("default-ssl-policy", "defaultSSLPolicy"),
    ("external-managed-tags", "externalManagedTags"),
    ("default-tags", "defaultTags"),
    ("enable-endpoint-slices", "enableEndpointSlices"),
    ("enable-backend-security-group", "enableBackendSecurityGroup"),
    ("enable-manage-backend-security-group-rules", "enableManageBackendSecurityGroupRules"),
    ("backend-security-group", "backendSecurityGroup"),
    ("disable-restricted-sg-rules", "disableRestrictedSecurityGroupRules"),
    ("feature-gates", "controllerConfig.featureGates"),
    ("default-target-type", "defaultTargetType"),
    ("default-load-balancer-scheme", "defaultLoadBalancerScheme"),
    ("service-target-eni-security-group-tags", "serviceTargetENISGTags"),
    ("allowed-certificate-authority-arns", "certDiscovery.allowedCertificateAuthorityARNs"),
    ("load-balancer-class", "loadBalancerClass"),
    ("aws-vpc-tags", "vpcTags"),
    ("max-targets-per-target-group", "maxTargetsPerTargetGroup"),
    ("default-pca-arn", "certManagement.defaultPCAARN"),
)


def deployment(names: Names) -> dict[str, Any]:
    """The Deployment; the order of the controller's arguments is the chart's."""
    values = names.values
    spec: dict[str, Any] = {
        "revisionHistoryLimit": values["revisionHistoryLimit"],
        "selector": {"matchLabels": names.selector},
        "template": {"metadata": _pod_metadata(names), "spec": _pod(names)},
        **_given(strategy=values["updateStrategy"]),
    }
    if not values["autoscaling"]["enabled"]:
        spec["replicas"] = values["replicaCount"]
    return {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": names.metadata(names.full, annotations=values["deploymentAnnotations"]),
        "spec": spec,
    }


def arguments(values: Mapping[str, Any]) -> list[str]:
    """The controller's arguments: a flag for each value that was given, for a switch also when it is false."""
    result: list[str] = []
    for flag, path in _FLAGS:
        section, _, key = path.rpartition(".")
        value = (values.get(section, {}) if section else values).get(key)  # older charts lack some
        if not (value or value is False) or (path == "defaultTargetType" and value == "instance"):
            continue
        if isinstance(value, Mapping):
            value = listed(value)
        elif isinstance(value, list):
            value = ",".join(written(item) for item in value)
        result.append(f"--{flag}={written(value)}")
    return result


def _pod_metadata(names: Names) -> dict[str, Any]:
    values = names.values
    scraped = {"prometheus.io/scrape": "true", "prometheus.io/port": str(_metrics_port(values))}
    annotations = {**({} if values["serviceMonitor"]["enabled"] else scraped), **(values["podAnnotations"] or {})}
    return {"labels": {**names.selector, **(values["podLabels"] or {})}, **_given(annotations=annotations)}


def _pod(names: Names) -> dict[str, Any]:
    values = names.values
    certificate = {"name": "cert", "secret": {"defaultMode": 0o644, "secretName": names.certificate}}
    return {
        "serviceAccountName": names.service_account,
        "volumes": [certificate, *(values["extraVolumes"] or ())],
        "containers": [_container(names)],
        "terminationGracePeriodSeconds": values["terminationGracePeriodSeconds"],
        **_given(
            imagePullSecrets=values["imagePullSecrets"],
            securityContext=values["podSecurityContext"],
            hostNetwork=values["hostNetwork"],
            dnsPolicy=values["dnsPolicy"],
            nodeSelector=values["nodeSelector"],
            affinity=values["affinity"] or (_apart(names) if values["configureDefaultAffinity"] else None),
            tolerations=values["tolerations"],
            priorityClassName=values["priorityClassName"],
            topologySpreadConstraints=values["topologySpreadConstraints"],
        ),
    }


def _container(names: Names) -> dict[str, Any]:
    values = names.values
    image, ports = values["image"], {"webhook-server": values["webhookBindPort"] or _WEBHOOK_PORT}
    ports["metrics-server"] = _metrics_port(values)
    certificate = {"mountPath": _CERTIFICATES, "name": "cert", "readOnly": True}
    return {
        "name": CHART,
        "image": f"{image['repository']}:{image['tag']}",
        "imagePullPolicy": image["pullPolicy"],
        "args": arguments(values),
        "volumeMounts": [certificate, *(values["extraVolumeMounts"] or ())],
        "ports": [{"name": name, "containerPort": int(port), "protocol": "TCP"} for name, port in ports.items()],
        "resources": values["resources"] or {},
        **_given(
            env=_environment(values),
            envFrom=values["envFrom"],
            securityContext=values["securityContext"],
            livenessProbe=values["livenessProbe"],
            readinessProbe=values["readinessProbe"],
        ),
    }


def _environment(values: Mapping[str, Any]) -> list[dict[str, Any]]:
    result: list[dict[str, Any]] = [
        {"name": name, "value": written(value)} for name, value in sorted((values["env"] or {}).items())
    ]
    if secret := values["envSecretName"]:
        for name, key in (("AWS_ACCESS_KEY_ID", "key_id"), ("AWS_SECRET_ACCESS_KEY", "access_key")):
            reference = {"name": secret, "key": key, "optional": True}
            result.append({"name": name, "valueFrom": {"secretKeyRef": reference}})
    return result


def _apart(names: Names) -> dict[str, Any]:
    """The default affinity: rather no two replicas on one node."""
    controllers = {"key": "app.kubernetes.io/name", "operator": "In", "values": [names.app]}
    term = {"labelSelector": {"matchExpressions": [controllers]}, "topologyKey": "kubernetes.io/hostname"}
    preferred = [{"weight": 100, "podAffinityTerm": term}]
    return {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": preferred}}


def _metrics_port(values: Mapping[str, Any]) -> int:
    return int((values["metricsBindAddr"] or "").partition(":")[2] or _METRICS_PORT)


def _given(**fields: Any) -> dict[str, Any]:
    """The fields that have a value: the chart leaves empty ones out."""
    return {name: value for name, value in fields.items() if value}
