"""A healthy cluster with an ALB and an NLB, as AWS and Kubernetes describe it; each test breaks it in one way."""

import base64
import datetime as dt
from typing import Any

from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.identity.trust import pod_identity_trust
from eks_load_balancing.versions import CONTROLLER_VERSIONS
from tests.unit.doctor.certificates import certificates
from tests.unit.doctor.healthy_aws import (
    CLUSTER_ARN,
    CONTROLLER,
    ISSUER,
    MORE,
    NAME,
    NOW,
    REGION,
    ROLE,
    SYSTEM,
    VERSION,
    VPC,
    World,
    balancers,
    group_arn,
    host,
    identity,
    network,
    parsed,
)


def facts(world: World) -> Facts:
    """The facts of a world."""
    given: World = {k: tuple(v) if isinstance(v, list) else v for k, v in world.items()}
    return Facts(**given)


def healthy() -> World:
    """A world without a fault; the controller gets its role by IRSA."""
    return {
        "now": NOW,
        "cluster": {
            "name": NAME,
            "arn": CLUSTER_ARN,
            "identity": {"oidc": {"issuer": f"https://{ISSUER}"}},
            "resourcesVpcConfig": {
                "vpcId": VPC,
                "subnetIds": ["subnet-private-a", "subnet-private-b"],
                "clusterSecurityGroupId": "sg-cluster",
                "securityGroupIds": [],
            },
        },
        **_kubernetes(),
        **identity(),
        **network(),
        **balancers(),
    }


def healthy_with_pod_identity() -> World:
    """The same, but the controller gets its role by EKS Pod Identity."""
    world = healthy()
    world["service_account"]["metadata"]["annotations"] = {}
    world["associations"] = [{"roleArn": ROLE, "namespace": SYSTEM, "serviceAccount": CONTROLLER}]
    world["addons"] = ("vpc-cni", "eks-pod-identity-agent")
    world["oidc_providers"] = []
    for one in world["pods"][:2]:
        one["spec"]["containers"][0]["env"] = [{"name": "AWS_CONTAINER_CREDENTIALS_FULL_URI", "value": "http://169"}]
    world["role"]["AssumeRolePolicyDocument"] = parsed(pod_identity_trust(CLUSTER_ARN, SYSTEM, CONTROLLER))
    return world


def named(things: list[Any], name: str) -> Any:
    """The object of a name."""
    return next(t for t in things if t["metadata"]["name"] == name)


# --- Kubernetes


def _object(kind: str, name: str, namespace: str = "", **rest: Any) -> dict[str, Any]:
    meta: dict[str, Any] = {"name": name, "annotations": {}, "labels": {}, "finalizers": []}
    return {"kind": kind, "metadata": {**meta, **({"namespace": namespace} if namespace else {})}, **rest}


def pod(name: str, namespace: str, address: str) -> dict[str, Any]:
    """A pod that is ready."""
    conditions = [{"type": kind, "status": "True"} for kind in ("PodScheduled", "ContainersReady", "Ready")]
    status = {"phase": "Running", "podIP": address, "conditions": conditions}
    spec = {"containers": [{"name": "web", "ports": [{"name": "http", "containerPort": 8080}]}]}
    made = _object("Pod", name, namespace, spec=spec, status=status)
    made["metadata"]["labels"] = {"app": "web"}
    return made


def _controllers_pod(name: str, address: str) -> dict[str, Any]:
    made = pod(name, SYSTEM, address)
    made["metadata"]["labels"] = {"app": CONTROLLER}
    made["spec"]["containers"][0]["env"] = [{"name": "AWS_ROLE_ARN", "value": ROLE}]
    return made


def _slice(service: str, namespace: str, *addresses: str) -> dict[str, Any]:
    made = _object(
        "EndpointSlice",
        f"{service}-1",
        namespace,
        endpoints=[{"addresses": [a], "conditions": {"ready": True}} for a in addresses],
        ports=[{"name": "http", "port": 8080, "protocol": "TCP"}],
    )
    made["metadata"]["labels"] = {"kubernetes.io/service-name": service}
    return made


def _binding(name: str, namespace: str, service: str) -> dict[str, Any]:
    made = _object("TargetGroupBinding", name, namespace)
    made["metadata"]["finalizers"] = ["elbv2.k8s.aws/resources"]
    return {
        **made,
        "spec": {"targetGroupARN": group_arn(name), "targetType": "ip", "serviceRef": {"name": service, "port": 80}},
    }


