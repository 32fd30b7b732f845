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
from eks_load_balancing.doctor.faults import REFRESH, log
from eks_load_balancing.doctor.lookups import annotations_of, called, first, key
from eks_load_balancing.doctor.network import public_subnets

ROLE_TAGS: Final = {"internet-facing": "kubernetes.io/role/elb", "internal": "kubernetes.io/role/internal-elb"}
_SCHEME: Final = ("alb.ingress.kubernetes.io/scheme", "service.beta.kubernetes.io/aws-load-balancer-scheme")

Remedy = Callable[[Facts, Object, "re.Match[str]"], str]
"""The facts, the object that the event is about, and what matched -> what to do."""


def remedy(facts: Facts, thing: Object, event: Object) -> str:
    """Return what to do about a Warning of the controller's on an object."""
    text = text_of(event)
    for pattern, answer in _REMEDIES:
        match = re.search(pattern, text)
        if match:
            return answer if isinstance(answer, str) else answer(facts, thing, match)
    return log(facts)


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


_ACCESS: Final = (
    f"give the controller's role its policy again: {REFRESH}, or take the policy of its version from"
    " https://github.com/kubernetes-sigs/aws-load-balancer-controller/tree/main/docs/install"
)
_QUOTA: Final = (
    "remove what is not needed, or raise the quota: `aws service-quotas list-service-quotas --service-code"
    " elasticloadbalancing` lists them, `aws service-quotas request-service-quota-increase --service-code"
    " elasticloadbalancing --quota-code CODE --desired-value VALUE` asks for more"
)

