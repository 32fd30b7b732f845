"""The remedy for each text of the controller's Warnings. Pure.

Texts are the errors that the controller's model builders and deployers return (`pkg/ingress`, `pkg/service`,
`pkg/networking`, `pkg/certs`, `pkg/deploy`); codes are those of Elastic Load Balancing and EC2.
https://github.com/kubernetes-sigs/aws-load-balancer-controller
https://docs.aws.amazon.com/elasticloadbalancing/latest/APIReference/API_CreateLoadBalancer.html
"""

import re
from collections.abc import Callable
from typing import Final

from eks_load_balancing.doctor.events import text_of
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.faults import REFRESH, Remedy, reported, restart
from eks_load_balancing.doctor.lookups import annotations_of, called, first, key
from eks_load_balancing.doctor.paths.network import public_subnets

ROLE_TAGS: Final = {"internet-facing": "kubernetes.io/role/elb", "internal": "kubernetes.io/role/internal-elb"}
_SCHEME: Final = ("alb.ingress.kubernetes.io/scheme", "service.beta.kubernetes.io/aws-load-balancer-scheme")

Answer = Callable[[Facts, Object, "re.Match[str]"], str]
"""The facts, the object that the event is about, and the match -> the remedy."""


def remedy(facts: Facts, thing: Object, event: Object) -> Remedy:
    """Return what to do about a Warning of the controller on an object."""
    text = text_of(event)
    for pattern, answer, see in _REMEDIES:
        match = re.search(pattern, text)
        if match:
            return Remedy(answer if isinstance(answer, str) else answer(facts, thing, match), see)
    return reported(facts)


def _subnets(facts: Facts, thing: Object, _: "re.Match[str]") -> str:
    scheme = first(annotations_of(thing).get(name) for name in _SCHEME if name in annotations_of(thing)) or "internal"
    public = public_subnets(facts)
    fitting = [s["SubnetId"] for s in facts.subnets if (s["SubnetId"] in public) == (scheme == "internet-facing")]
    if not fitting:
        return f"make subnets for {scheme} load balancers in two zones: none of the VPC's fits"
    return (
        f"`aws ec2 create-tags --resources {' '.join(fitting)} --tags Key={ROLE_TAGS.get(scheme)},Value=1`"
        f" (all subnets that fit {scheme} load balancers)"
    )


def _edit(thing: Object) -> str:
    namespace, name = key(thing)
    return f"kubectl annotate {thing['kind'].lower()} -n {namespace} {name} --overwrite"


def _annotation(_: Facts, thing: Object, match: "re.Match[str]") -> str:
    return f"correct the annotation of {called(thing)}: `{_edit(thing)} {match['annotation']}=VALUE`"


def _port(facts: Facts, _: Object, match: "re.Match[str]") -> str:
    service = first(s for s in facts.services if "/".join(key(s)) == match["service"])
    ports = [f"{p.get('name', '')} {p['port']}".strip() for p in (service or {"spec": {}})["spec"].get("ports") or []]
    return (
        f"name a port of Service {match['service']} ({', '.join(ports) or 'it has none'}), or add {match['port']} to it"
    )


def _secret(_: Facts, thing: Object, match: "re.Match[str]") -> str:
    namespace, __, name = match["secret"].rpartition("/")
    return (
        f"`kubectl create secret generic -n {namespace or key(thing)[0]} {name} --from-literal=clientID=ID"
        " --from-literal=clientSecret=SECRET`"
    )


def _protection(_: Facts, thing: Object, __: "re.Match[str]") -> str:
    prefix, name = (
        ("service.beta.kubernetes.io/", "aws-load-balancer-attributes")
        if thing["kind"] == "Service"
        else ("alb.ingress.kubernetes.io/", "load-balancer-attributes")
    )
    return f"`{_edit(thing)} {prefix}{name}=deletion_protection.enabled=false`, then delete it again"


def _certificate(_: Facts, __: Object, match: "re.Match[str]") -> str:
    return (
        f"`aws acm request-certificate --domain-name {match['host']} --validation-method DNS` and validate it, or name"
        " a certificate with the annotation alb.ingress.kubernetes.io/certificate-arn"
    )


