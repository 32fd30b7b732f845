"""Where `aws` (Terraform-bridged) and `aws-native` (Cloud Control) keep what rules ask about."""

from typing import Any, Final

from pack.values import count, dig, items, parsed, truth
from pack.views import Kind, at


def _native_log_types(value: Any) -> list[Any]:
    return [dig(item, ["type"]) for item in items(value)]


def _as_native_log_types(types: list[str]) -> list[dict[str, str]]:
    return [{"type": name} for name in types]


def _tags(value: Any) -> dict[Any, Any]:
    """Read tags as a map: aws-native keeps a list of key and value."""
    return value if isinstance(value, dict) else _attributes(value)


def _attributes(value: Any) -> dict[Any, Any]:
    return {str(dig(item, ["key"])): dig(item, ["value"]) for item in items(value)}


def _encryptions(value: Any) -> list[dict[str, Any]]:
    """Read encryption settings: one object in `aws`, a list in `aws-native`, both of resources and provider."""
    return [{"resources": dig(item, ["resources"]), "key": dig(item, ["provider", "keyArn"])} for item in items(value)]


CLUSTER: Final = Kind(
    "cluster",
    {
        "aws:eks/cluster:Cluster": {
            "id": at("name"),
            "public_access": at("vpcConfig.endpointPublicAccess", truth),
            "private_access": at("vpcConfig.endpointPrivateAccess", truth),
            "public_cidrs": at("vpcConfig.publicAccessCidrs"),
            "subnets": at("vpcConfig.subnetIds"),
            "encryptions": at("encryptionConfig", _encryptions),
            "log_types": at("enabledClusterLogTypes"),
            "version": at("version"),
            "support": at("upgradePolicy.supportType"),
            "deletion_protection": at("deletionProtection", truth),
            "authentication": at("accessConfig.authenticationMode"),
            "creator_is_admin": at("accessConfig.bootstrapClusterCreatorAdminPermissions", truth),
        },
        "aws-native:eks:Cluster": {
            "id": at("name"),
            "public_access": at("resourcesVpcConfig.endpointPublicAccess", truth),
            "private_access": at("resourcesVpcConfig.endpointPrivateAccess", truth),
            "public_cidrs": at("resourcesVpcConfig.publicAccessCidrs"),
            "subnets": at("resourcesVpcConfig.subnetIds"),
            "encryptions": at("encryptionConfig", _encryptions),
            "log_types": at("logging.clusterLogging.enabledTypes", _native_log_types, _as_native_log_types),
            "version": at("version"),
            "support": at("upgradePolicy.supportType"),
            "deletion_protection": at("deletionProtection", truth),
            "authentication": at("accessConfig.authenticationMode"),
            "creator_is_admin": at("accessConfig.bootstrapClusterCreatorAdminPermissions", truth),
        },
    },
)

NODE_GROUP: Final = Kind(
    "node group",
    {
        "aws:eks/nodeGroup:NodeGroup": {
            "ami_family": at("amiType"),
            "launch_template": at("launchTemplate"),
            "subnets": at("subnetIds"),
            "role": at("nodeRoleArn"),
            "ssh_key": at("remoteAccess.ec2SshKey"),
            "ssh_sources": at("remoteAccess.sourceSecurityGroupIds"),
        },
        "aws-native:eks:Nodegroup": {
            "ami_family": at("amiType"),
            "launch_template": at("launchTemplate"),
            "subnets": at("subnets"),
            "role": at("nodeRole"),
            "ssh_key": at("remoteAccess.ec2SshKey"),
            "ssh_sources": at("remoteAccess.sourceSecurityGroups"),
        },
    },
)

_metadata = {
    "metadata_service": at("metadataOptions.httpEndpoint"),
    "tokens": at("metadataOptions.httpTokens"),
    "hop_limit": at("metadataOptions.httpPutResponseHopLimit", count),
}
_template = {**_metadata, "disks": at("blockDeviceMappings", items), "interfaces": at("networkInterfaces", items)}
_instance = {
    **_metadata,
    "disks": at("ebsBlockDevices", items),
    "root_disk": at("rootBlockDevice"),
    "public_address": at("associatePublicIpAddress", truth),
}
MACHINE: Final = Kind(
    "launch template, launch configuration or instance",
    {
        "aws:ec2/launchTemplate:LaunchTemplate": _template,
        "aws:ec2/launchConfiguration:LaunchConfiguration": _instance,
        "aws-native:ec2:LaunchTemplate": {
            "metadata_service": at("launchTemplateData.metadataOptions.httpEndpoint"),
            "tokens": at("launchTemplateData.metadataOptions.httpTokens"),
            "hop_limit": at("launchTemplateData.metadataOptions.httpPutResponseHopLimit", count),
            "disks": at("launchTemplateData.blockDeviceMappings", items),
            "interfaces": at("launchTemplateData.networkInterfaces", items),
        },
        "aws:ec2/instance:Instance": _instance,
        "aws-native:ec2:Instance": _template,
    },
)

