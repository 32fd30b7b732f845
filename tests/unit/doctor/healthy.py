"""A healthy cluster with an ALB and an NLB, as AWS and Kubernetes describe it; each test breaks it in one way."""

import base64
import datetime as dt
import functools
import json
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from eks_load_balancing.controller_policy import TAG, controller_policy
from eks_load_balancing.doctor.facts import Facts
from eks_load_balancing.trust import pod_identity_trust, web_identity_trust
from eks_load_balancing.versions import CONTROLLER_VERSIONS

World = dict[str, Any]

NOW = dt.datetime(2026, 11, 25, 12, 0, tzinfo=dt.UTC)
ACCOUNT, REGION, NAME, VPC = "111122223333", "us-west-2", "shop", "vpc-1"
ISSUER = "oidc.eks.us-west-2.amazonaws.com/id/ABCDEF"
PROVIDER = f"arn:aws:iam::{ACCOUNT}:oidc-provider/{ISSUER}"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/controller"
CLUSTER_ARN = f"arn:aws:eks:{REGION}:{ACCOUNT}:cluster/{NAME}"
CONTROLLER, SYSTEM = "aws-load-balancer-controller", "kube-system"
WEBHOOK_HOST = "aws-load-balancer-webhook-service.kube-system.svc"
_VERSION = "3.5.0"
_MORE = ("quicid", "alb-target-control.namespace", "alb-target-control.object")
_OWNED = f"kubernetes.io/cluster/{NAME}"
_ZONES = ("us-west-2a", "us-west-2b")


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
        **_identity(),
        **_network(),
        **_balancers(),
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
    world["role"]["AssumeRolePolicyDocument"] = _parsed(pod_identity_trust(CLUSTER_ARN, SYSTEM, CONTROLLER))
    return world


def tag(key: str, value: str) -> dict[str, str]:
    """A tag as EC2 has it."""
    return {"Key": key, "Value": value}


def named(things: list[Any], name: str) -> Any:
    """The object of a name."""
    return next(t for t in things if t["metadata"]["name"] == name)