def _group(_: Facts, thing: Object, match: "re.Match[str]") -> str:
    what = match["what"].strip()
    return f"give {what} one value in all members of the IngressGroup, or {called(thing)} its own group"


def _service(_: Facts, thing: Object, match: "re.Match[str]") -> str:
    return f"create Service {key(thing)[0]}/{match['service']}, or correct the backend of {called(thing)}"


def _node_port(_: Facts, thing: Object, __: "re.Match[str]") -> str:
    register = f"`{_edit(thing)} alb.ingress.kubernetes.io/target-type=ip`"
    return f"make its Services of type NodePort, or register pods instead of nodes: {register}"


def _unknown(_: Facts, thing: Object, match: "re.Match[str]") -> str:
    return f"correct {match['what']} {match['value']!r} in the annotations of {called(thing)}"


def _binding(facts: Facts, thing: Object, _: "re.Match[str]") -> str:
    return rebind(facts, thing)


def _stale_binding(facts: Facts, thing: Object, match: "re.Match[str]") -> str:
    delete = f"`kubectl delete targetgroupbinding -n {key(thing)[0]} {match['binding']}`"
    return (
        f"its target group was deleted in AWS, and the binding is in the new one's way: {delete}, then {restart(facts)}"
    )


def rebind(facts: Facts, binding: Object) -> str:
    """Return how to replace a TargetGroupBinding whose target group is gone."""
    delete = f"`kubectl delete targetgroupbinding -n {' '.join(key(binding))}`"
    return f"{delete}, then {restart(facts)}; for a binding of yours, create the target group first"


_ACCESS: Final = (
    f"give the controller's role its policy again: {REFRESH}, or take the policy of its version from"
    " https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/main/docs/install"
)
_QUOTA: Final = (
    "remove what is not needed, or raise the quota: `aws service-quotas request-service-quota-increase --service-code"
    " elasticloadbalancing --quota-code CODE --desired-value VALUE`"
)