_REMEDIES: Final[tuple[tuple[str, str | Remedy], ...]] = (
    # credentials and permissions
    (
        r"AssumeRoleWithWebIdentity|no EC2 IMDS role found|failed to refresh cached credentials|NoCredentialProviders",
        (
            f"the controller gets no role: {REFRESH} restores the trust policy and the service account's annotation;"
            " the identity checks say which of them is wrong"
        ),
    ),
    (r"AccessDenied|UnauthorizedOperation|not authorized to perform", _ACCESS),
    # FailedBuildModel
    (r"auto-discover subnets|resolve at least one subnet|subnets count less than minimal", _subnets),
    (r"no certificate found for host: (?P<host>\S+)", _certificate),
    (r"unable to find port (?P<port>\S+) on service (?P<service>\S+)", _port),
    (
        r"[Ss]ervices? \"(?P<service>[^\"]+)\" not found",
        lambda _, thing, match: (
            f"create Service {key(thing)[0]}/{match['service']}, or correct the backend of {called(thing)}"
        ),
    ),
    (r"missing client\w+, secret: (?P<secret>\S+)", _secret),
    (r"[Ss]ecrets? \"(?P<secret>[^\"]+)\" not found", _secret),
    (r"failed to parse \w+ annotation, (?P<annotation>[^:\s]+)", _annotation),
    (r"conflicting (?P<what>[^:,|]+)", _group),
    (
        r"TargetGroup port is empty|service type must be either 'NodePort' or 'LoadBalancer'",
        lambda _, thing, __: (
            "make its Services of type NodePort, or register pods:"
            f" `{_edit(thing)} alb.ingress.kubernetes.io/target-type=ip`"
        ),
    ),
    (
        r"couldn't (?:find all (?:security groups|subnets)|fetch SecurityGroup)|subnet (?:ID|with Name tag) not found",
        lambda _, thing, __: (
            f"name subnets and security groups of the cluster's VPC in the annotations of {called(thing)}; what exists:"
            " `aws ec2 describe-subnets --query 'Subnets[].SubnetId'`, `aws ec2 describe-security-groups --query"
            " 'SecurityGroups[].[GroupId,GroupName]'`"
        ),
    ),
    (
        r"multiple subnets in same Availability Zone",
        lambda _, thing, __: f"name one subnet a zone in the subnets annotation of {called(thing)}",
    ),
    (
        r"unknown (?P<what>scheme|targetType|authType|IPAddressType|action type): ?(?P<value>\S*)",
        lambda _, thing, match: f"correct {match['what']} {match['value']!r} in the annotations of {called(thing)}",
    ),
    (
        r"EIP allocations|private IPv4 addresses",
        lambda _, thing, __: (
            f"give {called(thing)} as many addresses as its load balancer has subnets; Elastic IPs are for"
            " internet-facing ones"
        ),
    ),
    (
        r"namespaceSelector of IngressClassParams (?P<params>\S+) mismatch",
        lambda _, thing, match: (
            f"give namespace {key(thing)[0]} the labels that IngressClassParams {match['params']} ask for, or"
            f" {called(thing)} another class"
        ),
    ),
    (r"deletion[_ ]protection", _protection),
    # FailedDeployModel
    (
        r"expected exactly one securityGroup tagged with",
        (
            "leave the tag kubernetes.io/cluster/NAME on one security group of the node's interface: the check"
            " interfaces-have-one-tagged-security-group has the command"
        ),
    ),
    (
        r"cannot resolve (?:pod|node) ENI",
        (
            "make sure that the VPC CNI gives pods addresses of the VPC:"
            " `kubectl get pods -n kube-system -l k8s-app=aws-node`; with another CNI use target type instance"
        ),
    ),
    (
        r"Not enough IP space|InvalidSubnet",
        (
            "free addresses in the load balancer's subnets (8 in each), or give it larger ones:"
            " `aws ec2 describe-subnets --query 'Subnets[].[SubnetId,AvailableIpAddressCount]'`"
        ),
    ),
    (
        r"RulesPerSecurityGroupLimitExceeded",
        (
            "raise the quota of rules per security group, or open all ports in one rule: start the controller with"
            " --disable-restricted-sg-rules"
        ),
    ),
    (r"TooMany\w+|LimitExceeded|too many (?:certificates|rules|targets)|there's too many attached", _QUOTA),
    (
        r"CertificateNotFound|UnsupportedCertificate",
        lambda facts, thing, _: (
            f"name an issued ACM certificate of {facts.region} in the annotations of {called(thing)}:"
            " `aws acm list-certificates --certificate-statuses ISSUED`"
        ),
    ),
    (
        r"DuplicateLoadBalancerName|DuplicateTargetGroupName|same name .* exists",
        lambda _, thing, __: (
            f"delete the load balancer or target group of that name, or give {called(thing)} another name by annotation"
            " (load-balancer-name); scheme and type of an existing load balancer cannot change"
        ),
    ),
    (
        r"DependencyViolation|ResourceInUse",
        (
            "remove what still uses it: `aws ec2 describe-network-interfaces --filters Name=group-id,Values=GROUP`"
            " shows a security group's interfaces; the controller tries again by itself"
        ),
    ),
    (r"SSLPolicyNotFound", "name a policy that exists: `aws elbv2 describe-ssl-policies --query 'SslPolicies[].Name'`"),
    (
        r"Access Denied for bucket",
        (
            "let Elastic Load Balancing write to the bucket of the access logs:"
            " https://docs.aws.amazon.com/elasticloadbalancing/latest/application/enable-access-logging.html"
        ),
    ),
    (
        r"WAFNonexistentItemException|WAFUnavailableEntityException|couldn't find WAFv2 WebACL",
        ("name a regional web ACL that exists: `aws wafv2 list-web-acls --scope REGIONAL`"),
    ),
    (
        r"Throttling|Rate exceeded|RequestLimitExceeded",
        (
            "wait, the controller tries again; if it lasts, `aws cloudtrail lookup-events --max-results 50`"
            " shows the callers"
        ),
    ),
    (
        r"dial tcp|i/o timeout|no such host|context deadline exceeded|connection refused",
        (
            "let the controller's pods reach AWS: a NAT gateway, or VPC endpoints for ec2, elasticloadbalancing and"
            " sts, and a name service that answers"
        ),
    ),
    (
        r"ValidationError|InvalidConfigurationRequest|InvalidParameter\w*|Invalid\w*Exception",
        ("correct the annotation whose value AWS refuses: the event names it"),
    ),
    # TargetGroupBindings
    (
        r"BackendNotFound",
        lambda _, thing, __: (
            f"create the Service of {called(thing)} with the port that it names, or correct its spec.serviceRef"
        ),
    ),
    (
        r"TargetGroupNotFound",
        lambda _, thing, __: (
            f"`kubectl delete targetgroupbinding -n {' '.join(key(thing))}`: the controller creates its own again; for"
            " one of yours, create the target group first"
        ),
    ),
)
"""A regular expression for the text, and the remedy; the first that matches counts."""
