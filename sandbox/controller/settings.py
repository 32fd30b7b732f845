"""What the flags say, typed and checked once: the real controller's flags, names and defaults of v3.5.0.

`FLAGS` is the one list of them. A flag that this stand-in takes but does not act on says so when it is set.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

TRACKING_TAGS = frozenset(
    {
        "elbv2.k8s.aws/cluster",
        "elbv2.k8s.aws/resource",
        *(f"{kind}.k8s.aws/{part}" for kind in ("ingress", "service") for part in ("stack", "resource")),
        *(f"gateway.k8s.aws.{kind}/{part}" for kind in ("alb", "nlb") for part in ("stack", "resource")),
    }
)

GATES: Mapping[str, bool] = {
    "ListenerRulesTagging": True,
    "WeightedTargetGroups": True,
    "ServiceTypeLoadBalancerOnly": False,
    "EndpointsFailOpen": True,
    "EnableServiceController": True,
    "EnableIPTargetType": True,
    "EnableTCPUDPListener": False,
    "EnableRGTAPI": False,
    "SubnetsClusterTagCheck": True,
    "NLBHealthCheckAdvancedConfig": True,
    "NLBSecurityGroup": True,
    "ALBSingleSubnet": False,
    "LBCapacityReservation": True,
    "SubnetDiscoveryByReachability": True,
    "NLBGatewayAPI": True,
    "ALBGatewayAPI": True,
    "GatewayListenerSet": True,
    "GlobalAcceleratorController": False,
    "IngressPlanAnnotation": False,
    "EnhancedDefaultBehavior": False,
    "EnableDefaultTagsLowPriority": False,
    "ALBTargetControlAgent": False,
    "EnableCertificateManagement": False,
}
# Gates whose setting changes nothing here: what they switch is not imitated.
IDLE_GATES = frozenset(
    {
        "EnableRGTAPI",
        "LBCapacityReservation",
        "GlobalAcceleratorController",
        "IngressPlanAnnotation",
        "ALBTargetControlAgent",
        "EnableCertificateManagement",
    }
)


class SettingsError(ValueError):
    """A flag whose value cannot be used: the message names the flag, the value and what to give instead."""


@dataclass(frozen=True)
class Flag:
    """One flag: name without dashes, kind (`str`, `int`, `bool`, `duration`, `list`, `map`, `gates`), default."""

    name: str
    kind: str
    default: Any
    help: str
    acts: bool = True

    @property
    def field(self) -> str:
        """The name under which `Settings` holds it."""
        return self.name.replace("-", "_")


def _idle(name: str, kind: str, default: Any, what: str) -> Flag:
    return Flag(name, kind, default, what, acts=False)


FLAGS: tuple[Flag, ...] = (
    Flag("cluster-name", "str", "", "The Kubernetes cluster's name, in every tag and generated name (required)."),
    Flag("ingress-class", "str", "alb", "Value of the legacy annotation kubernetes.io/ingress.class that is ours."),
    Flag("load-balancer-class", "str", "service.k8s.aws/nlb", "Services' loadBalancerClass that is ours."),
    Flag("aws-region", "str", "", "AWS region; AWS_REGION where not given."),
    Flag("aws-vpc-id", "str", "", "The cluster's VPC (required: there is no metadata service to ask)."),
    Flag("aws-api-endpoints", "map", {}, "Endpoints by service: 'EC2=URL,Elastic Load Balancing v2=URL,STS=URL'."),
    Flag("aws-max-retries", "int", 10, "How often an AWS call is tried."),
    _idle("aws-api-throttle", "str", "", "Client side limits by service and operation."),
    _idle("aws-vpc-tags", "map", {}, "Tags to look the VPC up by."),
    _idle("aws-vpc-tag-key", "str", "Name", "Deprecated."),
    _idle("aws-vpc-cache-ttl", "duration", 300.0, "How long what is known of a VPC is kept."),
    Flag("kubeconfig", "str", "", "Kubeconfig file; the pod's service account where not given."),
    Flag("watch-namespace", "str", "", "The one namespace to watch; all where empty."),
    Flag("sync-period", "duration", 36000.0, "How often everything is compared with AWS anew."),
    Flag("enable-leader-election", "bool", "true", "Only the holder of a Lease acts."),
    Flag("leader-election-id", "str", "aws-load-balancer-controller-leader", "Name of that Lease."),
    Flag("leader-election-namespace", "str", "", "Its namespace; the pod's where empty."),
    Flag("metrics-bind-addr", "str", ":8080", "Where Prometheus metrics are served; '0' serves none."),
    Flag("health-probe-bind-addr", "str", ":61779", "Where /healthz and /readyz are served."),
    Flag("webhook-bind-port", "int", 9443, "Where kube-apiserver's admission requests are answered, over TLS."),
    Flag("webhook-cert-dir", "str", "", "Folder of the serving certificate; /tmp/k8s-webhook-server/serving-certs."),
    Flag("webhook-cert-file", "str", "tls.crt", "Name of the certificate's file in it."),
    Flag("webhook-key-file", "str", "tls.key", "Name of the key's file in it."),
    _idle("kube-ca-pem-filepath", "str", "", "CA of the clients that may call the webhooks."),
    Flag("log-level", "str", "info", "info or debug."),
    Flag("default-tags", "map", {}, "Tags for everything that is made: key1=value1,key2=value2."),
    Flag("default-target-type", "str", "instance", "instance or ip."),
    Flag("default-load-balancer-scheme", "str", "internal", "internal or internet-facing."),
    Flag("default-ssl-policy", "str", "ELBSecurityPolicy-2016-08", "TLS policy of HTTPS and TLS listeners."),
    Flag("external-managed-tags", "list", (), "Tag keys that others keep: neither set nor removed."),
    Flag(
        "backend-security-group",
        "str",
        "",
        "Security group of the traffic to targets; else one is made.",
    ),
    Flag("enable-backend-security-group", "bool", "true", "Share one security group for traffic to targets."),
    Flag("enable-manage-backend-security-group-rules", "bool", "false", "Rules for targets also with given groups."),
    Flag("disable-restricted-sg-rules", "bool", "false", "Open all ports to the backend security group."),
    Flag(
        "service-target-eni-security-group-tags", "map", {}, "Tags that tell a target's security group among several."
    ),
    Flag("enable-endpoint-slices", "bool", "true", "Endpoints from EndpointSlices (the only way here)."),
    Flag(
        "enable-pod-readiness-gate-inject", "bool", "true", "Inject readiness gates into pods behind ip target groups."
    ),
    Flag("max-targets-per-target-group", "int", 0, "Register at most so many targets in a target group; 0: no limit."),
    Flag("ingress-max-concurrent-reconciles", "int", 3, "Ingress groups worked on at once."),
    Flag("service-max-concurrent-reconciles", "int", 3, "Services worked on at once."),
    Flag("targetgroupbinding-max-concurrent-reconciles", "int", 3, "TargetGroupBindings worked on at once."),
    Flag("targetgroupbinding-max-exponential-backoff-delay", "duration", 1000.0, "Longest wait after failures."),
    Flag("targetgroupbinding-requeue-duration", "duration", 15.0, "How often targets' health is asked for at most."),
    Flag(
        "tolerate-non-existent-backend-service", "bool", "true", "Answer 503 for a backend service that is not there."
    ),
    Flag("tolerate-non-existent-backend-action", "bool", "true", "Answer 503 for an action that is not there."),
    Flag("disable-ingress-class-annotation", "bool", "false", "Refuse new uses of kubernetes.io/ingress.class."),
    Flag("disable-ingress-group-name-annotation", "bool", "false", "Refuse new uses of group.name."),
    Flag("allowed-certificate-authority-arns", "list", (), "Discover certificates of these authorities only."),
    Flag("enable-wafv2", "bool", "true", "Associate WAFv2 web ACLs."),
    _idle("enable-waf", "bool", "true", "WAF Classic."),
    _idle("enable-shield", "bool", "true", "Shield Advanced."),
    _idle("default-pca-arn", "str", "", "Private CA of certificates that the controller makes."),
    _idle("required-secrets-label", "str", "", "Label that Secrets must carry to be read."),
    _idle("lb-stabilization-monitor-interval", "duration", 120.0, "Wait before capacity is reserved."),
    _idle("quic-environment-variable-name", "str", "AWS_LBC_QUIC_SERVER_ID", "Where QUIC server ids are put."),
    Flag("gateway-class-max-concurrent-reconciles", "int", 3, "GatewayClasses and configurations worked on at once."),
    Flag("alb-gateway-max-concurrent-reconciles", "int", 3, "ALB Gateways worked on at once."),
    Flag("nlb-gateway-max-concurrent-reconciles", "int", 3, "NLB Gateways worked on at once."),
    _idle("globalaccelerator-max-concurrent-reconciles", "int", 1, "GlobalAccelerators worked on at once."),
    _idle("globalaccelerator-max-exponential-backoff-delay", "duration", 1000.0, "Longest wait after failures."),
    Flag("feature-gates", "gates", {}, "Name=true|false,..."),
)

_DURATION = re.compile(r"(\d+(?:\.\d+)?)(ns|us|µs|ms|s|m|h)")
_UNITS = {"ns": 1e-9, "us": 1e-6, "µs": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0, "h": 3600.0}


def parse_duration(text: str) -> float:
    """A duration as Go writes it (`10h0m0s`, `1m30s`, `250ms`), in seconds.

    Raises:
        ValueError: it is none.
    """
    if text == "0":
        return 0.0
    if not text or _DURATION.sub("", text):
        raise ValueError(f"{text!r} is no duration: give for example 15s, 1m30s or 10h0m0s")
    return sum(float(number) * _UNITS[unit] for number, unit in _DURATION.findall(text))


def parse_map(text: str) -> dict[str, str]:
    """`key1=value1,key2=value2` as a mapping.

    Raises:
        ValueError: a part has no `=`.
    """
    pairs = [part.partition("=") for part in text.split(",") if part]
    for key, equals, _ in pairs:
        if not equals:
            raise ValueError(f"{key!r} has no value: give key1=value1,key2=value2")
    return {key.strip(): value for key, _, value in pairs}


def parse_gates(text: str) -> dict[str, bool]:
    """`Name=true,Other=false` as feature gates.

    Raises:
        ValueError: an unknown gate, or neither true nor false.
    """
    given: dict[str, bool] = {}
    for name, value in parse_map(text).items():
        if name not in GATES:
            raise ValueError(f"unknown feature: {name} (known: {', '.join(sorted(GATES))})")
        if value.lower() not in ("true", "false"):
            raise ValueError(f"feature {name}={value}: give true or false")
        given[name] = value.lower() == "true"
    return given


@dataclass(frozen=True)
class Settings:
    """The flags' values, defaults filled in; attributes are the flags' names with underscores (`FLAGS`)."""

    cluster_name: str
    aws_vpc_id: str
    aws_region: str = ""
    ingress_class: str = "alb"
    load_balancer_class: str = "service.k8s.aws/nlb"
    aws_api_endpoints: Mapping[str, str] = field(default_factory=dict)
    aws_max_retries: int = 10
    kubeconfig: str = ""
    watch_namespace: str = ""
    sync_period: float = 36000.0
    enable_leader_election: bool = True
    leader_election_id: str = "aws-load-balancer-controller-leader"
    leader_election_namespace: str = ""
    metrics_bind_addr: str = ":8080"
    health_probe_bind_addr: str = ":61779"
    webhook_bind_port: int = 9443
    webhook_cert_dir: str = ""
    webhook_cert_file: str = "tls.crt"
    webhook_key_file: str = "tls.key"
    log_level: str = "info"
    default_tags: Mapping[str, str] = field(default_factory=dict)
    default_target_type: str = "instance"
    default_load_balancer_scheme: str = "internal"
    default_ssl_policy: str = "ELBSecurityPolicy-2016-08"
    external_managed_tags: Sequence[str] = ()
    backend_security_group: str = ""
    enable_backend_security_group: bool = True
    enable_manage_backend_security_group_rules: bool = False
    disable_restricted_sg_rules: bool = False
    service_target_eni_security_group_tags: Mapping[str, str] = field(default_factory=dict)
    enable_endpoint_slices: bool = True
    enable_pod_readiness_gate_inject: bool = True
    max_targets_per_target_group: int = 0
    ingress_max_concurrent_reconciles: int = 3
    service_max_concurrent_reconciles: int = 3
    targetgroupbinding_max_concurrent_reconciles: int = 3
    gateway_class_max_concurrent_reconciles: int = 3
    alb_gateway_max_concurrent_reconciles: int = 3
    nlb_gateway_max_concurrent_reconciles: int = 3
    targetgroupbinding_max_exponential_backoff_delay: float = 1000.0
    targetgroupbinding_requeue_duration: float = 15.0
    tolerate_non_existent_backend_service: bool = True
    tolerate_non_existent_backend_action: bool = True
    disable_ingress_class_annotation: bool = False
    disable_ingress_group_name_annotation: bool = False
    allowed_certificate_authority_arns: Sequence[str] = ()
    enable_wafv2: bool = True
    feature_gates: Mapping[str, bool] = field(default_factory=dict)

    def gate(self, name: str) -> bool:
        """Whether a feature gate is on."""
        return self.feature_gates.get(name, GATES[name])

    def check(self) -> None:
        """Refuse what cannot work.

        Raises:
            SettingsError: naming flag, value and remedy.
        """
        if not self.cluster_name:
            raise SettingsError("--cluster-name is empty: give the Kubernetes cluster's name")
        if not self.aws_vpc_id:
            raise SettingsError("--aws-vpc-id is empty: give the cluster's VPC, e.g. vpc-0123456789abcdef0")
        self._one_of("default-target-type", self.default_target_type, ("instance", "ip"))
        self._one_of("default-load-balancer-scheme", self.default_load_balancer_scheme, ("internal", "internet-facing"))
        self._one_of("log-level", self.log_level, ("info", "debug"))
        if self.backend_security_group and not self.backend_security_group.startswith("sg-"):
            raise SettingsError(
                f"--backend-security-group={self.backend_security_group}: give a security group's id, sg-..."
            )
        if self.enable_manage_backend_security_group_rules and not self.enable_backend_security_group:
            raise SettingsError(
                "--enable-manage-backend-security-group-rules needs --enable-backend-security-group=true"
            )
        for flag, keys in (("default-tags", self.default_tags), ("external-managed-tags", self.external_managed_tags)):
            if taken := sorted(TRACKING_TAGS & set(keys)):
                raise SettingsError(f"--{flag}: {taken[0]} is the controller's own tag: leave it out")
        if both := sorted(set(self.default_tags) & set(self.external_managed_tags)):
            raise SettingsError(f"{both[0]} is in both --default-tags and --external-managed-tags: leave it out of one")

    @staticmethod
    def _one_of(flag: str, value: str, known: tuple[str, ...]) -> None:
        if value not in known:
            raise SettingsError(f"--{flag}={value}: give {' or '.join(known)}")
