"""What the chart makes besides: services, ingress classes, disruption budget, scaling, monitoring, cert-manager's."""

from typing import Any

from sandbox.providers.kubernetes.chart.certificates import Certificate
from sandbox.providers.kubernetes.chart.naming import CHART, Names

_CERT_MANAGER = "cert-manager.io/v1"


def services(names: Names) -> list[dict[str, Any]]:
    """The webhooks' Service and, where Prometheus is to find it, that of the metrics."""
    annotations = names.values["serviceAnnotations"]
    webhook_labels = {"app.kubernetes.io/component": "webhook", "prometheus.io/service-monitor": "false"}
    webhooks = names.metadata(names.webhook_service, labels=webhook_labels, annotations=annotations)
    made = [_service(names, webhooks, "webhook-server", 443)]
    if names.values["serviceMonitor"]["enabled"]:
        made.append(_service(names, names.metadata(names.full, annotations=annotations), "metrics-server", 8080))
    return made


def _service(names: Names, metadata: dict[str, Any], port: str, number: int) -> dict[str, Any]:
    spec = {"ports": [{"port": number, "name": port, "targetPort": port}], "selector": names.selector}
    return {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}


def ingress_classes(names: Names) -> list[dict[str, Any]]:
    """The IngressClass, and the parameters that it points to."""
    values, params = names.values, names.values["ingressClassParams"]
    if not values["createIngressClassResource"]:
        return []
    made: list[dict[str, Any]] = []
    if params["create"]:
        item = {
            "apiVersion": "elbv2.k8s.aws/v1beta1",
            "kind": "IngressClassParams",
            "metadata": names.metadata(names.ingress_class_params, cluster_wide=True),
        }
        made.append({**item, "spec": params["spec"]} if params["spec"] else item)
    default = {"ingressclass.kubernetes.io/is-default-class": "true"}
    spec: dict[str, Any] = {"controller": "ingress.k8s.aws/alb"}
    if params["name"] or (params["create"] and params["spec"]):
        reference = {"apiGroup": "elbv2.k8s.aws", "kind": "IngressClassParams", "name": names.ingress_class_params}
        spec["parameters"] = reference
    metadata = names.metadata(
        values["ingressClass"],
        cluster_wide=True,
        annotations=default if values["ingressClassConfig"]["default"] else None,
    )
    ingress_class = {"apiVersion": "networking.k8s.io/v1", "kind": "IngressClass", "metadata": metadata, "spec": spec}
    return [*made, ingress_class]


def disruption_budget(names: Names) -> list[dict[str, Any]]:
    """The PodDisruptionBudget: with one replica there is nothing to keep."""
    values = names.values
    if not values["podDisruptionBudget"] or int(values["replicaCount"] or 0) <= 1:
        return []
    spec = {"selector": {"matchLabels": names.selector}, **values["podDisruptionBudget"]}
    metadata = names.metadata(names.full)
    return [{"apiVersion": "policy/v1", "kind": "PodDisruptionBudget", "metadata": metadata, "spec": spec}]


def autoscaler(names: Names) -> list[dict[str, Any]]:
    """The HorizontalPodAutoscaler."""
    scaling = names.values["autoscaling"]
    if not scaling["enabled"]:
        return []
    spec: dict[str, Any] = {
        "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": names.full},
        "minReplicas": scaling["minReplicas"],
        "maxReplicas": scaling["maxReplicas"],
        "metrics": None,
    }
    if percent := scaling["targetCPUUtilizationPercentage"]:
        target = {"averageUtilization": percent, "type": "Utilization"}
        spec["metrics"] = [{"type": "Resource", "resource": {"name": "cpu", "target": target}}]
    if scaling["autoscaleBehavior"]:
        spec["behavior"] = scaling["autoscaleBehavior"]
    return [
        {
            "apiVersion": "autoscaling/v2",
            "kind": "HorizontalPodAutoscaler",
            "metadata": names.metadata(names.full, annotations=names.values["annotations"]),
            "spec": {key: value for key, value in spec.items() if value is not None},
        }
    ]


def service_monitor(names: Names) -> list[dict[str, Any]]:
    """The Prometheus operator's ServiceMonitor."""
    monitor = names.values["serviceMonitor"]
    if not monitor["enabled"]:
        return []
    metadata = names.metadata(names.full, labels=monitor["additionalLabels"])
    metadata["namespace"] = monitor["namespace"] or names.release.namespace
    others = {"key": "prometheus.io/service-monitor", "operator": "NotIn", "values": ["false"]}
    optional = ("interval", "scrapeTimeout", "relabelings", "metricRelabelings")
    endpoint = {"port": "metrics-server", "path": "/metrics", "scheme": "http"}
    endpoint |= {key: monitor[key] for key in optional if monitor[key]}
    spec = {
        "jobLabel": "app.kubernetes.io/instance",
        "namespaceSelector": {"matchNames": [names.release.namespace]},
        "selector": {"matchLabels": names.selector, "matchExpressions": [others]},
        "endpoints": [endpoint],
    }
    return [{"apiVersion": "monitoring.coreos.com/v1", "kind": "ServiceMonitor", "metadata": metadata, "spec": spec}]


def serving_certificate(names: Names, certificate: Certificate | None) -> list[dict[str, Any]]:
    """The Secret with the serving certificate, or what has cert-manager make it."""
    if certificate:
        secret = {"apiVersion": "v1", "kind": "Secret", "metadata": names.metadata(names.certificate)}
        return [{**secret, "type": "kubernetes.io/tls", "data": certificate.data}]
    config = names.values.get("certManager") or {}
    host = f"{names.webhook_service}.{names.release.namespace}.svc"
    signer = "root-issuer" if names.chart.root_issuer else "selfsigned-issuer"
    issuer = config.get("issuerRef") or {"kind": "Issuer", "name": f"{names.prefix}-{signer}"}
    spec = {
        "dnsNames": [host, f"{host}.{names.values['cluster']['dnsDomain']}"],
        "issuerRef": issuer,
        "secretName": names.certificate,
        **{key: config[key] for key in ("duration", "renewBefore", "revisionHistoryLimit") if config.get(key)},
    }
    serving = _issued(names, "Certificate", "serving-cert", spec)
    if config.get("issuerRef"):
        return [serving]
    signing = [_issued(names, "Issuer", "selfsigned-issuer", {"selfSigned": {}})]
    return [*signing, *(_root(names) if names.chart.root_issuer else ()), serving]


def _root(names: Names) -> list[dict[str, Any]]:
    """A CA that the self-signed issuer signs, and the issuer that uses it."""
    root = f"{names.prefix}-root-cert"
    spec = {
        "secretName": root,
        "duration": names.values["certManager"]["rootCert"]["duration"] or "43800h0m0s",
        "issuerRef": {"name": f"{names.prefix}-selfsigned-issuer"},
        "commonName": f"ca.webhook.{CHART}",
        "isCA": True,
        "subject": {"organizations": [CHART]},
    }
    return [
        _issued(names, "Certificate", "root-cert", spec),
        _issued(names, "Issuer", "root-issuer", {"ca": {"secretName": root}}),
    ]


def _issued(names: Names, kind: str, name: str, spec: dict[str, Any]) -> dict[str, Any]:
    metadata = names.metadata(f"{names.prefix}-{name}")
    return {"apiVersion": _CERT_MANAGER, "kind": kind, "metadata": metadata, "spec": spec}
