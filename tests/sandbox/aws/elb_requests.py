"""Requests of ELBv2 and EC2 that together use every member of every call of the controller."""

import json
import uuid
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

from sandbox.plan.scratch.network import self_signed
from tests.sandbox.aws.harness import REGION, Aws

Document = dict[str, Any]
TAGS = [{"Key": "team", "Value": "edge"}]


class World:
    """The requests' subjects: a VPC with two zones, IPv4 and IPv6, and its contents."""

    def __init__(self, aws: Aws) -> None:
        self.aws, self.name, self._count = aws, f"w{uuid.uuid4().hex[:6]}", 0
        self.elb, self.ec2 = aws.client("elbv2"), aws.client("ec2")
        self.vpc = self.ec2.create_vpc(CidrBlock="10.0.0.0/16", AmazonProvidedIpv6CidrBlock=True)["Vpc"]["VpcId"]
        told = self.ec2.describe_vpcs(VpcIds=[self.vpc])["Vpcs"][0]["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"]
        self.prefix = told.removesuffix("00::/56")
        self.subnets = [self._subnet(n, zone) for n, zone in enumerate("ab")]
        gateway = self.ec2.create_internet_gateway()["InternetGateway"]["InternetGatewayId"]
        self.ec2.attach_internet_gateway(InternetGatewayId=gateway, VpcId=self.vpc)

    def _subnet(self, n: int, zone: str) -> str:
        made = self.ec2.create_subnet(
            VpcId=self.vpc, CidrBlock=f"10.0.{n}.0/24", AvailabilityZone=f"{REGION}{zone}",
            Ipv6CidrBlock=f"{self.prefix}0{n}::/64",
        )  # fmt: skip
        return made["Subnet"]["SubnetId"]

    def fresh(self) -> str:
        """A name that is not in use."""
        self._count += 1
        return f"{self.name}-{self._count}"

    def balancer(self, kind: str = "application", **more: Any) -> str:
        """A load balancer's ARN."""
        made = self.elb.create_load_balancer(**{"Name": self.fresh(), "Type": kind, "Subnets": self.subnets, **more})
        return made["LoadBalancers"][0]["LoadBalancerArn"]

    def group(self, **more: Any) -> str:
        """A target group's ARN."""
        given = {"Name": self.fresh(), "Protocol": "HTTP", "Port": 80, "VpcId": self.vpc, "TargetType": "ip", **more}
        return self.elb.create_target_group(**given)["TargetGroups"][0]["TargetGroupArn"]

    def listener(self, balancer: str | None = None, **more: Any) -> str:
        """A listener's ARN: HTTPS by default."""
        given = {"LoadBalancerArn": balancer or self.balancer(), "Port": 443, "Protocol": "HTTPS",
                 "Certificates": [{"CertificateArn": self.certificate}], "DefaultActions": [FIXED], **more}  # fmt: skip
        given = {key: value for key, value in given.items() if value}
        return self.elb.create_listener(**given)["Listeners"][0]["ListenerArn"]

    def rule(self, **more: Any) -> str:
        """A rule's ARN."""
        given = {"ListenerArn": self.listener(), "Priority": 1, "Conditions": [host("a.example")], "Actions": [FIXED]}
        return self.elb.create_rule(**{**given, **more})["Rules"][0]["RuleArn"]

    def security_group(self) -> str:
        """A security group's id."""
        name = self.fresh()
        return self.ec2.create_security_group(GroupName=name, Description=name, VpcId=self.vpc)["GroupId"]

    def allocation(self) -> str:
        """An elastic address."""
        return self.ec2.allocate_address(Domain="vpc")["AllocationId"]

    @cached_property
    def certificate(self) -> str:
        """A certificate's ARN."""
        return self._certificate("one.example")

    @cached_property
    def other_certificate(self) -> str:
        """Another certificate's ARN."""
        return self._certificate("other.example")

    def _certificate(self, domain: str) -> str:
        certificate, key = self_signed([domain])
        return self.aws.client("acm").import_certificate(Certificate=certificate, PrivateKey=key)["CertificateArn"]

    @cached_property
    def bucket(self) -> str:
        """A bucket with a bundle of certificates, `ca.pem`, and something else, `text`."""
        s3, name = self.aws.client("s3"), f"bundles-{self.name}"
        s3.create_bucket(Bucket=name, CreateBucketConfiguration={"LocationConstraint": REGION})
        s3.put_bucket_versioning(Bucket=name, VersioningConfiguration={"Status": "Enabled"})
        s3.put_object(Bucket=name, Key="ca.pem", Body=self_signed(["ca.example"])[0])
        s3.put_object(Bucket=name, Key="text", Body=b"nothing")
        return name

    @cached_property
    def trust_store(self) -> str:
        """A trust store's ARN."""
        made = self.elb.create_trust_store(
            Name=self.fresh(), CaCertificatesBundleS3Bucket=self.bucket, CaCertificatesBundleS3Key="ca.pem"
        )
        return made["TrustStores"][0]["TrustStoreArn"]

    @cached_property
    def pool(self) -> str:
        """An IPAM pool of public addresses."""
        ipam = self.ec2.create_ipam()["Ipam"]
        made = self.ec2.create_ipam_pool(
            IpamScopeId=ipam["PublicDefaultScopeId"], AddressFamily="ipv4", Locale=REGION,
            PublicIpSource="amazon", AwsService="ec2",
        )  # fmt: skip
        return made["IpamPool"]["IpamPoolId"]

    def tags(self, arn: str) -> list[Document]:
        """The tags of something."""
        return self.elb.describe_tags(ResourceArns=[arn])["TagDescriptions"][0]["Tags"]

    def balancer_told(self, arn: str) -> Document:
        """Everything that AWS returns about a load balancer."""
        told = self._told("load_balancer", "LoadBalancer", arn)
        return {**told, "Capacity": self.elb.describe_capacity_reservation(LoadBalancerArn=arn)}

    def group_told(self, arn: str) -> Document:
        """Everything that AWS returns about a target group."""
        health = self.elb.describe_target_health(TargetGroupArn=arn)["TargetHealthDescriptions"]
        return {**self._told("target_group", "TargetGroup", arn), "Health": health}

    def listener_told(self, arn: str) -> Document:
        """Everything that AWS returns about a listener."""
        certificates = self.elb.describe_listener_certificates(ListenerArn=arn)["Certificates"]
        return {**self._told("listener", "Listener", arn), "AllCertificates": certificates}

    def _told(self, call: str, kind: str, arn: str) -> Document:
        """What AWS returns about what has tags and attributes."""
        (told,) = getattr(self.elb, f"describe_{call}s")(**{f"{kind}Arns": [arn]})[f"{kind}s"]
        attributes = getattr(self.elb, f"describe_{call}_attributes")(**{f"{kind}Arn": arn})["Attributes"]
        return {**told, "Tags": self.tags(arn), "Attributes": attributes}

    def rule_told(self, arn: str) -> Document:
        """Everything that AWS returns about a rule."""
        (told,) = self.elb.describe_rules(RuleArns=[arn])["Rules"]
        return {
            **told,
            "ListenerArn": arn.replace(":listener-rule/", ":listener/").rpartition("/")[0],
            "Tags": self.tags(arn),
        }