def _kubernetes() -> World:
    backend = {"service": {"name": "web", "port": {"number": 80}}}
    ingress = _object("Ingress", "web", "alb", spec={"ingressClassName": "alb", "defaultBackend": backend})
    ingress["metadata"]["finalizers"] = ["ingress.k8s.aws/resources"]
    ingress["status"] = {"loadBalancer": {"ingress": [{"hostname": host("alb")}]}}
    webhooks = _service("aws-load-balancer-webhook-service", SYSTEM)
    webhooks["spec"]["selector"] = {"app": CONTROLLER}
    service = _service("web", "nlb")
    service["spec"] |= {"type": "LoadBalancer", "loadBalancerClass": "service.k8s.aws/nlb"}
    service["metadata"]["finalizers"] = ["service.k8s.aws/resources"]
    service["status"] = {"loadBalancer": {"ingress": [{"hostname": host("nlb")}]}}
    account = _object("ServiceAccount", CONTROLLER, SYSTEM)
    account["metadata"]["annotations"] = {"eks.amazonaws.com/role-arn": ROLE}
    authority, certificate = certificates()
    return {
        "pods": [
            _controllers_pod("controller-1", "10.0.10.5"),
            _controllers_pod("controller-2", "10.0.11.5"),
            pod("web-alb-1", "alb", "10.0.10.6"),
            pod("web-alb-2", "alb", "10.0.11.6"),
            pod("web-nlb-1", "nlb", "10.0.10.7"),
            pod("web-nlb-2", "nlb", "10.0.11.7"),
        ],
        "services": [_service("web", "alb"), service, webhooks],
        "endpoint_slices": [
            _slice("web", "alb", "10.0.10.6", "10.0.11.6"),
            _slice("web", "nlb", "10.0.10.7", "10.0.11.7"),
            _slice("aws-load-balancer-webhook-service", SYSTEM, "10.0.10.5", "10.0.11.5"),
        ],
        "ingresses": [ingress],
        "ingress_classes": [
            _object(
                "IngressClass",
                "alb",
                spec={"controller": "ingress.k8s.aws/alb", "parameters": {"kind": "IngressClassParams", "name": "alb"}},
            )
        ],
        "ingress_class_params": [_object("IngressClassParams", "alb", spec={})],
        "bindings": [_binding("alb", "alb", "web"), _binding("nlb", "nlb", "web")],
        "gateways": [],
        "network_policies": [],
        "namespaces": [_namespace(name) for name in ("alb", "nlb")] + [_object("Namespace", "default")],
        "workloads": [],
        "secret_keys": {},
        "deployments": [_deployment()],
        "service_account": account,
        "crds": [_crd(name, fields) for name, fields in CONTROLLER_VERSIONS[VERSION].crds.items()],
        "webhooks": [
            _object(
                kind,
                "aws-load-balancer-webhook",
                webhooks=[_webhook(name, authority) for name in names],
            )
            for kind, names in (
                ("MutatingWebhookConfiguration", ("mpod", "mservice", "mtargetgroupbinding", *MORE)),
                ("ValidatingWebhookConfiguration", ("vingress", "vingressclassparams", "vtargetgroupbinding")),
            )
        ],
        "serving_certificate": certificate,
        "events": [event("Service", "nlb", "web", severity="Normal", reason="SuccessfullyReconciled", at=NOW)],
    }


def _namespace(name: str) -> dict[str, Any]:
    made = _object("Namespace", name)
    made["metadata"]["labels"] = {"elbv2.k8s.aws/pod-readiness-gate-inject": "enabled"}
    return made


def event(kind: str, namespace: str, name: str, *, severity: str, reason: str, at: dt.datetime) -> dict[str, Any]:
    """An event."""
    about = {"kind": kind, "namespace": namespace, "name": name}
    return {
        "involvedObject": about,
        "type": severity,
        "reason": reason,
        "message": "m",
        "source": {"component": kind[0].lower() + kind[1:]},
        "lastTimestamp": at.isoformat(),
    }


def warning(kind: str, namespace: str, at: dt.datetime) -> World:
    """A Warning of the controller's."""
    return event(kind, namespace, "web", severity="Warning", reason="FailedBuildModel", at=at)


def _service(name: str, namespace: str) -> dict[str, Any]:
    spec = {"type": "ClusterIP", "selector": {"app": "web"}, "ports": [{"name": "http", "port": 80}]}
    return _object("Service", name, namespace, spec=spec)


def _deployment() -> dict[str, Any]:
    container = {
        "name": CONTROLLER,
        "image": f"602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon/{CONTROLLER}:v{VERSION}",
        "args": [f"--cluster-name={NAME}", f"--aws-region={REGION}", f"--aws-vpc-id={VPC}", "--enable-shield=false"],
    }
    spec = {
        "serviceAccountName": CONTROLLER,
        "containers": [container],
        "volumes": [{"name": "cert", "secret": {"secretName": "aws-load-balancer-tls"}}],
    }
    return _object(
        "Deployment",
        CONTROLLER,
        SYSTEM,
        spec={"replicas": 2, "selector": {"matchLabels": {"app": CONTROLLER}}, "template": {"spec": spec}},
        status={"readyReplicas": 2},
    )


def _crd(name: str, fields: frozenset[str]) -> dict[str, Any]:
    schema = {"properties": {"spec": {"properties": {field: {} for field in fields}}}}
    version = {"name": "v1beta1", "storage": True, "schema": {"openAPIV3Schema": schema}}
    return _object("CustomResourceDefinition", name, spec={"versions": [version]})


def _webhook(name: str, authority: str) -> dict[str, Any]:
    service = {"namespace": SYSTEM, "name": "aws-load-balancer-webhook-service"}
    return {
        "name": f"{name}.elbv2.k8s.aws",
        "clientConfig": {"service": service, "caBundle": base64.b64encode(authority.encode()).decode()},
    }
