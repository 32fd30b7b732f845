"""The Gateway API: a Gateway that becomes an ALB, a route, and pods behind it."""

from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from eks_load_balancing import ClusterReference, LoadBalancerController

GATEWAY_API, OWN = "gateway.networking.k8s.io/v1", "gateway.k8s.aws/v1beta1"
NAME, LABELS, IMAGE = "pages", {"app": "pages"}, "public.ecr.aws/nginx/nginx:stable"

config = pulumi.Config()
cluster = ClusterReference.lookup(config.require("cluster"))
crds = kubernetes.yaml.v2.ConfigGroup(
    "crds", files=[config.require("crds")], opts=pulumi.ResourceOptions(provider=cluster.provider)
)
controller = LoadBalancerController(
    # It looks for the CRDs once, when it starts.
    "controller",
    {**cluster.arguments, "version": config.require("controllerVersion")},
    pulumi.ResourceOptions(provider=cluster.provider, depends_on=[crds]),
)


def resource(api: str, kind: str, name: str, spec: dict[str, Any], *after: pulumi.Resource) -> pulumi.Resource:
    """An object for the controller, which has to outlive it."""
    opts = pulumi.ResourceOptions(provider=cluster.provider, depends_on=[controller, *after])
    return kubernetes.apiextensions.CustomResource(
        f"{kind}-{name}".lower(), api_version=api, kind=kind, metadata={"name": name}, spec=spec, opts=opts
    )


gateway_class = resource(GATEWAY_API, "GatewayClass", "alb", {"controllerName": "gateway.k8s.aws/alb"})
scheme = resource(OWN, "LoadBalancerConfiguration", "edge", {"scheme": "internal"})
by_address = {"targetReference": {"name": NAME}, "defaultConfiguration": {"targetType": "ip"}}
targets = resource(OWN, "TargetGroupConfiguration", NAME, by_address)
listener = {"name": "http", "protocol": "HTTP", "port": 80}
parameters = {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": "edge"}
gateway = {"gatewayClassName": "alb", "listeners": [listener], "infrastructure": {"parametersRef": parameters}}
edge = resource(GATEWAY_API, "Gateway", "edge", gateway, gateway_class, scheme)
to_pods = {"parentRefs": [{"name": "edge"}], "rules": [{"backendRefs": [{"name": NAME, "port": 80}]}]}
route = resource(GATEWAY_API, "HTTPRoute", NAME, to_pods, edge, targets)

on_cluster = pulumi.ResourceOptions(provider=cluster.provider, depends_on=[controller])
kubernetes.core.v1.Service(
    NAME,
    metadata={"name": NAME},
    spec={"selector": LABELS, "ports": [{"port": 80, "target_port": 8080}]},
    opts=on_cluster,
)
kubernetes.apps.v1.Deployment(
    NAME,
    metadata={"name": NAME},
    spec={
        "replicas": 2,
        "selector": {"match_labels": LABELS},
        "template": {
            "metadata": {"labels": LABELS},
            "spec": {
                "containers": [{"name": NAME, "image": IMAGE, "ports": [{"container_port": 8080}]}],
            },
        },
    },
    opts=on_cluster,
)

pulumi.export("controllerRoleArn", controller.role_arn)