SUBNET: Final = Kind(
    "subnet",
    {
        "aws:ec2/subnet:Subnet": {
            "id": at("id"),
            "zone": at("availabilityZone"),
            "zone_id": at("availabilityZoneId"),
            "public": at("mapPublicIpOnLaunch", truth),
            "tags": at("tags", _tags),
        },
        "aws-native:ec2:Subnet": {
            "id": at("subnetId"),
            "zone": at("availabilityZone"),
            "zone_id": at("availabilityZoneId"),
            "public": at("mapPublicIpOnLaunch", truth),
            "tags": at("tags", _tags),
        },
    },
)


def _ingress(rule: Any, v4: str, v6: str) -> dict[str, Any]:
    """Read one ingress rule: protocol, ports from and to, and the networks it lets in."""
    return {
        "protocol": dig(rule, ["protocol"]) or dig(rule, ["ipProtocol"]),
        "from": dig(rule, ["fromPort"]),
        "to": dig(rule, ["toPort"]),
        "networks": [*items(dig(rule, [v4])), *items(dig(rule, [v6]))],
        "type": dig(rule, ["type"]),
    }


def _inline(value: Any) -> list[dict[str, Any]]:
    return [_ingress(rule, "cidrBlocks", "ipv6CidrBlocks") for rule in items(value)]


INGRESS_RULES: Final = Kind(
    "security group ingress",
    {
        "aws:ec2/securityGroup:SecurityGroup": {"rules": at("ingress", _inline)},
        "aws:ec2/defaultSecurityGroup:DefaultSecurityGroup": {"rules": at("ingress", _inline)},
        "aws:ec2/securityGroupRule:SecurityGroupRule": {
            "rules": at("", lambda rule: [_ingress(rule, "cidrBlocks", "ipv6CidrBlocks")])
        },
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule": {
            "rules": at("", lambda rule: [_ingress(rule, "cidrIpv4", "cidrIpv6")])
        },
        "aws-native:ec2:SecurityGroup": {
            "rules": at(
                "securityGroupIngress", lambda rules: [_ingress(rule, "cidrIp", "cidrIpv6") for rule in items(rules)]
            )
        },
        "aws-native:ec2:SecurityGroupIngress": {"rules": at("", lambda rule: [_ingress(rule, "cidrIp", "cidrIpv6")])},
    },
)

OIDC_PROVIDER: Final = Kind(
    "IAM OIDC provider",
    {
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
            "url": at("url", str),
            "audiences": at("clientIdLists"),
            "arn": at("arn"),
        },
        "aws-native:iam:OidcProvider": {"url": at("url", str), "audiences": at("clientIdList"), "arn": at("arn")},
    },
)


def _inline_policies(value: Any) -> list[Any]:
    return [parsed(dig(item, ["policy"])) for item in items(value)]


def _native_policies(value: Any) -> list[Any]:
    return [parsed(dig(item, ["policyDocument"])) for item in items(value)]


def _document(value: Any) -> list[Any]:
    return [parsed(value)]


ROLE: Final = Kind(
    "IAM role",
    {
        "aws:iam/role:Role": {
            "id": at("name"),
            "arn": at("arn"),
            "trust": at("assumeRolePolicy", parsed),
            "boundary": at("permissionsBoundary"),
            "documents": at("inlinePolicies", _inline_policies),
            "managed": at("managedPolicyArns"),
        },
        "aws-native:iam:Role": {
            "id": at("roleName"),
            "arn": at("arn"),
            "trust": at("assumeRolePolicyDocument", parsed),
            "boundary": at("permissionsBoundary"),
            "documents": at("policies", _native_policies),
            "managed": at("managedPolicyArns"),
        },
    },
)