def _parsed(document: str) -> Any:
    return json.loads(document)


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
        "crds": [_crd(name, fields) for name, fields in CONTROLLER_VERSIONS[_VERSION].crds.items()],
        "webhooks": [
            _object(
                kind,
                "aws-load-balancer-webhook",
                webhooks=[_webhook(name, authority) for name in names],
            )
            for kind, names in (
                ("MutatingWebhookConfiguration", ("mpod", "mservice", "mtargetgroupbinding", *_MORE)),
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
        "image": f"602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon/{CONTROLLER}:v{_VERSION}",
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


@functools.cache
def certificates(host: str = WEBHOOK_HOST, days: int = 700) -> tuple[str, str]:
    """An authority and a certificate of it for a host, as PEM."""
    authority, key = _certificate("authority")
    leaf, _ = _certificate(host, by=("authority", key), days=days)
    return authority, leaf


@functools.cache
def chained() -> tuple[str, str, str]:
    """An authority, an intermediate of it, and the intermediate's certificate for the webhooks, as PEM."""
    authority, key = _certificate("authority")
    intermediate, its_key = _certificate("intermediate", by=("authority", key))
    leaf, _ = _certificate(WEBHOOK_HOST, by=("intermediate", its_key))
    return authority, intermediate, leaf


def _certificate(
    subject: str, by: tuple[str, ec.EllipticCurvePrivateKey] | None = None, days: int = 700
) -> tuple[str, ec.EllipticCurvePrivateKey]:
    """A certificate as PEM, signed by another or by itself, and its key."""
    own = ec.generate_private_key(ec.SECP256R1())
    issuer, key = by or (subject, own)
    made = (
        x509.CertificateBuilder()
        .subject_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, subject[:64])]))
        .issuer_name(x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, issuer)]))
        .public_key(own.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(NOW - dt.timedelta(days=100))
        .not_valid_after(NOW + dt.timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(subject)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    return made.public_bytes(serialization.Encoding.PEM).decode(), own


# --- AWS


def _identity() -> World:
    return {
        "addons": ("vpc-cni",),
        "associations": [],
        "oidc_providers": [{"Arn": PROVIDER, "Url": ISSUER, "ClientIDList": ["sts.amazonaws.com"]}],
        "role": {
            "RoleName": "controller",
            "Arn": ROLE,
            "AssumeRolePolicyDocument": _parsed(web_identity_trust(PROVIDER, ISSUER, SYSTEM, CONTROLLER)),
        },
        "role_policies": [
            {
                "Name": "controller",
                "Arn": f"arn:aws:iam::{ACCOUNT}:policy/controller",
                "Document": _parsed(
                    controller_policy(_VERSION, "aws", NAME, REGION, VPC, disabled_features=("shield", "cognito"))
                ),
            }
        ],
        "boundary": None,
    }


def _network() -> World:
    return {
        "subnets": [
            _subnet(f"subnet-{kind}-{zone[-1]}", zone, f"10.0.{number}.0/24", role)
            for kind, role, base in (("public", "elb", 0), ("private", "internal-elb", 10))
            for number, zone in enumerate(_ZONES, base)
        ],
        "route_tables": [
            {
                "Associations": [{"SubnetId": "subnet-public-a"}, {"SubnetId": "subnet-public-b"}],
                "Routes": [{"GatewayId": "local"}, {"GatewayId": "igw-1"}],
            },
            {"Associations": [{"Main": True}], "Routes": [{"GatewayId": "local"}, {"NatGatewayId": "nat-1"}]},
        ],
        "security_groups": [
            group(
                "sg-cluster",
                [tag(_OWNED, "owned")],
                [
                    {"IpProtocol": "-1", "UserIdGroupPairs": [{"GroupId": "sg-cluster"}]},
                    {
                        "IpProtocol": "tcp",
                        "FromPort": 8080,
                        "ToPort": 8080,
                        "UserIdGroupPairs": [{"GroupId": "sg-backend"}],
                    },
                ],
            ),
            group("sg-backend", [tag(TAG, NAME), tag("elbv2.k8s.aws/resource", "backend-sg")]),
            group("sg-alb", [tag(TAG, NAME), tag("ingress.k8s.aws/stack", "alb/web")]),
            group("sg-other", []),
        ],
        "network_interfaces": [
            _interface("a", "10.0.10.4", [f"10.0.10.{n}" for n in (5, 6)], ["10.0.10.7/32"]),
            _interface("b", "10.0.11.4", [f"10.0.11.{n}" for n in (5, 6, 7)], []),
            {
                "NetworkInterfaceId": "eni-alb",
                "Description": "ELB app/alb/1",
                "Status": "in-use",
                "Groups": [{"GroupId": "sg-backend"}],
                "TagSet": [tag(TAG, NAME)],
                "PrivateIpAddresses": [{"PrivateIpAddress": "10.0.10.9"}],
            },
        ],
        "instances": [
            {
                "InstanceId": f"i-{zone[-1]}",
                "SubnetId": f"subnet-private-{zone[-1]}",
                "MetadataOptions": {"HttpEndpoint": "enabled", "HttpPutResponseHopLimit": 1},
            }
            for zone in _ZONES
        ],
    }


def _subnet(identity: str, zone: str, cidr: str, role: str) -> dict[str, Any]:
    return {
        "SubnetId": identity,
        "AvailabilityZone": zone,
        "CidrBlock": cidr,
        "AvailableIpAddressCount": 200,
        "VpcId": VPC,
        "Tags": [tag(f"kubernetes.io/role/{role}", "1")],
    }


def group(identity: str, given: list[dict[str, str]], rules: list[dict[str, Any]] | None = None) -> dict[str, Any]:
    """A security group."""
    return {"GroupId": identity, "GroupName": identity, "VpcId": VPC, "Tags": given, "IpPermissions": rules or []}


def _interface(letter: str, own: str, more: list[str], prefixes: list[str]) -> dict[str, Any]:
    return {
        "NetworkInterfaceId": f"eni-{letter}",
        "Description": "",
        "Status": "in-use",
        "Attachment": {"InstanceId": f"i-{letter}", "DeviceIndex": 0},
        "Groups": [{"GroupId": "sg-cluster"}],
        "PrivateIpAddresses": [{"PrivateIpAddress": address} for address in (own, *more)],
        "Ipv4Prefixes": [{"Ipv4Prefix": prefix} for prefix in prefixes],
        "TagSet": [tag(_OWNED, "owned")],
    }


def host(name: str) -> str:
    """A load balancer's DNS name."""
    return f"internal-{name}-1.us-west-2.elb.amazonaws.com"


def balancer_arn(name: str) -> str:
    kind = "app" if name == "alb" else "net"
    return f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:loadbalancer/{kind}/{name}/1"


def group_arn(name: str) -> str:
    return f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/{name}/1"


def balancer(name: str, vpc: str = VPC) -> dict[str, Any]:
    """A load balancer, and `target_group` its group."""
    return {
        "LoadBalancerArn": balancer_arn(name),
        "LoadBalancerName": name,
        "DNSName": host(name),
        "Type": "application" if name == "alb" else "network",
        "Scheme": "internal",
        "State": {"Code": "active"},
        "VpcId": vpc,
        "SecurityGroups": ["sg-backend"],
        "AvailabilityZones": [{"SubnetId": "subnet-private-a"}, {"SubnetId": "subnet-private-b"}],
    }


def target_group(name: str, vpc: str = VPC) -> dict[str, Any]:
    return {
        "TargetGroupArn": group_arn(name),
        "TargetGroupName": name,
        "TargetType": "ip",
        "VpcId": vpc,
        "LoadBalancerArns": [balancer_arn(name)],
        "HealthCheckProtocol": "HTTP",
        "HealthCheckPath": "/",
        "HealthCheckPort": "traffic-port",
    }


def _balancers() -> World:
    addresses = {"alb": ("10.0.10.6", "10.0.11.6"), "nlb": ("10.0.10.7", "10.0.11.7")}
    stack = {"alb": {"ingress.k8s.aws/stack": "alb/web"}, "nlb": {"service.k8s.aws/stack": "nlb/web"}}
    forward = {name: [{"Type": "forward", "TargetGroupArn": group_arn(name)}] for name in addresses}
    return {
        "load_balancers": [balancer(name) for name in addresses],
        "target_groups": [target_group(name) for name in addresses],
        "tags": {arn(name): {TAG: NAME, **stack[name]} for name in addresses for arn in (balancer_arn, group_arn)},
        "limits": {"targets-per-network-load-balancer": 3000},
        "attributes": {balancer_arn("nlb"): {"load_balancing.cross_zone.enabled": "true"}},
        "listeners": {
            balancer_arn(name): (
                {"ListenerArn": f"{name}-80", "Protocol": "HTTP", "Port": 80, "DefaultActions": forward[name]},
            )
            for name in addresses
        },
        "rules": {f"{name}-80": ({"IsDefault": True, "Actions": forward[name]},) for name in addresses},
        "health": {
            group_arn(name): [
                {"Target": {"Id": address, "Port": 8080}, "TargetHealth": {"State": "healthy"}} for address in pair
            ]
            for name, pair in addresses.items()
        },
    }
