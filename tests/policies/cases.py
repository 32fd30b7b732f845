"""For each rule: the compliant resource, one way to break it, and cases with missing, unknown and configured values.

Paths are written with `/`, and `~` for a slash inside a key.
"""

import base64
import json
from dataclasses import dataclass, field
from typing import Any

from fixtures.policies import ACCOUNT, ALB, DOCUMENT, ISSUER, NLB, certificate, trust

Edits = dict[str, Any]


@dataclass(frozen=True)
class Case:
    """How one rule is tried.

    Attributes:
        on: The compliant resource that is broken.
        broken: Values at some paths that make the rule refuse it.
        missing: A path that is left out, and whether the rule then refuses.
        unknown: A path whose value is unknown during preview: never refused.
        setting: Settings of a profile, edits, and whether the rule refuses the result.
        world: Other resources in the stack, for rules across it.
        links: The sources of properties: `{"node-group.subnetIds": ["subnet"]}`.
        also: Other resources and edits that the rule refuses.
        passes: Other resources and edits that the rule accepts.
    """

    on: str
    broken: Edits
    missing: tuple[str, bool]
    unknown: str
    setting: tuple[dict[str, Any], Edits, bool] | None = None
    world: tuple[str, ...] = ()
    links: dict[str, list[str]] = field(default_factory=dict[str, list[str]])
    also: tuple[tuple[str, Edits], ...] = ()
    passes: tuple[tuple[str, Edits], ...] = ()


def alb(name: str) -> str:
    return f"metadata/annotations/{ALB.replace('/', '~')}{name}"


def nlb(name: str) -> str:
    return f"metadata/annotations/{NLB.replace('/', '~')}{name}"


_OF_EVERYTHING = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}


def _trusting(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def _condition(**condition: Any) -> str:
    """A trust policy with another condition."""
    document = trust()
    document["Statement"][0]["Condition"] = condition
    return json.dumps(document)


def _encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def _allowing(action: Any, resource: Any = "*", **more: Any) -> str:
    return json.dumps({"Statement": [{"Effect": "Allow", "Action": action, "Resource": resource, **more}]})


def _everybody(condition: dict[str, Any]) -> Edits:
    """A trust policy that names everybody, with a condition."""
    statement = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole", "Condition": condition}
    return {"assumeRolePolicy": _trusting(statement)}


_SUB = "system:serviceaccount:kube-system:aws-load-balancer-controller"
_AUD = {f"{ISSUER}:aud": "sts.amazonaws.com"}
_OTHER_ISSUER = "oidc.eks.eu-west-1.amazonaws.com/id/FFFF"
_POD = "spec/template/spec"
_C0 = f"{_POD}/containers/0"
_CNI = "arn:aws:iam::aws:policy/AmazonEKS_CNI_Policy"
_CLASS = "metadata/annotations/kubernetes.io~ingress.class"
_RANGES = "metadata/annotations/service.beta.kubernetes.io~load-balancer-source-ranges"
_REDIRECTING = {alb("listen-ports"): '[{"HTTP": 80}]', alb("ssl-redirect"): None}

CLUSTER: dict[str, Case] = {
    "cluster-endpoint-is-not-open-to-the-world": Case(
        on="cluster",
        broken={"vpcConfig/publicAccessCidrs": ["0.0.0.0/0"]},
        missing=("vpcConfig/publicAccessCidrs", True),
        unknown="vpcConfig/publicAccessCidrs",
        setting=({"minPrefixLength": 25}, {}, True),
        also=(
            ("native-cluster", {"resourcesVpcConfig/publicAccessCidrs": ["10.0.0.0/8", "::/0"]}),
            ("cluster", {"vpcConfig/endpointPublicAccess": None, "vpcConfig/publicAccessCidrs": None}),
        ),
        passes=(
            ("cluster", {"vpcConfig/endpointPublicAccess": False, "vpcConfig/publicAccessCidrs": None}),
            ("cluster", {"vpcConfig/publicAccessCidrs": ["no network"]}),
        ),
    ),
    "cluster-endpoint-is-reachable-privately": Case(
        on="cluster",
        broken={"vpcConfig/endpointPrivateAccess": False},
        missing=("vpcConfig/endpointPrivateAccess", True),
        unknown="vpcConfig/endpointPrivateAccess",
        also=(("native-cluster", {"resourcesVpcConfig/endpointPrivateAccess": False}),),
    ),
    "cluster-endpoint-is-not-public": Case(
        on="cluster-inside",
        broken={"vpcConfig/endpointPublicAccess": True},
        missing=("vpcConfig/endpointPublicAccess", True),
        unknown="vpcConfig/endpointPublicAccess",
    ),
    "cluster-secrets-are-encrypted-with-kms": Case(
        on="cluster",
        broken={"encryptionConfig/resources": []},
        missing=("encryptionConfig", True),
        unknown="encryptionConfig",
        also=(("native-cluster", {"encryptionConfig/0/provider": {}}),),
        passes=(("cluster", {"encryptionConfig/provider/keyArn": "unknown"}),),
    ),
    "cluster-writes-all-log-types": Case(
        on="cluster",
        broken={"enabledClusterLogTypes": ["api"]},
        missing=("enabledClusterLogTypes", True),
        unknown="enabledClusterLogTypes",
        setting=({"logTypes": ["audit"]}, {"enabledClusterLogTypes": ["audit"]}, False),
        also=(("native-cluster", {"logging/clusterLogging/enabledTypes": [{"type": "api"}]}),),
    ),
    "cluster-version-is-supported": Case(
        on="cluster",
        broken={"version": "1.29"},
        missing=("version", True),
        unknown="version",
        setting=({"oldest": "1.29"}, {"version": "1.29"}, False),
        also=(("native-cluster", {"version": "1.9"}),),
    ),
    "cluster-stays-in-standard-support": Case(
        on="cluster",
        broken={"upgradePolicy/supportType": "EXTENDED"},
        missing=("upgradePolicy", True),
        unknown="upgradePolicy/supportType",
        setting=({"supportTypes": ["STANDARD", "EXTENDED"]}, {"upgradePolicy/supportType": "EXTENDED"}, False),
        also=(("native-cluster", {"upgradePolicy": None}),),
    ),
    "cluster-is-protected-from-deletion": Case(
        on="cluster",
        broken={"deletionProtection": False},
        missing=("deletionProtection", True),
        unknown="deletionProtection",
        also=(("native-cluster", {"deletionProtection": False}),),
    ),
    "cluster-authenticates-by-api": Case(
        on="cluster",
        broken={"accessConfig/authenticationMode": "API_AND_CONFIG_MAP"},
        missing=("accessConfig", True),
        unknown="accessConfig/authenticationMode",
        setting=(
            {"modes": ["API", "API_AND_CONFIG_MAP"]},
            {"accessConfig/authenticationMode": "API_AND_CONFIG_MAP"},
            False,
        ),
        also=(("native-cluster", {"accessConfig/authenticationMode": "CONFIG_MAP"}),),
    ),
    "cluster-creator-is-not-admin": Case(
        on="cluster",
        broken={"accessConfig/bootstrapClusterCreatorAdminPermissions": True},
        missing=("accessConfig/bootstrapClusterCreatorAdminPermissions", True),
        unknown="accessConfig/bootstrapClusterCreatorAdminPermissions",
        also=(("native-cluster", {"accessConfig": None}),),
    ),
}

NODES: dict[str, Case] = {
    "instance-metadata-needs-a-token": Case(
        on="launch-template",
        broken={"metadataOptions/httpTokens": "optional"},
        missing=("metadataOptions", True),
        unknown="metadataOptions/httpTokens",
        also=(
            ("native-launch-template", {"launchTemplateData/metadataOptions/httpTokens": None}),
            ("instance", {"metadataOptions": None}),
            ("native-instance", {"metadataOptions/httpTokens": "optional"}),
            ("node-class", {"spec/metadataOptions": {"httpTokens": "optional"}}),
        ),
        passes=(
            ("node-class", {}),
            ("instance", {"metadataOptions": None, "launchTemplate": {"id": "lt-1"}}),
        ),
    ),
    "instance-metadata-stays-on-the-node": Case(
        on="launch-template",
        broken={"metadataOptions/httpPutResponseHopLimit": 2},
        missing=("metadataOptions/httpPutResponseHopLimit", True),
        unknown="metadataOptions/httpPutResponseHopLimit",
        setting=({"maxHops": 2}, {"metadataOptions/httpPutResponseHopLimit": 2}, False),
        also=(
            ("native-launch-template", {"launchTemplateData/metadataOptions/httpPutResponseHopLimit": 2}),
            ("instance", {"metadataOptions/httpPutResponseHopLimit": 64}),
            ("instance", {"launchTemplate": {"id": "lt-1"}, "metadataOptions/httpPutResponseHopLimit": 2}),
            ("node-class", {"spec/metadataOptions": {"httpPutResponseHopLimit": 2}}),
        ),
        passes=(
            ("node-class", {}),
            ("instance", {"metadataOptions": None, "launchTemplate": {"id": "lt-1"}}),
        ),
    ),
    "node-group-brings-its-launch-template": Case(
        on="node-group",
        broken={"launchTemplate": None},
        missing=("launchTemplate", True),
        unknown="launchTemplate",
        also=(("native-node-group", {"launchTemplate": None}),),
    ),
    "node-disks-are-encrypted": Case(
        on="launch-template",
        broken={"blockDeviceMappings/0/ebs/encrypted": "false"},
        missing=("blockDeviceMappings", True),
        unknown="blockDeviceMappings/0/ebs/encrypted",
        also=(
            ("launch-template", {"blockDeviceMappings/0/ebs/encrypted": None}),
            ("native-launch-template", {"launchTemplateData/blockDeviceMappings/0/ebs/encrypted": False}),
            ("instance", {"rootBlockDevice/encrypted": False}),
            ("instance", {"ebsBlockDevices/0/encrypted": False}),
            ("native-instance", {"blockDeviceMappings/0/ebs": {}}),
            ("node-class", {"spec/blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": False}}]}),
        ),
        passes=(
            ("node-class", {}),
            ("instance", {"rootBlockDevice": None, "ebsBlockDevices": None, "launchTemplate": {"id": "lt-1"}}),
        ),
    ),
    "nodes-get-no-public-address": Case(
        on="launch-template",
        broken={"networkInterfaces/0/associatePublicIpAddress": "true"},
        missing=("networkInterfaces", False),
        unknown="networkInterfaces/0/associatePublicIpAddress",
        also=(
            ("instance", {"associatePublicIpAddress": True}),
            ("native-launch-template", {"launchTemplateData/networkInterfaces/0/associatePublicIpAddress": True}),
            ("node-class", {"spec/associatePublicIPAddress": True}),
        ),
        passes=(("node-class", {}),),
    ),
    "node-image-family-is-allowed": Case(
        on="node-group",
        broken={"amiType": "AL2_x86_64"},
        missing=("amiType", False),
        unknown="amiType",
        setting=({"families": ["CUSTOM"]}, {"amiType": "CUSTOM"}, False),
        also=(("native-node-group", {"amiType": "WINDOWS_CORE_2022_x86_64"}),),
        passes=(
            ("node-group", {"amiType": "AL2023_x86_64_NVIDIA"}),
            ("node-group", {"amiType": "AL2023_x86_64_NEURON"}),
            ("node-group", {"amiType": "BOTTLEROCKET_ARM_64_NVIDIA"}),
        ),
    ),
    "node-doors-are-not-open-to-the-world": Case(
        on="security-group",
        broken={"ingress/0/cidrBlocks": ["10.0.0.0/8", "0.0.0.0/0"]},
        missing=("ingress", False),
        unknown="ingress/0/cidrBlocks/0",
        setting=({"ports": [3389]}, {"ingress/0/cidrBlocks": ["0.0.0.0/0"]}, False),
        also=(
            ("security-group", {"ingress/0": {"protocol": "-1", "ipv6CidrBlocks": ["::/0"]}}),
            ("security-group-rule", {"cidrBlocks": ["0.0.0.0/0"]}),
            ("ingress-rule", {"cidrIpv4": "0.0.0.0/0", "fromPort": 0, "toPort": 65535}),
            ("ingress-rule", {"cidrIpv4": None, "cidrIpv6": "::/0"}),
            ("native-security-group", {"securityGroupIngress/0/cidrIp": "0.0.0.0/0"}),
            ("native-ingress-rule", {"cidrIp": "0.0.0.0/0", "fromPort": 3389, "toPort": 3389}),
            ("ingress-rule", {"cidrIpv4": "0.0.0.0/0", "fromPort": 30000, "toPort": 32767}),
            ("ingress-rule", {"cidrIpv4": "0.0.0.0/0", "fromPort": 31000, "toPort": 31000}),
            ("ingress-rule", {"cidrIpv4": "0.0.0.0/0", "fromPort": 10250, "toPort": 10250}),
            ("ingress-rule", {"cidrIpv4": "0.0.0.0/0", "ipProtocol": "udp", "fromPort": 0, "toPort": 65535}),
            ("ingress-rule", {"cidrIpv4": "0.0.0.0/0", "ipProtocol": "-1", "fromPort": None, "toPort": None}),
        ),
        passes=(
            ("security-group-rule", {"cidrBlocks": ["0.0.0.0/0"], "type": "egress"}),
            ("ingress-rule", {"cidrIpv4": "0.0.0.0/0", "fromPort": 443, "toPort": 443}),
            ("ingress-rule", {"cidrIpv4": "0.0.0.0/0", "ipProtocol": "udp"}),
            ("ingress-rule", {"cidrIpv4": "0.0.0.0/0", "fromPort": None, "toPort": None}),
        ),
    ),
    "node-group-ssh-names-its-sources": Case(
        on="node-group-with-ssh",
        broken={"remoteAccess/sourceSecurityGroupIds": []},
        missing=("remoteAccess/sourceSecurityGroupIds", True),
        unknown="remoteAccess/sourceSecurityGroupIds",
        setting=({"minSources": 0}, {"remoteAccess/sourceSecurityGroupIds": []}, False),
        also=(("native-node-group", {"remoteAccess/sourceSecurityGroups": None}),),
        passes=(("node-group-with-ssh", {"remoteAccess": None}),),
    ),
}