def host(name: str) -> Document:
    """A condition."""
    return {"Field": "host-header", "HostHeaderConfig": {"Values": [name]}}


FIXED = {
    "Type": "fixed-response", "Order": 9,
    "FixedResponseConfig": {"MessageBody": "no", "StatusCode": "404", "ContentType": "text/plain"},
}  # fmt: skip
REDIRECT = {
    "Type": "redirect", "Order": 1,
    "RedirectConfig": {"Protocol": "HTTPS", "Port": "8443", "Host": "b.example", "Path": "/x", "Query": "a=b",
                       "StatusCode": "HTTP_302"},
}  # fmt: skip
COGNITO = {
    "Type": "authenticate-cognito", "Order": 1,
    "AuthenticateCognitoConfig": {
        "UserPoolArn": "arn:aws:cognito-idp:us-west-2:123456789012:userpool/us-west-2_a", "UserPoolClientId": "id",
        "UserPoolDomain": "domain", "SessionCookieName": "cookie", "Scope": "openid email", "SessionTimeout": 60,
        "AuthenticationRequestExtraParams": {"display": "page"}, "OnUnauthenticatedRequest": "deny",
    },
}  # fmt: skip
OIDC: Document = {
    "Type": "authenticate-oidc", "Order": 1,
    "AuthenticateOidcConfig": {
        "Issuer": "https://i.example", "AuthorizationEndpoint": "https://i.example/a",
        "TokenEndpoint": "https://i.example/t", "UserInfoEndpoint": "https://i.example/u", "ClientId": "id",
        "ClientSecret": "secret", "SessionCookieName": "cookie", "Scope": "openid", "SessionTimeout": 61,
        "AuthenticationRequestExtraParams": {"prompt": "login"}, "OnUnauthenticatedRequest": "allow",
    },
}  # fmt: skip
SAME_SECRET = {
    **OIDC,
    "AuthenticateOidcConfig": {
        **{k: v for k, v in OIDC["AuthenticateOidcConfig"].items() if k != "ClientSecret"},
        "UseExistingClientSecret": True,
    },
}
JWT = {
    "Type": "jwt-validation", "Order": 1,
    "JwtValidationConfig": {
        "JwksEndpoint": "https://i.example/keys", "Issuer": "https://i.example",
        "AdditionalClaims": [{"Format": "string-array", "Name": "groups", "Values": ["admins"]}],
    },
}  # fmt: skip
CONDITIONS = [
    [
        {"Field": "host-header", "Values": ["a.example"]},
        {"Field": "path-pattern", "PathPatternConfig": {"Values": ["/a/*"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "Values": ["a"]}},
        {"Field": "query-string", "QueryStringConfig": {"Values": [{"Key": "a", "Value": "b"}]}},
        {"Field": "http-request-method", "HttpRequestMethodConfig": {"Values": ["GET"]}},
    ],
    [
        host("a.example"),
        {"Field": "path-pattern", "PathPatternConfig": {"RegexValues": ["^/a"]}},
        {"Field": "http-header", "HttpHeaderConfig": {"HttpHeaderName": "X-A", "RegexValues": ["^a"]}},
        {"Field": "source-ip", "SourceIpConfig": {"Values": ["10.0.0.0/8"], "IpAddressType": "ipv4"}},
    ],
    [
        {"Field": "host-header", "HostHeaderConfig": {"RegexValues": ["^a"]}},
        {"Field": "path-pattern", "RegexValues": ["^/b"]},
    ],
]
TRANSFORMS = [
    {"Type": "host-header-rewrite", "HostHeaderRewriteConfig": {"Rewrites": [{"Regex": "^a", "Replace": "b"}]}},
    {"Type": "url-rewrite", "UrlRewriteConfig": {"Rewrites": [{"Regex": "^/a/(.*)", "Replace": "/$1"}]}},
]


def forward(w: World) -> Document:
    """A forward to two target groups."""
    groups = [{"TargetGroupArn": w.group(), "Weight": weight} for weight in (3, 7)]
    sticky = {"Enabled": True, "DurationSeconds": 62}
    return {"Type": "forward", "Order": 9,
            "ForwardConfig": {"TargetGroups": groups, "TargetGroupStickinessConfig": sticky}}  # fmt: skip


def plain_forward(w: World, **more: Any) -> Document:
    """A forward to one target group."""
    return {"Type": "forward", "TargetGroupArn": w.group(**more)}


def action_lists(w: World) -> list[list[Document]]:
    """Lists of actions that together have every member."""
    return [[COGNITO, forward(w)], [OIDC, FIXED], [JWT, FIXED], [REDIRECT], [plain_forward(w)]]


@dataclass(frozen=True)
class Operation:
    """How one call is made and read back.

    `renamed` maps members that Describe names differently; `untold` explains why Describe cannot return one;
    `refused` are members that are always refused here: a request with one, and AWS's code.
    """

    service: str
    asked: Callable[[World], list[Document]]
    told: Callable[[World, Document, Document], Document]
    renamed: dict[str, str] = field(default_factory=dict[str, str])
    untold: dict[str, str] = field(default_factory=dict[str, str])
    refused: dict[str, tuple[Callable[[World], Document], str]] = field(default_factory=dict)


def dumped(value: Any) -> str:
    """A value as text, for messages."""
    return json.dumps(value, indent=1, default=str)
