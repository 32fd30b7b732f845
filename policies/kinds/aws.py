"""Where `aws` (Terraform-bridged) and `aws-native` (Cloud Control) keep the facts that rules ask about."""

from typing import Any, Final

from pack.values import count, dig, items, truth
from pack.views import Kind, at


def _native_log_types(value: Any) -> list[Any]:
    return [dig(item, ["type"]) for item in items(value)]


def _as_native_log_types(types: list[str]) -> list[dict[str, str]]:
    return [{"type": name} for name in types]


def _tags(value: Any) -> dict[Any, Any]:
    """Read tags as a map: aws-native has a list of keys and values."""
    return value if isinstance(value, dict) else _attributes(value)


def _attributes(value: Any) -> dict[Any, Any]:
    return {str(dig(item, ["key"])): dig(item, ["value"]) for item in items(value)}


def _encryptions(value: Any) -> list[dict[str, Any]]:
    """Read encryption settings: an object in `aws`, a list in `aws-native`, both with resources and provider."""
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
    "template": at("launchTemplate"),
}


def _karpenter_disks(value: Any) -> list[Any]:
    """Read the disks of a Karpenter node class: without any, Karpenter creates encrypted ones."""
    return items(value) or [{"deviceName": "root", "ebs": {"encrypted": True}}]


# Karpenter's defaults for a node class: https://karpenter.sh/docs/concepts/nodeclasses/
_node_class = {
    "metadata_service": at("spec.metadataOptions.httpEndpoint"),
    "tokens": at("spec.metadataOptions.httpTokens", lambda value: value or "required"),
    "hop_limit": at("spec.metadataOptions.httpPutResponseHopLimit", lambda value: 1 if value is None else count(value)),
    "disks": at("spec.blockDeviceMappings", _karpenter_disks),
    "public_address": at("spec.associatePublicIPAddress", truth),
}
# Before v1 it was 2: https://karpenter.sh/docs/upgrading/v1-migration/
_older_node_class = {
    **_node_class,
    "hop_limit": at("spec.metadataOptions.httpPutResponseHopLimit", lambda value: 2 if value is None else count(value)),
}
# EKS Auto Mode decides the rest: https://docs.aws.amazon.com/eks/latest/userguide/create-node-class.html
_auto_mode = {
    "metadata_service": at("", lambda _: "enabled"),
    "tokens": at("", lambda _: "required"),
    "hop_limit": at("", lambda _: 1),
    "disks": at("", lambda _: _karpenter_disks(None)),
    "public_address": at("spec.advancedNetworking.associatePublicIPAddress", truth),
}
MACHINE: Final = Kind(
    "launch template, launch configuration, instance or Karpenter node class",
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
        "aws-native:ec2:Instance": {**_template, "template": at("launchTemplate")},
        "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass": _node_class,
        "kubernetes:karpenter.k8s.aws/v1beta1:EC2NodeClass": _older_node_class,
        "kubernetes:karpenter.k8s.aws/v1alpha1:AWSNodeTemplate": _older_node_class,
        "kubernetes:eks.amazonaws.com/v1:NodeClass": _auto_mode,
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
    """Read one ingress rule: protocol, first and last port, and the networks it allows."""
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

ACCESS_POLICY: Final = Kind(
    "access policy of a cluster",
    {
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation": {
            "principal": at("principalArn"),
            "policy": at("policyArn"),
            "scope": at("accessScope.type"),
        },
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