_bridged = {"documents": at("policy", _document), "role": at("role"), "arn": at("arn")}
_native = {"documents": at("policyDocument", _document), "role": at("roleName"), "arn": at("policyArn")}
_carrier = {"documents": at("policies", _native_policies)}
PERMISSIONS: Final = Kind(
    "IAM policy document",
    {
        "aws:iam/policy:Policy": _bridged,
        "aws:iam/rolePolicy:RolePolicy": _bridged,
        "aws:iam/userPolicy:UserPolicy": _bridged,
        "aws:iam/groupPolicy:GroupPolicy": _bridged,
        "aws-native:iam:ManagedPolicy": _native,
        "aws-native:iam:RolePolicy": _native,
        "aws-native:iam:UserPolicy": _native,
        "aws-native:iam:GroupPolicy": _native,
        "aws-native:iam:User": _carrier,
        "aws-native:iam:Group": _carrier,
        **ROLE.shapes,
    },
)
ROLE_POLICY: Final = Kind(
    "in-line policy of a role",
    {"aws:iam/rolePolicy:RolePolicy": _bridged, "aws-native:iam:RolePolicy": _native},
)
MANAGED_POLICY: Final = Kind(
    "managed policy",
    {"aws:iam/policy:Policy": _bridged, "aws-native:iam:ManagedPolicy": _native},
)
ATTACHMENT: Final = Kind(
    "policy attachment",
    {
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {"role": at("role"), "policies": at("policyArn", items)},
        "aws:iam/policyAttachment:PolicyAttachment": {"role": at("roles"), "policies": at("policyArn", items)},
        "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": {
            "role": at("roleName"),
            "policies": at("policyArns", items),
        },
    },
)
POD_IDENTITY: Final = Kind(
    "EKS Pod Identity association",
    {
        token: {"role": at("roleArn"), "namespace": at("namespace"), "account": at("serviceAccount")}
        for token in ("aws:eks/podIdentityAssociation:PodIdentityAssociation", "aws-native:eks:PodIdentityAssociation")
    },
)
ADDON: Final = Kind(
    "EKS add-on",
    {token: {"role": at("serviceAccountRoleArn")} for token in ("aws:eks/addon:Addon", "aws-native:eks:Addon")},
)
ACCESS_KEY: Final = Kind(
    "IAM access key",
    {
        token: {"user": at(user), "status": at("status")}
        for token, user in (("aws:iam/accessKey:AccessKey", "user"), ("aws-native:iam:AccessKey", "userName"))
    },
)
LISTENER: Final = Kind(
    "load balancer listener",
    {
        token: {
            "protocol": at("protocol"),
            "port": at("port"),
            "tls_policy": at("sslPolicy"),
            "actions": at("defaultActions", items),
        }
        for token in (
            "aws:lb/listener:Listener",
            "aws:alb/listener:Listener",
            "aws-native:elasticloadbalancingv2:Listener",
        )
    },
)
CLASSIC_LOAD_BALANCER: Final = Kind(
    "Classic load balancer",
    {token: {} for token in ("aws:elb/loadBalancer:LoadBalancer", "aws-native:elasticloadbalancing:LoadBalancer")},
)
_balancer = {
    "id": at("name"),
    "arn": at("arn"),
    "internal": at("internal", truth),
    "kind": at("loadBalancerType"),
    "access_logs": at("accessLogs.enabled", truth),
    "deletion_protection": at("enableDeletionProtection", truth),
    "drops_headers": at("dropInvalidHeaderFields", truth),
    "desync_mode": at("desyncMitigationMode"),
    "waf_fails_open": at("enableWafFailOpen", truth),
}
LOAD_BALANCER: Final = Kind(
    "load balancer of the program's own",
    {
        "aws:lb/loadBalancer:LoadBalancer": _balancer,
        "aws:alb/loadBalancer:LoadBalancer": _balancer,
        "aws-native:elasticloadbalancingv2:LoadBalancer": {
            "id": at("name"),
            "arn": at("loadBalancerArn"),
            "internal": at("scheme", lambda scheme: scheme == "internal"),
            "kind": at("type"),
            "attributes": at("loadBalancerAttributes", _attributes),
        },
    },
)
WEB_ACL_ASSOCIATION: Final = Kind(
    "association of a web ACL",
    {
        token: {"balancer": at("resourceArn")}
        for token in (
            "aws:wafv2/webAclAssociation:WebAclAssociation",
            "aws:wafregional/webAclAssociation:WebAclAssociation",
            "aws-native:wafv2:WebAclAssociation",
        )
    },
)