NETWORK: dict[str, Case] = {
    "nodes-run-in-private-subnets": Case(
        on="subnet",
        world=("node-group", "other-subnet"),
        broken={"mapPublicIpOnLaunch": True},
        missing=("mapPublicIpOnLaunch", False),
        unknown="mapPublicIpOnLaunch",
        setting=({"publicTags": ["team/public"]}, {"tags/team~public": "1"}, True),
        also=(("subnet", {"tags": {"kubernetes.io/role/elb": "1"}}),),
    ),
    "subnets-carry-a-load-balancer-role": Case(
        on="subnet",
        world=("cluster", "other-subnet"),
        broken={"tags": {"Name": "one"}},
        missing=("tags", True),
        unknown="tags",
        setting=({"roleTags": ["team/role"]}, {}, True),
        also=(("subnet", {"tags/kubernetes.io~role~elb": "1"}),),
    ),
    "cluster-spans-two-zones": Case(
        on="subnet",
        world=("cluster", "other-subnet"),
        broken={"availabilityZone": "us-west-2b"},
        missing=("availabilityZone", False),
        unknown="availabilityZone",
        setting=({"minZones": 3}, {}, True),
    ),
}

TRUST: dict[str, Case] = {
    "irsa-trust-names-one-service-account": Case(
        on="role",
        broken={
            "assumeRolePolicy": _condition(
                StringLike={f"{ISSUER}:sub": "system:serviceaccount:kube-system:*"}, StringEquals=_AUD
            )
        },
        missing=("assumeRolePolicy", False),
        unknown="assumeRolePolicy",
        setting=(
            {"operators": ["StringEquals", "StringLike"]},
            {"assumeRolePolicy": _condition(StringLike={f"{ISSUER}:sub": _SUB}, StringEquals=_AUD)},
            False,
        ),
        also=(
            ("role", {"assumeRolePolicy": _condition(StringEquals=_AUD)}),
            ("role", {"assumeRolePolicy": _condition(StringEquals={**_AUD, f"{ISSUER}:sub": [_SUB, f"{_SUB}2"]})}),
            ("role", {"assumeRolePolicy": _condition(StringEquals={**_AUD, f"{ISSUER}:sub": f"{_SUB}*"})}),
            ("role", {"assumeRolePolicy": json.loads(_condition(StringEquals=_AUD))}),
            ("native-role", {"assumeRolePolicyDocument/Statement/0/Condition": {"StringEquals": _AUD}}),
        ),
        passes=(
            (
                "role",
                {
                    "assumeRolePolicy": _trusting(
                        {
                            "Effect": "Allow",
                            "Principal": {
                                "Federated": "arn:aws:iam::1:oidc-provider/token.actions.githubusercontent.com"
                            },
                            "Action": "sts:AssumeRoleWithWebIdentity",
                            "Condition": {"StringLike": {"token.actions.githubusercontent.com:sub": "repo:one/*"}},
                        }
                    )
                },
            ),
        ),
    ),
    "irsa-trust-audience-is-sts": Case(
        on="role",
        broken={"assumeRolePolicy": _condition(StringEquals={f"{ISSUER}:sub": _SUB})},
        missing=("assumeRolePolicy", False),
        unknown="assumeRolePolicy",
        setting=(
            {"audiences": ["vault"]},
            {"assumeRolePolicy": _condition(StringEquals={f"{ISSUER}:sub": _SUB, f"{ISSUER}:aud": "vault"})},
            False,
        ),
        also=(
            ("native-role", {"assumeRolePolicyDocument/Statement/0/Condition/StringEquals": {f"{ISSUER}:aud": "x"}}),
        ),
    ),
    "role-is-not-trusted-to-everybody": Case(
        on="role",
        broken={"assumeRolePolicy": _trusting({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"})},
        missing=("assumeRolePolicy", False),
        unknown="assumeRolePolicy",
        setting=(
            {"everybody": ["*", "arn:aws:iam::666666666666:root"]},
            {
                "assumeRolePolicy": _trusting(
                    {"Effect": "Allow", "Principal": {"AWS": "arn:aws:iam::666666666666:root"}, "Action": "sts:*"}
                )
            },
            True,
        ),
        also=(
            ("native-role", {"assumeRolePolicyDocument/Statement/0/Principal": {"AWS": ["*"]}}),
            ("role", _everybody({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/ci"}})),
            ("role", _everybody({"ArnNotEquals": {"aws:PrincipalArn": "arn:aws:iam::1:role/ci"}})),
        ),
        passes=(
            ("role", _everybody({"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/ci"}})),
            ("role", _everybody({"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/ci-*"}})),
        ),
    ),
    "trust-of-another-account-asks-for-an-external-id": Case(
        on="foreign-role",
        broken={"assumeRolePolicy/Statement/Condition": None},
        missing=("assumeRolePolicy/Statement/Condition", True),
        unknown="assumeRolePolicy/Statement/Condition",
        setting=({"ownAccounts": ["210987654321"]}, {"assumeRolePolicy/Statement/Condition": None}, False),
        also=(
            ("foreign-role", {"assumeRolePolicy/Statement/Condition": {"StringLike": {"sts:ExternalId": "*"}}}),
            ("foreign-role", {"arn": "unknown", "assumeRolePolicy/Statement/Condition": None}),
            (
                "foreign-role",
                {
                    "assumeRolePolicy/Statement/Condition": None,
                    "assumeRolePolicy/Statement/Principal": {"AWS": ["210987654321", f"arn:aws:iam::{ACCOUNT}:root"]},
                },
            ),
        ),
        passes=(
            (
                "foreign-role",
                {"assumeRolePolicy/Statement/Condition": {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}},
            ),
            (
                "foreign-role",
                {
                    "assumeRolePolicy/Statement/Condition": None,
                    "assumeRolePolicy/Statement/Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                },
            ),
            ("node-role", {}),
        ),
    ),
    "irsa-issuer-is-this-stacks": Case(
        on="role",
        world=("oidc-provider",),
        broken={"assumeRolePolicy": json.dumps(trust(_OTHER_ISSUER))},
        missing=("assumeRolePolicy", False),
        unknown="assumeRolePolicy",
        setting=({"issuers": [_OTHER_ISSUER]}, {"assumeRolePolicy": json.dumps(trust(_OTHER_ISSUER))}, False),
        passes=(("oidc-provider", {"url": "https://token.actions.githubusercontent.com"}),),
    ),
    "irsa-role-serves-one-service-account": Case(
        on="pod-identity",
        world=("role", "service-account", "pod-identity-role"),
        broken={"roleArn": f"arn:aws:iam::{ACCOUNT}:role/controller"},
        missing=("roleArn", False),
        unknown="roleArn",
        setting=({"maxServiceAccounts": 2}, {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/controller"}, False),
    ),
    "oidc-provider-audience-is-sts-alone": Case(
        on="oidc-provider",
        broken={"clientIdLists": ["sts.amazonaws.com", "vault"]},
        missing=("clientIdLists", True),
        unknown="clientIdLists",
        setting=({"audiences": ["sts.amazonaws.com", "vault"]}, {"clientIdLists": ["vault"]}, False),
        also=(
            ("native-oidc-provider", {"clientIdList": ["vault"]}),
            ("oidc-provider", {"url": "unknown", "clientIdLists": ["sts.amazonaws.com", "vault"]}),
        ),
        passes=(
            ("oidc-provider", {"url": "https://token.actions.githubusercontent.com", "clientIdLists": ["github"]}),
            ("oidc-provider", {"url": "unknown", "clientIdLists": ["github"]}),
        ),
    ),
    "role-for-pods-has-a-permissions-boundary": Case(
        on="role",
        broken={"permissionsBoundary": None},
        missing=("permissionsBoundary", True),
        unknown="permissionsBoundary",
        setting=({"exemptRoles": ["controller"]}, {"permissionsBoundary": None}, False),
        also=(("pod-identity-role", {"permissionsBoundary": None}), ("native-role", {"permissionsBoundary": None})),
        passes=(("node-role", {}),),
    ),
}

_DELETE = "elasticloadbalancing:DeleteLoadBalancer"
PERMISSIONS: dict[str, Case] = {
    "policy-names-its-actions": Case(
        on="policy",
        broken={"policy": _allowing("s3:*", "arn:aws:s3:::one/*")},
        missing=("policy", False),
        unknown="policy",
        setting=({"allowedWildcards": ["s3:*"]}, {"policy": _allowing("s3:*", "arn:aws:s3:::one/*")}, False),
        also=(
            ("policy", {"policy": _allowing("*")}),
            ("policy", {"policy": {"Statement": {"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}}}),
            ("role-policy", {"policy": _allowing(["s3:GetObject", "ec2:Delete*"])}),
            ("role", {"inlinePolicies/0/policy": _allowing("ec2:*")}),
            ("native-role", {"policies/0/policyDocument/Statement/0/Action": "ec2:*"}),
            ("native-policy", {"policyDocument/Statement/0/Action": "ec2:*"}),
        ),
        passes=(
            ("policy", {"policy": _allowing(["s3:Get*", "ec2:Describe*"])}),
            ("policy", {"policy": json.dumps({"Statement": {"Effect": "Deny", "Action": "*", "Resource": "*"}})}),
        ),
    ),
    "policy-names-what-it-writes-to": Case(
        on="policy",
        broken={"policy": _allowing("ec2:TerminateInstances")},
        missing=("policy", False),
        unknown="policy",
        setting=({"allowedActions": []}, {"policy": _allowing("elasticloadbalancing:CreateRule")}, True),
        also=(
            ("role-policy", {"policy": _allowing(["s3:GetObject", "s3:PutObject"], ["arn:aws:s3:::one/*", "*"])}),
            ("native-policy", {"policyDocument/Statement/0/Action": "s3:PutObject"}),
        ),
        passes=(
            ("policy", {"policy": _allowing("elasticloadbalancing:CreateRule")}),
            ("policy", {"policy": _allowing(["cloudwatch:PutMetricData", "xray:PutTraceSegments"])}),
            ("policy", {"policy": _allowing(["xray:PutTelemetryRecords", "ssmmessages:OpenDataChannel"])}),
            (
                "policy",
                {
                    "policy": _allowing(
                        "ec2:TerminateInstances", Condition={"StringEquals": {"aws:ResourceTag/team": "shop"}}
                    )
                },
            ),
        ),
    ),
    "policy-names-the-secrets-it-reads": Case(
        on="policy",
        broken={"policy": _allowing("secretsmanager:GetSecretValue")},
        missing=("policy", False),
        unknown="policy",
        setting=({"actions": ["s3:GetObject"]}, {"policy": _allowing("secretsmanager:GetSecretValue")}, False),
        also=(
            ("policy", {"policy": _allowing("ssm:GetParameter*", f"arn:aws:ssm:us-west-2:{ACCOUNT}:parameter/*")}),
            ("policy", {"policy": _allowing("secretsmanager:Get*", "arn:aws:secretsmanager:*:*:secret:*")}),
            ("policy", {"policy": _allowing("s3:GetObject", "arn:aws:s3:::*/*")}),
            ("role-policy", {"policy": _allowing(["s3:Get*", "s3:List*"])}),
            ("native-policy", {"policyDocument/Statement/0/Action": "s3:GetObject"}),
        ),
        passes=(
            ("policy", {"policy": _allowing("s3:GetObject", "arn:aws:s3:::shop/*")}),
            ("policy", {"policy": _allowing("ssm:GetParameter", f"arn:aws:ssm:us-west-2:{ACCOUNT}:parameter/shop/*")}),
            (
                "policy",
                {"policy": _allowing("secretsmanager:GetSecretValue", "arn:aws:secretsmanager:*:*:secret:shop-*")},
            ),
            (
                "policy",
                {
                    "policy": _allowing(
                        "secretsmanager:GetSecretValue",
                        Condition={"StringEquals": {"secretsmanager:ResourceTag/team": "shop"}},
                    )
                },
            ),
        ),
    ),
    "role-for-pods-cannot-raise-its-rights": Case(
        on="pod-identity-role",
        broken={"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]},
        missing=("managedPolicyArns", False),
        unknown="managedPolicyArns",
        setting=({"policies": []}, {"managedPolicyArns": ["arn:aws:iam::aws:policy/IAMFullAccess"]}, False),
        also=(
            ("role", {"inlinePolicies/0/policy": _allowing("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/*")}),
            ("role", {"inlinePolicies/0/policy": _allowing("iam:CreatePolicyVersion")}),
            ("native-role", {"policies/0/policyDocument/Statement/0/Action": "iam:Attach*"}),
            ("role", {"inlinePolicies/0/policy": _allowing("sts:AssumeRole")}),
        ),
        passes=(
            ("role", {"inlinePolicies/0/policy": _allowing("iam:PassRole", f"arn:aws:iam::{ACCOUNT}:role/nodes")}),
            ("node-role", {"managedPolicyArns": ["arn:aws:iam::aws:policy/AdministratorAccess"]}),
            (
                "role",
                {
                    "inlinePolicies/0/policy": _allowing(
                        "iam:AttachRolePolicy", Condition={"StringEquals": {"iam:PermissionsBoundary": "arn"}}
                    )
                },
            ),
        ),
    ),
    "controller-policy-is-bound-to-its-cluster": Case(
        on="policy",
        broken={"policy": _allowing(_DELETE, Condition={"Null": {"aws:ResourceTag/elbv2.k8s.aws/cluster": "false"}})},
        missing=("policy", False),
        unknown="policy",
        setting=({"actions": ["elasticloadbalancing:CreateRule"]}, {"policy": _allowing(_DELETE)}, False),
        also=(
            ("role", {"inlinePolicies/0/policy": _allowing(_DELETE)}),
            ("native-policy", {"policyDocument/Statement/2/Condition": None}),
        ),
    ),
    "no-iam-access-keys": Case(
        on="access-key",
        broken={"user": "person"},
        missing=("user", True),
        unknown="user",
        setting=({"allowedUsers": []}, {}, True),
    ),
    "node-role-leaves-load-balancers-alone": Case(
        on="node-role",
        broken={"inlinePolicies/0/policy": json.dumps(DOCUMENT)},
        missing=("inlinePolicies", False),
        unknown="inlinePolicies/0/policy",
        setting=({"actions": ["ecr:GetX"]}, {}, True),
    ),
    "node-role-leaves-addresses-alone": Case(
        on="attachment",
        world=("node-role", "role"),
        broken={"policyArn": _CNI},
        missing=("policyArn", False),
        unknown="policyArn",
        setting=({"policies": ["AmazonEKSWorkerNodePolicy"]}, {}, True),
        also=(("node-role", {"managedPolicyArns": [_CNI]}),),
        passes=(("attachment", {"policyArn": _CNI, "role": "controller"}),),
    ),
}

_ADMIN_POLICY = "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy"
_UNNAMED = [
    "--aws-vpc-id=vpc-1",
    "--aws-region=us-west-2",
    "--disable-ingress-class-annotation",
    "true",
    "--disable-ingress-group-name-annotation=true",
]
ACCESS: dict[str, Case] = {
    "cluster-admins-are-named-by-the-profile": Case(
        on="access-policy",
        broken={"policyArn": _ADMIN_POLICY},
        missing=("policyArn", False),
        unknown="principalArn",
        setting=({"adminPrincipals": ["arn:aws:iam::*:role/readers"]}, {"policyArn": _ADMIN_POLICY}, False),
        also=(("access-policy", {"policyArn": _ADMIN_POLICY, "accessScope": None}),),
        passes=(("access-policy", {"policyArn": _ADMIN_POLICY, "accessScope/type": "namespace"}),),
    ),
    "aws-auth-makes-no-administrator": Case(
        on="aws-auth",
        broken={"data/mapRoles": "- rolearn: arn:aws:iam::1:role/ci\n  groups:\n  - system:masters\n"},
        missing=("data", False),
        unknown="data/mapRoles",
        setting=({"adminGroups": ["system:nodes"]}, {}, True),
        also=(("aws-auth", {"data/mapUsers": '[{"groups": ["system:masters"]}]'}),),
        passes=(("aws-auth", {"metadata/name": "other", "data/mapRoles": "system:masters"}),),
    ),
    "role-bindings-serve-named-subjects": Case(
        on="role-binding",
        broken={"subjects/0/name": "system:authenticated"},
        missing=("subjects", False),
        unknown="subjects/0/name",
        setting=({"publicRoles": ["view"]}, {"subjects/0/name": "system:authenticated"}, False),
        also=(
            ("role-binding", {"subjects/0/name": "system:masters"}),
            ("role-binding", {"subjects/0": {"kind": "User", "name": "system:anonymous"}}),
            ("role-binding", {"subjects": [{"kind": "User", "name": "one"}, {"name": "system:unauthenticated"}]}),
        ),
        passes=(("role-binding", {"roleRef/name": "system:discovery", "subjects/0/name": "system:authenticated"}),),
    ),
    "cluster-admin-is-bound-to-named-subjects": Case(
        on="role-binding",
        broken={"roleRef/name": "cluster-admin"},
        missing=("roleRef/name", False),
        unknown="roleRef/name",
        setting=({"adminSubjects": ["Group/readers"]}, {"roleRef/name": "cluster-admin"}, False),
        also=(
            (
                "role-binding",
                {
                    "roleRef/name": "cluster-admin",
                    "subjects/0": {"kind": "ServiceAccount", "namespace": "shop", "name": "one"},
                },
            ),
        ),
    ),
    "chart-carries-no-static-aws-keys": Case(
        on="other-release",
        broken={"values/aws/credentials": {"accessKey": "A", "secretKey": "B"}},
        missing=("values/aws", False),
        unknown="values/aws",
        setting=({"awsValues": []}, {"values/aws/credentials": {"secretKey": "B"}}, False),
        also=(
            ("other-release", {"values/storage": {"s3": {"secretKey": "B"}}}),
            ("other-release", {"values/awsSecretAccessKey": "B"}),
            ("other-release", {"values/aws_access_key_id": "A"}),
            ("other-release", {"values/env/0": {"name": "AWS_SECRET_ACCESS_KEY", "value": "B"}}),
            ("other-release", {"values/env": {"AWS_ACCESS_KEY_ID": "A"}}),
            ("other-release", {"values/credentials": {"cloud": "[default]\naws_access_key_id = A\n"}}),
            ("other-release", {"values/anything": f"AKIA{'A' * 16}"}),
        ),
        passes=(
            ("other-release", {"values/awsSecretAccessKey": "", "values/aws/secretKey": None}),
            ("other-release", {"values/secretKey": "of something else"}),
        ),
    ),
}
CONTROLLER: dict[str, Case] = {
    "controller-webhooks-are-on-and-refuse": Case(
        on="webhooks",
        broken={"webhooks/0/failurePolicy": "Ignore"},
        missing=("webhooks/0/failurePolicy", False),
        unknown="webhooks/0/failurePolicy",
        setting=({"lenientWebhooks": ["vingress.elbv2.k8s.aws"]}, {"webhooks/0/failurePolicy": "Ignore"}, False),
        also=(
            ("release", {"values/enableServiceMutatorWebhook": False}),
            ("release", {"values/webhookConfig": {"disableIngressValidation": True}}),
            ("release", {"values/webhookConfig": {"ingressValdationFailurePolicy": "Ignore"}}),
            ("release", {"values/serviceMutatorWebhookConfig": {"failurePolicy": "Ignore"}}),
        ),
        passes=(
            ("webhooks", {"webhooks/0": {"name": "mpod.elbv2.k8s.aws", "failurePolicy": "Ignore"}}),
            ("webhooks", {"webhooks/0": {"name": "another.example.com", "failurePolicy": "Ignore"}}),
        ),
    ),
    "controller-keeps-restricted-security-group-rules": Case(
        on="release",
        broken={"values/disableRestrictedSecurityGroupRules": True},
        missing=("values/disableRestrictedSecurityGroupRules", False),
        unknown="values/disableRestrictedSecurityGroupRules",
        setting=({"flags": []}, {"values/disableRestrictedSecurityGroupRules": True}, False),
        also=(("controller", {f"{_C0}/args/6": "--disable-restricted-sg-rules=true"}),),
        passes=(("controller", {f"{_C0}/args/6": "--disable-restricted-sg-rules=false"}),),
    ),
    "controller-knows-region-vpc-and-cluster": Case(
        on="controller",
        broken={f"{_C0}/args": _UNNAMED},
        missing=(f"{_C0}/args", True),
        unknown=f"{_C0}/args/3",
        setting=({"flags": ["cluster-name"]}, {f"{_C0}/args/2": "--log-level=info"}, False),
        also=(("release", {"values/vpcId": None}), ("release", {"values/region": ""})),
        passes=(
            ("release", {"values/vpcId": None, "values/vpcTags": {"Name": "main"}}),
            ("controller", {f"{_C0}/args": ["--cluster-name", "a", "--aws-region", "b", "--aws-vpc-id", "c"]}),
            ("release", {"values/region": None, "valueYamlFiles": ["values.yaml"]}),
            ("release", {"values/region": None, "values/env": {"AWS_REGION": "us-west-2"}}),
            (
                "controller",
                {f"{_C0}/args/2": "--log-level=info", f"{_C0}/env": [{"name": "AWS_DEFAULT_REGION", "value": "a"}]},
            ),
        ),
    ),
    "controller-is-out-of-known-vulnerabilities": Case(
        on="controller",
        broken={f"{_C0}/image": "public.ecr.aws/eks/aws-load-balancer-controller:v3.2.0"},
        missing=(f"{_C0}/image", False),
        unknown=f"{_C0}/image",
        setting=({"floor": "3.6.0"}, {}, True),
        also=(
            ("release", {"values/image/tag": "v2.8.1"}),
            ("release", {"values/image": None, "version": "1.12.0"}),
        ),
        passes=(("release", {"values/image": None}),),
    ),
    "controller-image-is-pinned": Case(
        on="controller",
        broken={f"{_C0}/image": "public.ecr.aws/eks/aws-load-balancer-controller:latest"},
        missing=(f"{_C0}/image", True),
        unknown=f"{_C0}/image",
        setting=({"minParts": 1}, {f"{_C0}/image": "public.ecr.aws/eks/aws-load-balancer-controller:v3"}, False),
        also=(("release", {"values/image/tag": None, "version": None}),),
        passes=(
            ("controller", {f"{_C0}/image": f"public.ecr.aws/eks/aws-load-balancer-controller@sha256:{'0' * 64}"}),
        ),
    ),
    "controller-image-comes-from-an-allowed-registry": Case(
        on="controller",
        broken={f"{_C0}/image": "docker.io/someone/aws-load-balancer-controller:v3.5.0"},
        missing=(f"{_C0}/image", False),
        unknown=f"{_C0}/image",
        setting=({"registries": ["mirror.example.com/*"]}, {}, True),
        also=(("release", {"values/image/repository": "someone/aws-load-balancer-controller"}),),
        passes=(
            (
                "controller",
                {
                    f"{_C0}/image": "602401143452.dkr.ecr.us-west-2.amazonaws.com/amazon/"
                    "aws-load-balancer-controller:v3.5.0"
                },
            ),
        ),
    ),
    "controller-refuses-legacy-annotations": Case(
        on="controller",
        broken={f"{_C0}/args/4": "--disable-ingress-class-annotation=false"},
        missing=(f"{_C0}/args/5", True),
        unknown=f"{_C0}/args/4",
        setting=(
            {"flags": ["disable-ingress-group-name-annotation"]},
            {f"{_C0}/args/4": "--log-level=info"},
            False,
        ),
        also=(("release", {"values/disableIngressGroupNameAnnotation": None}),),
    ),
    "controller-makes-load-balancers-internal-by-default": Case(
        on="controller",
        broken={f"{_C0}/args/6": "--default-load-balancer-scheme=internet-facing"},
        missing=(f"{_C0}/args/6", False),
        unknown=f"{_C0}/args/6",
        setting=(
            {"schemes": ["internal", "internet-facing"]},
            {f"{_C0}/args/6": "--default-load-balancer-scheme=internet-facing"},
            False,
        ),
        also=(("release", {"values/defaultLoadBalancerScheme": "internet-facing"}),),
    ),
    "cluster-has-one-controller": Case(
        on="release",
        world=("controller-for-others",),
        broken={"values/ingressClass": "other", "values/loadBalancerClass": "example.com/other"},
        missing=("values/image", False),
        unknown="values/region",
        setting=(
            {"maxInstalls": 2},
            {"values/ingressClass": "other", "values/loadBalancerClass": "example.com/other"},
            False,
        ),
    ),
    "controller-webhook-certificate-is-stable": Case(
        on="release",
        broken={"values/webhookTLS": {}},
        missing=("values/webhookTLS", True),
        unknown="values/webhookTLS",
        setting=({"ownAuthorities": []}, {}, False),
        also=(("webhook-secret", {"data/ca.crt": certificate("aws-load-balancer-controller-ca")}),),
        passes=(
            ("release", {"values/webhookTLS": None, "values/enableCertManager": True}),
            ("webhook-secret", {"data": "[secret]"}),
            ("webhook-secret", {"data/ca.crt": "no certificate"}),
        ),
    ),
    "controller-runs-two-replicas": Case(
        on="controller",
        broken={"spec/replicas": 1},
        missing=("spec/replicas", True),
        unknown="spec/replicas",
        setting=({"minReplicas": 1}, {"spec/replicas": 1}, False),
        also=(
            ("release", {"values/replicaCount": 1}),
            ("release", {"values/autoscaling": {"enabled": True, "minReplicas": 1}}),
        ),
        passes=(("release", {"values/replicaCount": None}),),
    ),
    "controller-has-a-disruption-budget": Case(
        on="budget",
        world=("controller",),
        broken={"spec/selector/matchLabels/app.kubernetes.io~name": "another"},
        missing=("spec/selector", True),
        unknown="spec/selector",
        setting=({"limits": ["minAvailable"]}, {}, True),
        also=(("release", {"values/podDisruptionBudget": {}}), ("budget", {"metadata/namespace": "elsewhere"})),
    ),
    "controller-replicas-are-spread": Case(
        on="controller",
        broken={f"{_POD}/topologySpreadConstraints": []},
        missing=(f"{_POD}/topologySpreadConstraints", True),
        unknown=f"{_POD}/topologySpreadConstraints",
        setting=({"singleReplica": 2}, {f"{_POD}/topologySpreadConstraints": []}, False),
        also=(("release", {"values/configureDefaultAffinity": False}),),
        passes=(
            (
                "controller",
                {f"{_POD}/topologySpreadConstraints": None, f"{_POD}/affinity": {"podAntiAffinity": {"x": 1}}},
            ),
        ),
    ),
    "controller-states-its-resources": Case(
        on="controller",
        broken={f"{_C0}/resources": {"requests": {"cpu": "100m"}}},
        missing=(f"{_C0}/resources", True),
        unknown=f"{_C0}/resources",
        setting=({"needed": []}, {f"{_C0}/resources": {}}, False),
        also=(("release", {"values/resources": {}}),),
    ),
    "controller-security-context-is-hardened": Case(
        on="controller",
        broken={f"{_C0}/securityContext/allowPrivilegeEscalation": True},
        missing=(f"{_C0}/securityContext", True),
        unknown=f"{_C0}/securityContext/runAsNonRoot",
        setting=({"mustBeOn": ["privateTmp"]}, {}, True),
        also=(
            ("controller", {f"{_POD}/hostNetwork": True}),
            ("controller", {f"{_C0}/securityContext/privileged": True}),
            ("release", {"values/securityContext": {"readOnlyRootFilesystem": False}}),
            ("release", {"values/hostNetwork": True}),
        ),
        passes=(
            (
                "controller",
                {
                    f"{_C0}/securityContext/runAsNonRoot": None,
                    f"{_POD}/securityContext": {"runAsNonRoot": True},
                },
            ),
        ),
    ),
    "workload-carries-no-static-aws-keys": Case(
        on="deployment",
        broken={f"{_C0}/env/0/name": "AWS_SECRET_ACCESS_KEY"},
        missing=(f"{_C0}/env", False),
        unknown=f"{_C0}/env/0/name",
        setting=({"variables": ["A"]}, {}, True),
        also=(
            ("controller", {f"{_C0}/env/0": {"name": "AWS_ACCESS_KEY_ID", "valueFrom": {"secretKeyRef": {}}}}),
            ("cron-job", {"spec/jobTemplate/spec/template/spec/containers/0/env/0/name": "AWS_ACCESS_KEY_ID"}),
            ("release", {"values/env/AWS_ACCESS_KEY_ID": "AKIA"}),
            ("release", {"values/envSecretName": "keys"}),
            ("deployment", {f"{_POD}/initContainers": [{"env": [{"name": "AWS_ACCESS_KEY_ID"}]}]}),
            ("credentials-file", {"stringData/config": "[default]\naws_secret_access_key = A\n"}),
            ("credentials-file", {"data": {"credentials": _encoded("[default]\nAWS_ACCESS_KEY_ID=A\n")}}),
            ("credentials-file", {"stringData/notes": f"the key is AKIA{'A' * 16}"}),
            ("aws-auth", {"data/credentials": "aws_secret_access_key = A"}),
        ),
    ),
    "controller-reads-no-secrets-cluster-wide": Case(
        on="release",
        broken={"values/clusterSecretsPermissions/allowAllSecrets": True},
        missing=("values/clusterSecretsPermissions", False),
        unknown="values/clusterSecretsPermissions/allowAllSecrets",
        setting=({"resources": []}, {}, False),
        also=(
            ("cluster-role", {"rules/0/resources": ["services", "secrets"]}),
            ("cluster-role", {"rules/0": {"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}}),
        ),
        passes=(
            ("cluster-role", {"rules/0/resources": ["secrets"], "rules/0/resourceNames": ["oidc"]}),
            ("cluster-role", {"rules/0/resources": ["secrets"], "metadata/name": "another"}),
        ),
    ),
}

EXPOSURE: dict[str, Case] = {
    "load-balancer-targets-are-pods": Case(
        on="ingress",
        broken={alb("target-type"): "instance"},
        missing=(alb("target-type"), True),
        unknown=alb("target-type"),
        setting=({"targetTypes": ["ip", "instance"]}, {alb("target-type"): "instance"}, False),
        also=(
            ("service", {nlb("nlb-target-type"): "instance"}),
            ("service", {nlb("nlb-target-type"): None}),
            ("class-params", {"spec/targetType": "instance"}),
            ("target-groups", {"spec/defaultConfiguration/targetType": "instance"}),
            ("target-groups", {"spec/defaultConfiguration": None}),
            ("target-groups", {"spec/routeConfigurations": [{"targetGroupProps": {"targetType": "instance"}}]}),
        ),
        passes=(
            ("service", {nlb("nlb-target-type"): None, nlb("type"): "nlb-ip", "spec/loadBalancerClass": None}),
            ("class-params", {"spec/targetType": None}),
            ("ingress", {"spec/ingressClassName": "nginx", "metadata/annotations": {}}),
        ),
    ),
    "load-balancer-is-internal-unless-its-namespace-may-be-public": Case(
        on="ingress",
        broken={alb("scheme"): "internet-facing"},
        missing=(alb("scheme"), False),
        unknown=alb("scheme"),
        setting=({"publicNamespaces": ["shop"]}, {alb("scheme"): "internet-facing"}, False),
        also=(
            ("service", {nlb("scheme"): "internet-facing"}),
            ("service", {nlb("scheme"): None, nlb("internal"): "false"}),
            ("ingress", {alb("frontend-nlb-scheme"): "internet-facing"}),
            ("class-params", {"spec/scheme": "internet-facing"}),
            ("gateway-configuration", {"spec/scheme": "internet-facing"}),
            ("own-load-balancer", {"internal": False}),
            ("native-load-balancer", {"scheme": "internet-facing"}),
        ),
        passes=(("own-load-balancer", {"internal": None, "loadBalancerType": "gateway"}),),
    ),
    "source-ranges-take-effect": Case(
        on="service",
        broken={nlb("security-groups"): "sg-1"},
        missing=("spec/loadBalancerSourceRanges", False),
        unknown="spec/loadBalancerSourceRanges",
        setting=({"ignoredAnnotations": [f"{NLB}scheme"]}, {}, True),
        also=(
            ("service", {nlb("disable-nlb-sg"): "true"}),
            ("service", {_RANGES: "10.0.0.0/16"}),
            ("service", {nlb("source-ranges"): "10.0.0.0/16", "spec/loadBalancerSourceRanges": None}),
            ("ingress", {alb("security-groups"): "sg-1"}),
            ("ingress", {_RANGES: "10.0.0.0/16"}),
        ),
        passes=(
            (
                "service",
                {nlb("disable-nlb-sg"): "true", nlb("target-group-attributes"): "preserve_client_ip.enabled=true"},
            ),
            ("ingress", {alb("security-groups"): "sg-1", alb("inbound-cidrs"): None}),
        ),
    ),
    "source-ranges-are-given": Case(
        on="service",
        broken={"spec/loadBalancerSourceRanges": None},
        missing=("spec/loadBalancerSourceRanges", True),
        unknown="spec/loadBalancerSourceRanges",
        setting=({"openNamespaces": ["shop"]}, {"spec/loadBalancerSourceRanges": None}, False),
        also=(
            ("ingress", {alb("inbound-cidrs"): None}),
            ("ingress", {alb("inbound-cidrs"): "0.0.0.0/0"}),
            ("ingress", {alb("inbound-cidrs"): "10.0.0.0/8, ::/0"}),
            ("service", {"spec/loadBalancerSourceRanges": ["0.0.0.0/0"]}),
            ("class-params", {"spec/inboundCIDRs": ["0.0.0.0/0"]}),
            ("class-params", {"spec/inboundCIDRs": None}),
            ("gateway-configuration", {"spec/sourceRanges": ["10.0.0.0/8", "0.0.0.0/0"]}),
            ("gateway-configuration", {"spec/sourceRanges": None}),
        ),
        passes=(
            ("gateway-configuration", {"spec/sourceRanges": None, "spec/securityGroupPrefixes": ["pl-1"]}),
            ("class-params", {"spec/inboundCIDRs": None, "spec/prefixListsIDs": ["pl-1"]}),
        ),
    ),
    "no-classic-load-balancer": Case(
        on="service",
        broken={"spec/loadBalancerClass": None},
        missing=("spec/loadBalancerClass", True),
        unknown="spec/loadBalancerClass",
        setting=({"classes": ["example.com/other"]}, {"spec/loadBalancerClass": "example.com/other"}, False),
        also=(
            ("service", {"spec/loadBalancerClass": None, nlb("type"): "nlb"}),
            ("classic-load-balancer", {}),
        ),
        passes=(
            ("service", {"spec/type": "ClusterIP", "spec/loadBalancerClass": None}),
            ("service", {"spec/loadBalancerClass": None, nlb("type"): "external"}),
        ),
    ),
    "service-has-no-external-ips": Case(
        on="service",
        broken={"spec/externalIPs": ["203.0.113.7"]},
        missing=("spec/externalIPs", False),
        unknown="spec/externalIPs",
        setting=({"allowedAddresses": ["203.0.113.7"]}, {"spec/externalIPs": ["203.0.113.7"]}, False),
    ),
}

_OLD_TLS = "ELBSecurityPolicy-2016-08"
ENCRYPTION: dict[str, Case] = {
    "load-balancer-tls-is-1-2-or-later": Case(
        on="ingress",
        broken={alb("ssl-policy"): _OLD_TLS},
        missing=(alb("ssl-policy"), True),
        unknown=alb("ssl-policy"),
        setting=({"policies": [_OLD_TLS]}, {alb("ssl-policy"): _OLD_TLS}, False),
        also=(
            ("service", {nlb("ssl-negotiation-policy"): None}),
            ("service", {nlb("ssl-negotiation-policy"): "ELBSecurityPolicy-TLS13-1-1-2021-06"}),
            ("class-params", {"spec/sslPolicy": _OLD_TLS}),
            ("gateway-configuration", {"spec/listenerConfigurations/0/sslPolicy": _OLD_TLS}),
            ("gateway-configuration", {"spec/listenerConfigurations/0/sslPolicy": None}),
        ),
        passes=(
            ("service", {nlb("ssl-negotiation-policy"): None, nlb("ssl-cert"): None}),
            ("class-params", {"spec/sslPolicy": None}),
        ),
    ),
    "listener-tls-is-1-2-or-later": Case(
        on="listener",
        broken={"sslPolicy": _OLD_TLS},
        missing=("sslPolicy", True),
        unknown="sslPolicy",
        setting=({"policies": [_OLD_TLS]}, {"sslPolicy": _OLD_TLS}, False),
        passes=(
            ("listener", {"sslPolicy": None, "protocol": "HTTP"}),
            ("listener", {"sslPolicy": "ELBSecurityPolicy-FS-1-2-Res-2020-10"}),
        ),
    ),
    "listener-redirects-http-to-https": Case(
        on="http-listener",
        broken={"defaultActions/0": {"type": "forward", "targetGroupArn": "arn"}},
        missing=("defaultActions", True),
        unknown="defaultActions",
        setting=({"plainPorts": [80]}, {"defaultActions/0/type": "forward", "defaultActions/0/redirect": None}, False),
        also=(("http-listener", {"defaultActions/0/redirect/protocol": "#{protocol}"}),),
        passes=(("listener", {}),),
    ),
    "gateway-redirects-http-to-https": Case(
        on="served-gateway",
        world=("gateway-class", "gateway-configuration", "redirecting-route"),
        broken={"spec/listeners/0/name": "other"},
        missing=("spec/listeners/0", False),
        unknown="spec/listeners",
        setting=({"plainNamespaces": ["shop"]}, {"spec/listeners/0/name": "other"}, False),
        also=(
            ("redirecting-route", {"spec/rules/0/filters": []}),
            ("redirecting-route", {"spec/rules": None}),
            ("redirecting-route", {"spec/parentRefs/0/name": "another"}),
            ("redirecting-route", {"metadata/namespace": "another"}),
        ),
        passes=(("redirecting-route", {"spec/parentRefs/0/sectionName": None}),),
    ),
    "alb-redirects-http-to-https": Case(
        on="ingress",
        broken=_REDIRECTING,
        missing=(alb("ssl-redirect"), True),
        unknown=alb("listen-ports"),
        setting=({"plainNamespaces": ["shop"]}, _REDIRECTING, False),
        also=(
            ("ingress", {alb("listen-ports"): None, alb("certificate-arn"): None, alb("ssl-redirect"): None}),
            ("ingress", {alb("listen-ports"): '[{"HTTP": "80"}]', alb("ssl-redirect"): None}),
            # a host for which the controller could find a certificate does not make it listen on HTTPS
            (
                "ingress",
                {
                    alb("listen-ports"): None,
                    alb("certificate-arn"): None,
                    alb("ssl-redirect"): None,
                    "spec/tls": [{"hosts": ["shop.example.com"]}],
                },
            ),
        ),
        passes=(("ingress", {alb("listen-ports"): '[{"HTTPS": 443}]', alb("ssl-redirect"): None}),),
    ),
}

_PUBLIC = {alb("scheme"): "internet-facing"}
_NO_ACL = {**_PUBLIC, alb("wafv2-acl-arn"): None}
_LOGGED = "access_logs.s3.enabled=true,access_logs.s3.bucket=logs"
_UNDELETED = "deletion_protection.enabled=true"
_DESYNC = "routing.http.desync_mitigation_mode"
_DROPPING = "routing.http.drop_invalid_header_fields.enabled=true"
PROTECTION: dict[str, Case] = {
    "public-alb-has-a-web-acl": Case(
        on="public-ingress",
        broken={alb("wafv2-acl-arn"): None},
        missing=(alb("wafv2-acl-arn"), True),
        unknown=alb("wafv2-acl-arn"),
        setting=({"exemptNamespaces": ["shop"]}, _NO_ACL, False),
        also=(("gateway-configuration", {"spec/scheme": "internet-facing"}),),
        passes=(
            ("public-ingress", {**_NO_ACL, alb("wafv2-acl-name"): "main"}),
            ("ingress", {alb("wafv2-acl-arn"): None}),
            ("gateway-configuration", {"spec/scheme": "internet-facing", "spec/wafV2": {"webACL": "arn"}}),
            (
                "gateway-configuration",
                {"spec/scheme": "internet-facing", "spec/listenerConfigurations/0/protocolPort": "TLS:443"},
            ),
        ),
    ),
    "own-public-alb-has-a-web-acl": Case(
        on="web-acl-association",
        world=("public-load-balancer",),
        broken={"resourceArn": "arn:aws:elasticloadbalancing:us-west-2:1:loadbalancer/app/another/1"},
        missing=("resourceArn", True),
        unknown="resourceArn",
        setting=({"exemptNames": ["edge"]}, {"resourceArn": "arn"}, False),
        passes=(
            ("public-load-balancer", {"internal": True}),
            ("public-load-balancer", {"loadBalancerType": "network"}),
        ),
    ),
    "alb-does-not-only-monitor-desync": Case(
        on="ingress",
        broken={alb("load-balancer-attributes"): f"{_LOGGED},routing.http.desync_mitigation_mode=monitor"},
        missing=(alb("load-balancer-attributes"), False),
        unknown=alb("load-balancer-attributes"),
        setting=({"exemptNamespaces": ["shop"]}, {alb("load-balancer-attributes"): f"{_DESYNC}=monitor"}, False),
        also=(
            ("own-load-balancer", {"desyncMitigationMode": "monitor"}),
            ("native-load-balancer", {"loadBalancerAttributes": [{"key": _DESYNC, "value": "monitor"}]}),
            ("class-params", {"spec/loadBalancerAttributes": [{"key": _DESYNC, "value": "monitor"}]}),
            ("gateway-configuration", {"spec/loadBalancerAttributes": [{"key": _DESYNC, "value": "monitor"}]}),
        ),
        passes=(("own-load-balancer", {"desyncMitigationMode": "strictest"}),),
    ),
    "alb-waf-fails-closed": Case(
        on="ingress",
        broken={alb("load-balancer-attributes"): "waf.fail_open.enabled=true"},
        missing=(alb("load-balancer-attributes"), False),
        unknown=alb("load-balancer-attributes"),
        setting=(
            {"exemptNamespaces": ["shop"]},
            {alb("load-balancer-attributes"): "waf.fail_open.enabled=true"},
            False,
        ),
        also=(
            ("own-load-balancer", {"enableWafFailOpen": True}),
            ("class-params", {"spec/loadBalancerAttributes": [{"key": "waf.fail_open.enabled", "value": "true"}]}),
        ),
        passes=(("own-load-balancer", {"enableWafFailOpen": False}),),
    ),
    "load-balancer-writes-access-logs": Case(
        on="ingress",
        broken={alb("load-balancer-attributes"): f"access_logs.s3.enabled=false,{_UNDELETED},{_DROPPING}"},
        missing=(alb("load-balancer-attributes"), True),
        unknown=alb("load-balancer-attributes"),
        setting=({"exemptNamespaces": ["shop"]}, {alb("load-balancer-attributes"): None}, False),
        also=(
            ("service", {nlb("attributes"): "deletion_protection.enabled=true"}),
            ("own-load-balancer", {"accessLogs": None}),
            ("native-load-balancer", {"loadBalancerAttributes": []}),
            ("class-params", {"spec/loadBalancerAttributes": [{"key": "access_logs.s3.enabled", "value": "false"}]}),
            ("class-params", {"spec/loadBalancerAttributes": None}),
            ("gateway-configuration", {"spec/loadBalancerAttributes": []}),
        ),
        passes=(
            ("service", {nlb("attributes"): None, nlb("access-log-enabled"): "true"}),
            ("own-load-balancer", {"accessLogs/enabled": "unknown"}),
            ("own-load-balancer", {"accessLogs": None, "loadBalancerType": "gateway"}),
        ),
    ),
    "load-balancer-is-protected-from-deletion": Case(
        on="ingress",
        broken={alb("load-balancer-attributes"): f"{_LOGGED},{_DROPPING},deletion_protection.enabled=false"},
        missing=(alb("load-balancer-attributes"), True),
        unknown=alb("load-balancer-attributes"),
        setting=({"exemptNamespaces": ["shop"]}, {alb("load-balancer-attributes"): None}, False),
        also=(
            ("service", {nlb("attributes"): None}),
            ("own-load-balancer", {"enableDeletionProtection": False}),
            ("native-load-balancer", {"loadBalancerAttributes": None}),
            (
                "gateway-configuration",
                {"spec/loadBalancerAttributes": [{"key": "deletion_protection.enabled", "value": "false"}]},
            ),
        ),
    ),
    "alb-drops-invalid-headers": Case(
        on="ingress",
        broken={alb("load-balancer-attributes"): f"{_LOGGED},{_UNDELETED}"},
        missing=(alb("load-balancer-attributes"), True),
        unknown=alb("load-balancer-attributes"),
        setting=({"exemptNamespaces": ["shop"]}, {alb("load-balancer-attributes"): None}, False),
        also=(("own-load-balancer", {"dropInvalidHeaderFields": None}),),
        passes=(
            ("service", {nlb("attributes"): None}),
            ("own-load-balancer", {"dropInvalidHeaderFields": None, "loadBalancerType": "network"}),
            ("class-params", {"spec": {}}),
        ),
    ),
}

INGRESSES: dict[str, Case] = {
    "ingress-group-is-not-shared-by-annotation": Case(
        on="ingress",
        broken={alb("group.name"): "shared"},
        missing=(alb("group.name"), False),
        unknown=alb("group.name"),
        setting=({"allowedGroups": ["shared"]}, {alb("group.name"): "shared"}, False),
    ),
    "ingress-asks-for-what-the-controller-may": Case(
        on="ingress",
        world=("policy",),
        broken={alb("auth-type"): "cognito"},
        missing=(alb("certificate-arn"), True),
        unknown=alb("certificate-arn"),
        setting=({"actions": ["s3:GetObject"]}, {alb("auth-type"): "cognito"}, False),
        also=(
            ("ingress", {alb("actions.login"): '{"type": "authenticate-cognito"}'}),
            ("ingress", {alb("certificate-arn"): None, "spec/tls": [{"hosts": ["shop.example"]}]}),
        ),
        passes=(
            ("ingress", {alb("auth-type"): "oidc"}),
            ("ingress", {alb("certificate-arn"): None, alb("listen-ports"): '[{"HTTP": 80}]'}),
            ("policy", {"policy": json.dumps(_OF_EVERYTHING)}),
        ),
    ),
    "ingress-names-its-class-in-its-spec": Case(
        on="ingress",
        broken={_CLASS: "alb"},
        missing=("spec/ingressClassName", True),
        unknown="spec/ingressClassName",
        setting=({"defaultClasses": ["internal"]}, {}, False),
        also=(("ingress", {_CLASS: "alb", "spec/ingressClassName": None}),),
    ),
    "ingress-class-params-choose-their-namespaces": Case(
        on="class-params",
        broken={"spec/namespaceSelector": {"matchLabels": {}}},
        missing=("spec/namespaceSelector", True),
        unknown="spec/namespaceSelector",
        setting=({"openParams": ["alb"]}, {"spec/namespaceSelector": None}, False),
        passes=(("class-params", {"spec": None}), ("class-params", {"spec": {}})),
    ),
    "ingress-rules-name-their-hosts": Case(
        on="ingress",
        broken={"spec/rules/0/host": None},
        missing=("spec/rules/0/host", True),
        unknown="spec/rules/0/host",
        setting=({"allowedHosts": ["*.example.com"]}, {"spec/rules/0/host": "*.example.com"}, False),
        also=(
            ("ingress", {"spec/rules/0/host": "*.shop.example.com"}),
            ("ingress", {"spec/rules/0/host": "*"}),
            ("ingress", {"spec/defaultBackend": {"service": {"name": "web"}}}),
        ),
        passes=(
            ("ingress", {"spec/ingressClassName": "nginx", "metadata/annotations": {}, "spec/rules/0/host": None}),
        ),
    ),
    "load-balancer-name-is-given-once": Case(
        on="ingress",
        world=("public-ingress", "service"),
        broken={alb("load-balancer-name"): "edge"},
        missing=(alb("load-balancer-name"), False),
        unknown=alb("load-balancer-name"),
        setting=({"maxLoadBalancers": 2}, {alb("load-balancer-name"): "edge"}, False),
    ),
    "ingress-group-order-is-given-once": Case(
        on="ingress",
        world=("public-ingress",),
        broken={alb("group.name"): "shared", alb("group.order"): "10"},
        missing=(alb("group.order"), False),
        unknown=alb("group.order"),
        setting=({"maxIngresses": 2}, {alb("group.name"): "shared", alb("group.order"): "10"}, False),
    ),
    "load-balancer-annotations-are-on-the-allow-list": Case(
        on="ingress",
        broken={alb("inbound-cidr"): "10.0.0.0/8"},
        missing=("metadata/annotations", False),
        unknown="metadata/annotations",
        setting=({"allowedAnnotations": []}, {}, True),
        also=(("service", {nlb("schema"): "internal"}),),
        passes=(("ingress", {alb("healthcheck-path"): "/ready", alb("actions.one"): "{}"}),),
    ),
    "guarded-annotations-stay-in-admin-namespaces": Case(
        on="ingress",
        broken={alb("actions.forward"): "{}"},
        missing=("metadata/annotations", False),
        unknown="metadata/annotations",
        setting=({"adminNamespaces": ["shop"]}, {alb("auth-type"): "oidc"}, False),
        also=(
            ("service", {nlb("security-groups"): "sg-1"}),
            ("ingress", {alb("auth-idp-oidc"): "{}"}),
            ("ingress", {alb("security-groups"): "sg-1", "metadata/namespace": None}),
        ),
        passes=(("ingress", {alb("auth-type"): "oidc", "metadata/namespace": "kube-system"}),),
    ),
}

BINDINGS: dict[str, Case] = {
    "bindings-stay-in-admin-namespaces": Case(
        on="binding",
        broken={"metadata/namespace": "shop"},
        missing=("metadata/namespace", True),
        unknown="metadata/namespace",
        setting=({"adminNamespaces": ["platform"]}, {}, True),
    ),
    "binding-targets-are-pods": Case(
        on="binding",
        broken={"spec/targetType": "instance"},
        missing=("spec/targetType", False),
        unknown="spec/targetType",
        setting=({"targetTypes": ["ip", "instance"]}, {"spec/targetType": "instance"}, False),
    ),
    "binding-assumes-allowed-roles-only": Case(
        on="binding-elsewhere",
        broken={"spec/assumeRoleExternalId": None},
        missing=("spec/assumeRoleExternalId", True),
        unknown="spec/iamRoleArnToAssume",
        setting=({"allowedRoles": ["arn:aws:iam::999999999999:role/*"]}, {}, True),
        also=(
            ("binding-elsewhere", {"spec/iamRoleArnToAssume": "arn:aws:iam::666666666666:role/anything"}),
            ("binding-elsewhere", {"spec/assumeRoleExternalId": "1"}),
        ),
        passes=(("binding", {}),),
    ),
    "binding-networking-names-its-sources": Case(
        on="open-binding",
        broken={"spec/networking/ingress/0/from/0/ipBlock/cidr": "0.0.0.0/0"},
        missing=("spec/networking", False),
        unknown="spec/networking/ingress/0/from/0/ipBlock/cidr",
        setting=(
            {"openNamespaces": ["kube-system"]},
            {"spec/networking/ingress/0/from/0/ipBlock/cidr": "0.0.0.0/0"},
            False,
        ),
        also=(("open-binding", {"spec/networking/ingress/0/from/0/ipBlock/cidr": "::/0"}),),
        passes=(("open-binding", {"spec/networking/ingress/0/from": [{"securityGroup": {"groupID": "sg-1"}}]}),),
    ),
    "gateway-logins-stay-in-admin-namespaces": Case(
        on="listener-rule",
        broken={"spec/actions": [{"type": "authenticate-oidc"}]},
        missing=("spec/actions", False),
        unknown="spec/actions/0/type",
        setting=({"adminNamespaces": ["shop"]}, {"spec/actions": [{"type": "authenticate-cognito"}]}, False),
        also=(("listener-rule", {"spec/actions": [{"type": "forward"}, {"type": "jwt-validation"}]}),),
    ),
    "gateway-routes-name-their-hosts": Case(
        on="http-route",
        broken={"spec/hostnames": ["*"]},
        missing=("spec/hostnames", True),
        unknown="spec/hostnames",
        setting=({"exemptNamespaces": ["shop"]}, {"spec/hostnames": []}, False),
        also=(("grpc-route", {"spec/hostnames": []}),),
        passes=(("http-route", {"spec/hostnames": ["*.shop.example.com"]}),),
    ),
    "gateway-listeners-choose-their-namespaces": Case(
        on="gateway",
        broken={"spec/listeners/0/allowedRoutes/namespaces/from": "All"},
        missing=("spec/listeners/0/allowedRoutes", False),
        unknown="spec/listeners/0/allowedRoutes/namespaces/from",
        setting=({"openValues": ["All", "Same"]}, {}, True),
    ),
}

CASES: dict[str, Case] = {
    **CLUSTER,
    **NODES,
    **NETWORK,
    **TRUST,
    **PERMISSIONS,
    **ACCESS,
    **CONTROLLER,
    **EXPOSURE,
    **ENCRYPTION,
    **PROTECTION,
    **INGRESSES,
    **BINDINGS,
}
