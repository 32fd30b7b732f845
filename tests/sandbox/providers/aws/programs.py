"""One program that uses every type: each resource's inputs, and a later version's changes."""

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from cryptography.hazmat.primitives.asymmetric import ec

from sandbox.providers.aws.types import kinds
from sandbox.providers.tls import certificates, keys

Get = Callable[[str], Any]
"""Another resource of the program, by name: made first."""

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": ["eks.amazonaws.com", "ec2.amazonaws.com", "pods.eks.amazonaws.com"]},
            "Action": ["sts:AssumeRole", "sts:TagSession"],
        }
    ],
}


def policy(action: str) -> str:
    statement = {"Effect": "Allow", "Action": action, "Resource": "*"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


@cache
def certificate(name: str) -> dict[str, str]:
    key = keys.written(ec.generate_private_key(ec.SECP256R1()))[1]["privateKeyPem"]
    from datetime import UTC, datetime  # noqa: PLC0415 - beside its only use

    asked = {"privateKeyPem": key, "dnsNames": [name], "allowedUses": ["server_auth"], "validityPeriodHours": 24}
    made = certificates.self_signed({**asked, "subject": {"commonName": name}}, datetime.now(UTC))[1]
    return {"privateKey": key, "certificateBody": made["certPem"]}


@dataclass(frozen=True)
class Example:
    """One resource.

    Attributes:
        type: Its type.
        inputs: What it is given, from the other resources of the program.
        later: What a later version of the program gives it besides, in place.
    """

    type: str
    inputs: Callable[[Get], dict[str, Any]]
    later: dict[str, Any] = field(default_factory=dict)


def tagged(**later: Any) -> dict[str, Any]:
    return {"tags": {"Name": "other", "team": "own"}, **later}


EXAMPLES: dict[str, Example] = {
    "vpc": Example(
        "aws:ec2/vpc:Vpc",
        lambda _: {"cidrBlock": "10.0.0.0/16", "enableDnsHostnames": True, "tags": {"Name": "vpc"}},
        tagged(enableDnsHostnames=False),
    ),
    "ipv6": Example(
        "aws:ec2/vpcIpv6CidrBlockAssociation:VpcIpv6CidrBlockAssociation",
        lambda get: {"vpcId": get("vpc").id, "assignGeneratedIpv6CidrBlock": True},
    ),
    "subnet": Example(
        "aws:ec2/subnet:Subnet",
        lambda get: {"vpcId": get("vpc").id, "cidrBlock": "10.0.1.0/24", "availabilityZone": "us-west-2a"},
        tagged(mapPublicIpOnLaunch=True),
    ),
    "other-subnet": Example(
        "aws:ec2/subnet:Subnet",
        lambda get: {"vpcId": get("vpc").id, "cidrBlock": "10.0.2.0/24", "availabilityZone": "us-west-2b"},
    ),
    "gateway": Example("aws:ec2/internetGateway:InternetGateway", lambda get: {"vpcId": get("vpc").id}, tagged()),
    "address": Example("aws:ec2/eip:Eip", lambda _: {"domain": "vpc"}, tagged()),
    "nat": Example(
        "aws:ec2/natGateway:NatGateway",
        lambda get: {"subnetId": get("subnet").id, "allocationId": get("address").id},
        tagged(),
    ),
    "table": Example("aws:ec2/routeTable:RouteTable", lambda get: {"vpcId": get("vpc").id}, tagged()),
    "route": Example(
        "aws:ec2/route:Route",
        lambda get: {
            "routeTableId": get("table").id,
            "destinationCidrBlock": "0.0.0.0/0",
            "gatewayId": get("gateway").id,
        },
    ),
    "association": Example(
        "aws:ec2/routeTableAssociation:RouteTableAssociation",
        lambda get: {"routeTableId": get("table").id, "subnetId": get("subnet").id},
    ),
    "endpoint": Example(
        "aws:ec2/vpcEndpoint:VpcEndpoint",
        lambda get: {
            "vpcId": get("vpc").id,
            "serviceName": "com.amazonaws.us-west-2.s3",
            "routeTableIds": [get("table").id],
        },
        tagged(),
    ),
    "tag": Example(
        "aws:ec2/tag:Tag",
        lambda get: {"resourceId": get("other-subnet").id, "key": "owner", "value": "a"},
        {"value": "b"},
    ),
    "group": Example(
        "aws:ec2/securityGroup:SecurityGroup",
        lambda get: {
            "vpcId": get("vpc").id,
            "egress": [{"protocol": "-1", "fromPort": 0, "toPort": 0, "cidrBlocks": ["0.0.0.0/0"]}],
            "ingress": [{"protocol": "tcp", "fromPort": 1, "toPort": 2, "self": True}],
        },
        tagged(ingress=[{"protocol": "tcp", "fromPort": 1, "toPort": 3, "cidrBlocks": ["10.0.0.0/8", "11.0.0.0/8"]}]),
    ),
    "closed-group": Example("aws:ec2/securityGroup:SecurityGroup", lambda get: {"vpcId": get("vpc").id}),
    "ingress": Example(
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        lambda get: {
            "securityGroupId": get("closed-group").id,
            "ipProtocol": "tcp",
            "fromPort": 9443,
            "toPort": 9443,
            "referencedSecurityGroupId": get("group").id,
            "description": "webhooks",
        },
        tagged(toPort=9444),
    ),
    "egress": Example(
        "aws:vpc/securityGroupEgressRule:SecurityGroupEgressRule",
        lambda get: {"securityGroupId": get("closed-group").id, "ipProtocol": "-1", "cidrIpv4": "10.0.0.0/16"},
        tagged(cidrIpv4="10.0.0.0/8"),
    ),
    "template": Example(
        "aws:ec2/launchTemplate:LaunchTemplate",
        lambda get: {
            "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
            "vpcSecurityGroupIds": [get("closed-group").id],
            "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"volumeSize": 20, "encrypted": "true"}}],
            "tagSpecifications": [{"resourceType": "instance", "tags": {"a": "b"}}],
        },
        tagged(instanceType="t3.large"),
    ),
    "role": Example(
        "aws:iam/role:Role",
        lambda _: {"assumeRolePolicy": json.dumps(TRUST, indent=2)},
        tagged(description="a role", maxSessionDuration=7200),
    ),
    "admin": Example("aws:iam/role:Role", lambda _: {"assumeRolePolicy": json.dumps(TRUST), "name": "admin"}),
    "policy": Example("aws:iam/policy:Policy", lambda _: {"policy": policy("s3:*")}, tagged(policy=policy("ec2:*"))),
    "inline": Example(
        "aws:iam/rolePolicy:RolePolicy",
        lambda get: {"role": get("role").id, "policy": policy("s3:*")},
        {"policy": policy("ec2:*")},
    ),
    "attachment": Example(
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        lambda get: {"role": get("role").id, "policyArn": get("policy").id},
    ),
    "issuer": Example(
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        lambda _: {"url": "https://oidc.eks.us-west-2.amazonaws.com/id/ABC", "clientIdLists": ["sts.amazonaws.com"]},
        tagged(),
    ),
    "key": Example("aws:kms/key:Key", lambda _: {"enableKeyRotation": True}, tagged(description="a key")),
    "alias": Example("aws:kms/alias:Alias", lambda get: {"name": "alias/a-key", "targetKeyId": get("key").id}),
    "logs": Example("aws:cloudwatch/logGroup:LogGroup", lambda _: {"retentionInDays": 30}, tagged(retentionInDays=60)),
    "certificate": Example(
        "aws:acm/certificate:Certificate",
        lambda _: certificate("one.example.org"),
        tagged(**certificate("two.example.org")),
    ),
    "requested": Example(
        "aws:acm/certificate:Certificate",
        lambda _: {"domainName": "shop.example.org", "validationMethod": "DNS"},
        tagged(),
    ),
    "zone": Example("aws:route53/zone:Zone", lambda _: {"name": "example.org"}, tagged()),
    "proof": Example(
        "aws:route53/record:Record",
        lambda get: {
            "zoneId": get("zone").id,
            "name": get("requested")["domainValidationOptions"][0]["resourceRecordName"],
            "type": "CNAME",
            "ttl": 300,
            "records": [get("requested")["domainValidationOptions"][0]["resourceRecordValue"]],
        },
        {"ttl": 60},
    ),
    "issued": Example(
        "aws:acm/certificateValidation:CertificateValidation",
        lambda get: {"certificateArn": get("requested").id, "validationRecordFqdns": [get("proof")["fqdn"]]},
    ),
    "bucket": Example("aws:s3/bucket:Bucket", lambda _: {}, tagged()),
    "authorities": Example(
        "aws:s3/bucketObjectv2:BucketObjectv2",
        lambda get: {
            "bucket": get("bucket").id,
            "key": "authorities/all.pem",
            "content": certificate("authority.example")["certificateBody"],
            "contentType": "application/x-pem-file",
        },
        tagged(contentType="text/plain"),
    ),
    "trust-store": Example(
        "aws:lb/trustStore:TrustStore",
        lambda get: {
            "caCertificatesBundleS3Bucket": get("authorities")["bucket"],
            "caCertificatesBundleS3Key": get("authorities")["key"],
        },
        tagged(),
    ),
    "bucket-policy": Example(
        "aws:s3/bucketPolicy:BucketPolicy",
        lambda get: {"bucket": get("bucket").id, "policy": policy("s3:GetObject")},
        {"policy": policy("s3:PutObject")},
    ),
    "bucket-access": Example(
        "aws:s3/bucketPublicAccessBlock:BucketPublicAccessBlock",
        lambda get: {"bucket": get("bucket").id, "blockPublicAcls": True},
        {"blockPublicPolicy": True},
    ),
    "targets": Example(
        "aws:lb/targetGroup:TargetGroup",
        lambda get: {
            "vpcId": get("vpc").id,
            "port": 8080,
            "protocol": "HTTP",
            "targetType": "ip",
            "healthCheck": {"path": "/healthz", "matcher": "200"},
        },
        tagged(deregistrationDelay=15, healthCheck={"path": "/readyz", "matcher": "200-299"}),
    ),
    "balancer": Example(
        "aws:lb/loadBalancer:LoadBalancer",
        lambda get: {
            "internal": True,
            "subnets": [get("other-subnet").id, get("subnet").id],
            "securityGroups": [get("group").id],
        },
        tagged(idleTimeout=30),
    ),
    "listener": Example(
        "aws:lb/listener:Listener",
        lambda get: {
            "loadBalancerArn": get("balancer").id,
            "port": 80,
            "protocol": "HTTP",
            "defaultActions": [{"type": "forward", "forward": {"targetGroups": [{"arn": get("targets").id}]}}],
        },
        tagged(
            defaultActions=[
                {"type": "fixed-response", "fixedResponse": {"contentType": "text/plain", "statusCode": "404"}}
            ]
        ),
    ),
    "cluster": Example(
        "aws:eks/cluster:Cluster",
        lambda get: {
            "roleArn": get("role")["arn"],
            "version": "1.36",
            "vpcConfig": {"subnetIds": [get("subnet").id, get("other-subnet").id], "endpointPublicAccess": True},
            "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
            "enabledClusterLogTypes": ["audit", "api"],
            "upgradePolicy": {"supportType": "STANDARD"},
            "encryptionConfig": {"provider": {"keyArn": get("key")["arn"]}, "resources": ["secrets"]},
        },
        tagged(enabledClusterLogTypes=["api"]),
    ),
    "nodes": Example(
        "aws:eks/nodeGroup:NodeGroup",
        lambda get: {
            "clusterName": get("cluster").id,
            "nodeRoleArn": get("role")["arn"],
            "subnetIds": [get("subnet").id],
            "instanceTypes": ["t3.medium"],
            "scalingConfig": {"minSize": 1, "maxSize": 2, "desiredSize": 1},
            "launchTemplate": {"id": get("template").id, "version": "1"},
        },
        tagged(scalingConfig={"minSize": 1, "maxSize": 3, "desiredSize": 2}, labels={"a": "b"}),
    ),
    "addon": Example(
        "aws:eks/addon:Addon",
        lambda get: {"clusterName": get("cluster").id, "addonName": "vpc-cni", "resolveConflictsOnCreate": "OVERWRITE"},
        tagged(serviceAccountRoleArn="arn:aws:iam::123456789012:role/cni"),
    ),
    "entry": Example(
        "aws:eks/accessEntry:AccessEntry",
        lambda get: {"clusterName": get("cluster").id, "principalArn": get("admin")["arn"]},
        tagged(kubernetesGroups=["viewers"]),
    ),
    "access": Example(
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        lambda get: {
            "clusterName": get("cluster").id,
            "principalArn": get("entry")["principalArn"],
            "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSClusterAdminPolicy",
            "accessScope": {"type": "cluster"},
        },
    ),
    "identity": Example(
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        lambda get: {
            "clusterName": get("cluster").id,
            "namespace": "kube-system",
            "serviceAccount": "controller",
            "roleArn": get("role")["arn"],
        },
        tagged(),
    ),
}
"""Every resource by name, each after those that it is made from."""


def types_without_an_example() -> set[str]:
    return set(kinds()) - {example.type for example in EXAMPLES.values()}