_REMEDIES: Final[tuple[tuple[str, str | Answer, str], ...]] = (
    # credentials and permissions
    (
        r"AssumeRoleWithWebIdentity|no EC2 IMDS role found|failed to refresh cached credentials|NoCredentialProviders",
        f"the controller gets no role: {REFRESH} restores the trust policy and the service account's annotation",
        "",
    ),
    (r"AccessDenied|UnauthorizedOperation|not authorized to perform", _ACCESS, ""),
    (
        r"Throttling|Rate exceeded|RequestLimitExceeded",
        "wait, the controller tries again; if it lasts, stop what calls AWS so often",
        "aws cloudtrail lookup-events --max-results 50",
    ),
    # FailedBuildModel
    (r"auto-discover subnets|resolve at least one subnet|subnets count less than minimal", _subnets, ""),
    (r"no certificate found for host: (?P<host>\S+)", _certificate, ""),
    (r"unable to find port (?P<port>\S+) on service (?P<service>\S+)", _port, ""),
    (r"[Ss]ervices? \"(?P<service>[^\"]+)\" not found", _service, ""),
    (r"missing client\w+, secret: (?P<secret>\S+)", _secret, ""),
    (r"[Ss]ecrets? \"(?P<secret>[^\"]+)\" not found", _secret, ""),
    (r"failed to parse \w+ annotation, (?P<annotation>[^:\s]+)", _annotation, ""),
    (r"conflicting (?P<what>[^:,|]+)", _group, ""),
    (r"TargetGroup port is empty|service type must be either 'NodePort' or 'LoadBalancer'", _node_port, ""),
    (
        r"couldn't find all security groups|couldn't fetch SecurityGroup",
        "name security groups of the cluster's VPC in the annotations of its object",
        "aws ec2 describe-security-groups --query 'SecurityGroups[].[GroupId,GroupName,VpcId]'",
    ),
    (
        r"couldn't find all subnets|subnet (?:ID|with Name tag) not found|multiple subnets in same Availability Zone",
        "name subnets of the cluster's VPC in the annotations of its object, one in each zone",
        "aws ec2 describe-subnets --query 'Subnets[].[SubnetId,AvailabilityZone,VpcId]'",
    ),
    (r"unknown (?P<what>scheme|targetType|authType|IPAddressType|action type): ?(?P<value>\S*)", _unknown, ""),
    (
        r"EIP allocations|private IPv4 addresses",
        "name as many addresses as the load balancer has subnets; only an internet-facing one takes Elastic IPs",
        "",
    ),
    (
        r"namespaceSelector of IngressClassParams (?P<params>\S+) mismatch",
        lambda _, thing, match: (
            f"give namespace {key(thing)[0]} the labels that IngressClassParams {match['params']} demand, or"
            f" {called(thing)} another class"
        ),
        "",
    ),
    (r"deletion[_ ]protection", _protection, ""),
    # FailedDeployModel, and FailedNetworkReconcile of TargetGroupBindings
    (
        r"expected exactly one securityGroup tagged with",
        (
            "leave the tag kubernetes.io/cluster/NAME on one security group of the node's interface: the check"
            " interfaces-have-one-tagged-security-group has the command"
        ),
        "",
    ),
    (
        r"cannot resolve (?:pod|node) ENI",
        "let the VPC CNI give pods addresses of the VPC; with another network plugin use target type instance",
        "kubectl get pods -n kube-system -l k8s-app=aws-node",
    ),
    (
        r"Not enough IP space|InvalidSubnet",
        "free addresses in the load balancer's subnets (8 in each), or give it larger ones",
        "aws ec2 describe-subnets --query 'Subnets[].[SubnetId,AvailableIpAddressCount]'",
    ),
    (
        r"RulesPerSecurityGroupLimitExceeded",
        (
            "raise the quota of rules per security group, or open all ports in one rule: start the controller with"
            " --disable-restricted-sg-rules"
        ),
        "",
    ),
    (
        r"TooMany\w+|LimitExceeded|too many (?:certificates|rules|targets)|there's too many attached",
        _QUOTA,
        "aws service-quotas list-service-quotas --service-code elasticloadbalancing",
    ),
    (
        r"CertificateNotFound|UnsupportedCertificate",
        "name an issued ACM certificate of the cluster's region in the annotations of its object",
        "aws acm list-certificates --certificate-statuses ISSUED",
    ),
    (
        r"DuplicateLoadBalancerName|DuplicateTargetGroupName|same name .* exists",
        (
            "delete the load balancer or target group of that name, or give its object another name with the annotation"
            " load-balancer-name; scheme and type of an existing load balancer cannot change"
        ),
        "",
    ),
    (
        r"DependencyViolation|ResourceInUse",
        "remove what still uses it; the controller tries again by itself",
        "aws ec2 describe-network-interfaces --filters Name=group-id,Values=GROUP",
    ),
    (
        r"SSLPolicyNotFound",
        "name a TLS policy that exists",
        "aws elbv2 describe-ssl-policies --query 'SslPolicies[].Name'",
    ),
    (
        r"Access Denied for bucket",
        (
            "let Elastic Load Balancing write to the bucket of the access logs:"
            " https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html"
        ),
        "",
    ),
    (
        r"WAFNonexistentItemException|WAFUnavailableEntityException|couldn't find WAFv2 WebACL",
        "name a regional web ACL that exists",
        "aws wafv2 list-web-acls --scope REGIONAL",
    ),
    (
        r"dial tcp|i/o timeout|no such host|context deadline exceeded|connection refused",
        (
            "let the controller's pods reach AWS: a NAT gateway, or VPC endpoints for ec2, elasticloadbalancing"
            " and sts, and a name service that answers"
        ),
        "",
    ),
    (
        r"ValidationError|InvalidConfigurationRequest|InvalidParameter\w*|Invalid\w*Exception",
        "correct the annotation whose value AWS refuses: the event names it",
        "",
    ),
    # TargetGroupBindings
    (
        r"BackendNotFound",
        lambda _, thing, __: (
            f"create the Service of {called(thing)} with the port that it names, or correct its spec.serviceRef"
        ),
        "",
    ),
    (r"TargetGroupNotFound", _binding, ""),
    # The binding of a target group that somebody deleted:
    # https://github.com/kubernetes-sigs/aws-load-balancer-controller/issues/3493
    (r'targetgroupbindings\.elbv2\.k8s\.aws "(?P<binding>[^"]+)" already exists', _stale_binding, ""),
)
"""A regular expression for the text, the remedy, and a command that shows more; the first match counts."""
