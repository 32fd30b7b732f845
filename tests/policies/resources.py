"""One compliant resource of each type, which follows all rules.

A world is a few resources that belong together; each test breaks one of them in one way.
"""

import base64
import json
from copy import deepcopy
from typing import Any

ISSUER = "oidc.eks.us-west-2.amazonaws.com/id/0123456789ABCDEF0123456789ABCDEF"
ACCOUNT = "123456789012"
ALB = "alb.ingress.kubernetes.io/"
NLB = "service.beta.kubernetes.io/aws-load-balancer-"
LABELS = {"app.kubernetes.io/name": "aws-load-balancer-controller", "app.kubernetes.io/instance": "lbc"}
TLS_POLICY = "ELBSecurityPolicy-TLS13-1-2-2021-06"
CHART_VERSION = "3.5.0"


def trust(issuer: str = ISSUER) -> dict[str, Any]:
    """A trust policy for one service account."""
    return {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Federated": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{issuer}"},
                "Action": "sts:AssumeRoleWithWebIdentity",
                "Condition": {
                    "StringEquals": {
                        f"{issuer}:sub": "system:serviceaccount:kube-system:aws-load-balancer-controller",
                        f"{issuer}:aud": "sts.amazonaws.com",
                    }
                },
            }
        ],
    }


NODE_TRUST: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"Service": "ec2.amazonaws.com"}, "Action": "sts:AssumeRole"},
    ],
}
DOCUMENT: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Action": ["ec2:DescribeVpcs", "elasticloadbalancing:Describe*"], "Resource": "*"},
        {
            "Effect": "Allow",
            "Action": "elasticloadbalancing:CreateLoadBalancer",
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:RequestTag/elbv2.k8s.aws/cluster": "main"}},
        },
        {
            "Effect": "Allow",
            "Action": ["elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:DeleteTargetGroup"],
            "Resource": "*",
            "Condition": {"StringEquals": {"aws:ResourceTag/elbv2.k8s.aws/cluster": "main"}},
        },
        {"Effect": "Allow", "Action": "s3:PutObject", "Resource": "arn:aws:s3:::main/*"},
    ],
}


def certificate(authority: str) -> str:
    """What a Secret holds of a certificate, as far as rules read it: PEM around bytes that name the authority."""
    body = base64.b64encode(b"0\x82" + authority.encode()).decode()
    return base64.b64encode(f"-----BEGIN CERTIFICATE-----\n{body}\n-----END CERTIFICATE-----\n".encode()).decode()


def meta(namespace: str = "shop", **annotations: str) -> dict[str, Any]:
    return {"name": "one", "namespace": namespace, "annotations": annotations}


def alb(**values: str) -> dict[str, str]:
    return {ALB + name.replace("_", "-"): value for name, value in values.items()}


def nlb(**values: str) -> dict[str, str]:
    return {NLB + name.replace("_", "-"): value for name, value in values.items()}


_CONTAINER: dict[str, Any] = {
    "name": "aws-load-balancer-controller",
    "image": "public.ecr.aws/eks/aws-load-balancer-controller:v3.5.0",
    "args": [
        "--cluster-name=main",
        "--ingress-class=alb",
        "--aws-region=us-west-2",
        "--aws-vpc-id=vpc-1",
        "--disable-ingress-class-annotation=true",
        "--disable-ingress-group-name-annotation=true",
        "--default-load-balancer-scheme=internal",
    ],
    "env": [{"name": "LOG_FORMAT", "value": "json"}],
    "resources": {"requests": {"cpu": "100m", "memory": "128Mi"}, "limits": {"memory": "256Mi"}},
    "securityContext": {
        "readOnlyRootFilesystem": True,
        "runAsNonRoot": True,
        "allowPrivilegeEscalation": False,
    },
}
_CLUSTER = {
    "version": "1.36",
    "upgradePolicy": {"supportType": "STANDARD"},
    "deletionProtection": True,
    "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": False},
}
_ENDPOINTS = {
    "endpointPublicAccess": True,
    "endpointPrivateAccess": True,
    "publicAccessCidrs": ["203.0.113.0/24"],
    "subnetIds": ["subnet-1", "subnet-2"],
}
_LOGS = ["api", "audit", "authenticator", "controllerManager", "scheduler"]
_KEY = {"resources": ["secrets"], "provider": {"keyArn": "arn:aws:kms:us-west-2:123456789012:key/1"}}
_MACHINE = {
    "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
    "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": "true", "volumeSize": 20}}],
    "networkInterfaces": [{"associatePublicIpAddress": "false", "securityGroups": ["sg-1"]}],
}
_NATIVE_MACHINE = {
    "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
    "blockDeviceMappings": [{"deviceName": "/dev/xvda", "ebs": {"encrypted": True}}],
    "networkInterfaces": [{"associatePublicIpAddress": False}],
}
_PRIVATE = {"kubernetes.io/role/internal-elb": "1"}
_SSH = {"protocol": "tcp", "fromPort": 22, "toPort": 22, "cidrBlocks": ["10.0.0.0/8"]}
_RELEASE_VALUES: dict[str, Any] = {
    "clusterName": "main",
    "region": "us-west-2",
    "vpcId": "vpc-1",
    "replicaCount": 2,
    "podDisruptionBudget": {"maxUnavailable": 1},
    "resources": _CONTAINER["resources"],
    "disableIngressClassAnnotation": True,
    "disableIngressGroupNameAnnotation": True,
    "defaultLoadBalancerScheme": "internal",
    "clusterSecretsPermissions": {"allowAllSecrets": False},
    "webhookTLS": {"caCert": "ca", "cert": "cert", "key": "key"},
    "image": {"repository": "public.ecr.aws/eks/aws-load-balancer-controller", "tag": "v3.5.0"},
    "env": {"LOG_FORMAT": "json"},
}
_ATTRIBUTES = (
    "access_logs.s3.enabled=true,access_logs.s3.bucket=logs,deletion_protection.enabled=true,"
    "routing.http.drop_invalid_header_fields.enabled=true"
)
_PAIRS = [{"key": pair.partition("=")[0], "value": pair.partition("=")[2]} for pair in _ATTRIBUTES.split(",")]
_RULES = [{"apiGroups": [""], "resources": ["services"], "verbs": ["get", "list", "watch"]}]
_HTTP_ROUTE = {"metadata": meta(), "spec": {"hostnames": ["shop.example.com"]}}

COMPLIANT: dict[str, tuple[str, dict[str, Any]]] = {
    "cluster": (
        "aws:eks/cluster:Cluster",
        {
            **_CLUSTER,
            "vpcConfig": _ENDPOINTS,
            "enabledClusterLogTypes": _LOGS,
            "encryptionConfig": _KEY,
        },
    ),
    "cluster-inside": (
        "aws:eks/cluster:Cluster",
        {"vpcConfig": {"endpointPublicAccess": False, "endpointPrivateAccess": True}},
    ),
    "native-cluster": (
        "aws-native:eks:Cluster",
        {
            **_CLUSTER,
            "resourcesVpcConfig": _ENDPOINTS,
            "logging": {"clusterLogging": {"enabledTypes": [{"type": kind} for kind in _LOGS]}},
            "encryptionConfig": [_KEY],
        },
    ),
    "node-group": (
        "aws:eks/nodeGroup:NodeGroup",
        {
            "amiType": "AL2023_x86_64_STANDARD",
            "launchTemplate": {"id": "lt-1", "version": "1"},
            "subnetIds": ["subnet-1", "subnet-2"],
            "nodeRoleArn": "arn:aws:iam::123456789012:role/nodes",
        },
    ),
    "node-group-with-ssh": (
        "aws:eks/nodeGroup:NodeGroup",
        {
            "launchTemplate": {"id": "lt-1"},
            "remoteAccess": {"ec2SshKey": "key", "sourceSecurityGroupIds": ["sg-1"]},
        },
    ),
    "native-node-group": (
        "aws-native:eks:Nodegroup",
        {
            "amiType": "BOTTLEROCKET_x86_64",
            "launchTemplate": {"id": "lt-1"},
            "subnets": ["subnet-1"],
            "remoteAccess": {"ec2SshKey": "key", "sourceSecurityGroups": ["sg-1"]},
        },
    ),
    "launch-template": ("aws:ec2/launchTemplate:LaunchTemplate", _MACHINE),
    "native-launch-template": ("aws-native:ec2:LaunchTemplate", {"launchTemplateData": _NATIVE_MACHINE}),
    "instance": (
        "aws:ec2/instance:Instance",
        {
            "metadataOptions": {"httpTokens": "required", "httpPutResponseHopLimit": 1},
            "rootBlockDevice": {"encrypted": True},
            "ebsBlockDevices": [{"deviceName": "/dev/sdb", "encrypted": True}],
            "associatePublicIpAddress": False,
        },
    ),
    "native-instance": ("aws-native:ec2:Instance", _NATIVE_MACHINE),
    "subnet": (
        "aws:ec2/subnet:Subnet",
        {"id": "subnet-1", "availabilityZone": "us-west-2a", "mapPublicIpOnLaunch": False, "tags": _PRIVATE},
    ),
    "other-subnet": (
        "aws:ec2/subnet:Subnet",
        {"id": "subnet-2", "availabilityZone": "us-west-2b", "mapPublicIpOnLaunch": False, "tags": _PRIVATE},
    ),
    "native-subnet": (
        "aws-native:ec2:Subnet",
        {
            "subnetId": "subnet-3",
            "availabilityZone": "us-west-2c",
            "mapPublicIpOnLaunch": False,
            "tags": [{"key": "kubernetes.io/role/internal-elb", "value": "1"}],
        },
    ),
    "security-group": ("aws:ec2/securityGroup:SecurityGroup", {"ingress": [_SSH]}),
    "security-group-rule": ("aws:ec2/securityGroupRule:SecurityGroupRule", {"type": "ingress", **_SSH}),
    "ingress-rule": (
        "aws:vpc/securityGroupIngressRule:SecurityGroupIngressRule",
        {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIpv4": "10.0.0.0/8"},
    ),
    "native-security-group": (
        "aws-native:ec2:SecurityGroup",
        {"securityGroupIngress": [{"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "10.0.0.0/8"}]},
    ),
    "native-ingress-rule": (
        "aws-native:ec2:SecurityGroupIngress",
        {"ipProtocol": "tcp", "fromPort": 22, "toPort": 22, "cidrIp": "10.0.0.0/8"},
    ),
    "oidc-provider": (
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider",
        {"url": f"https://{ISSUER}", "clientIdLists": ["sts.amazonaws.com"]},
    ),
    "native-oidc-provider": (
        "aws-native:iam:OidcProvider",
        {"url": f"https://{ISSUER}", "clientIdList": ["sts.amazonaws.com"]},
    ),
    "role": (
        "aws:iam/role:Role",
        {
            "name": "controller",
            "arn": f"arn:aws:iam::{ACCOUNT}:role/controller",
            "assumeRolePolicy": json.dumps(trust()),
            "permissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
            "inlinePolicies": [{"name": "one", "policy": json.dumps(DOCUMENT)}],
        },
    ),
    "native-role": (
        "aws-native:iam:Role",
        {
            "roleName": "native",
            "assumeRolePolicyDocument": trust(),
            "permissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
            "policies": [{"policyName": "one", "policyDocument": DOCUMENT}],
        },
    ),
    "pod-identity-role": (
        "aws:iam/role:Role",
        {
            "name": "pods",
            "arn": f"arn:aws:iam::{ACCOUNT}:role/pods",
            "assumeRolePolicy": {
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"Service": "pods.eks.amazonaws.com"},
                    "Action": ["sts:AssumeRole", "sts:TagSession"],
                }
            },
            "permissionsBoundary": f"arn:aws:iam::{ACCOUNT}:policy/boundary",
        },
    ),
    "node-role": (
        "aws:iam/role:Role",
        {
            "name": "nodes",
            "assumeRolePolicy": json.dumps(NODE_TRUST),
            "managedPolicyArns": ["arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"],
            "inlinePolicies": [
                {"name": "pull", "policy": json.dumps({"Statement": [{"Effect": "Allow", "Action": ["ecr:GetX"]}]})}
            ],
        },
    ),
    "attachment": (
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment",
        {"role": "nodes", "policyArn": "arn:aws:iam::aws:policy/AmazonEKSWorkerNodePolicy"},
    ),
    "policy": (
        "aws:iam/policy:Policy",
        {"arn": f"arn:aws:iam::{ACCOUNT}:policy/controller", "policy": json.dumps(DOCUMENT)},
    ),
    "role-policy": ("aws:iam/rolePolicy:RolePolicy", {"role": "controller", "policy": json.dumps(DOCUMENT)}),
    "native-policy": ("aws-native:iam:ManagedPolicy", {"policyDocument": DOCUMENT}),
    "access-key": ("aws:iam/accessKey:AccessKey", {"user": "robot"}),
    "pod-identity": (
        "aws:eks/podIdentityAssociation:PodIdentityAssociation",
        {"roleArn": f"arn:aws:iam::{ACCOUNT}:role/pods", "namespace": "shop", "serviceAccount": "one"},
    ),
    "listener": (
        "aws:lb/listener:Listener",
        {"protocol": "HTTPS", "port": 443, "sslPolicy": TLS_POLICY},
    ),
    "own-load-balancer": (
        "aws:lb/loadBalancer:LoadBalancer",
        {
            "internal": True,
            "loadBalancerType": "application",
            "accessLogs": {"enabled": True, "bucket": "logs"},
            "enableDeletionProtection": True,
            "dropInvalidHeaderFields": True,
        },
    ),
    "native-load-balancer": (
        "aws-native:elasticloadbalancingv2:LoadBalancer",
        {
            "scheme": "internal",
            "type": "application",
            "loadBalancerAttributes": _PAIRS,
        },
    ),
    "foreign-role": (
        "aws:iam/role:Role",
        {
            "name": "vendor",
            "arn": f"arn:aws:iam::{ACCOUNT}:role/vendor",
            "assumeRolePolicy": {
                "Statement": {
                    "Effect": "Allow",
                    "Principal": {"AWS": "arn:aws:iam::210987654321:root"},
                    "Action": "sts:AssumeRole",
                    "Condition": {"StringEquals": {"sts:ExternalId": "shop-7"}},
                }
            },
        },
    ),
    "node-class": (
        "kubernetes:karpenter.k8s.aws/v1:EC2NodeClass",
        {"metadata": {"name": "default"}, "spec": {"amiFamily": "AL2023", "role": "nodes"}},
    ),
    "access-policy": (
        "aws:eks/accessPolicyAssociation:AccessPolicyAssociation",
        {
            "principalArn": f"arn:aws:iam::{ACCOUNT}:role/readers",
            "policyArn": "arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy",
            "accessScope": {"type": "cluster"},
        },
    ),
    "aws-auth": (
        "kubernetes:core/v1:ConfigMap",
        {
            "metadata": {"name": "aws-auth", "namespace": "kube-system"},
            "data": {"mapRoles": "- rolearn: arn:aws:iam::1:role/nodes\n  groups: [system:nodes]\n"},
        },
    ),
    "role-binding": (
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRoleBinding",
        {
            "metadata": {"name": "readers"},
            "roleRef": {"kind": "ClusterRole", "name": "view"},
            "subjects": [{"kind": "Group", "name": "readers"}],
        },
    ),
    "other-release": (
        "kubernetes:helm.sh/v3:Release",
        {
            "chart": "external-dns",
            "values": {"provider": "aws", "aws": {"region": "us-west-2"}, "env": [{"name": "A", "value": "1"}]},
        },
    ),
    "webhooks": (
        "kubernetes:admissionregistration.k8s.io/v1:ValidatingWebhookConfiguration",
        {
            "metadata": {"name": "aws-load-balancer-webhook"},
            "webhooks": [{"name": "vingress.elbv2.k8s.aws", "failurePolicy": "Fail"}],
        },
    ),
    "credentials-file": (
        "kubernetes:core/v1:Secret",
        {"metadata": meta(), "stringData": {"config": "[default]\nregion = us-west-2\n"}},
    ),
    "service-account": (
        "kubernetes:core/v1:ServiceAccount",
        {"metadata": meta("kube-system", **{"eks.amazonaws.com/role-arn": f"arn:aws:iam::{ACCOUNT}:role/controller"})},
    ),
    "controller": (
        "kubernetes:apps/v1:Deployment",
        {
            "metadata": {"name": "lbc", "namespace": "kube-system", "labels": LABELS},
            "spec": {
                "replicas": 2,
                "template": {
                    "metadata": {"labels": LABELS},
                    "spec": {
                        "containers": [_CONTAINER],
                        "hostNetwork": False,
                        "topologySpreadConstraints": [
                            {
                                "maxSkew": 1,
                                "topologyKey": "kubernetes.io/hostname",
                                "whenUnsatisfiable": "DoNotSchedule",
                            }
                        ],
                    },
                },
            },
        },
    ),
    "release": (
        "kubernetes:helm.sh/v3:Release",
        {
            "chart": "aws-load-balancer-controller",
            "version": CHART_VERSION,
            "namespace": "kube-system",
            "values": _RELEASE_VALUES,
        },
    ),
    "controller-for-others": (
        "kubernetes:apps/v1:Deployment",
        {
            "metadata": {"name": "other", "namespace": "kube-system", "labels": LABELS},
            "spec": {
                "replicas": 2,
                "template": {
                    "metadata": {"labels": LABELS},
                    "spec": {
                        "containers": [
                            {
                                **_CONTAINER,
                                "args": [
                                    *(one for one in _CONTAINER["args"] if "ingress-class=" not in one),
                                    "--ingress-class=other",
                                    "--load-balancer-class=example.com/other",
                                ],
                            }
                        ],
                        "affinity": {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": []}},
                    },
                },
            },
        },
    ),
    "budget": (
        "kubernetes:policy/v1:PodDisruptionBudget",
        {
            "metadata": {"namespace": "kube-system"},
            "spec": {"maxUnavailable": 1, "selector": {"matchLabels": LABELS}},
        },
    ),
    "cluster-role": (
        "kubernetes:rbac.authorization.k8s.io/v1:ClusterRole",
        {"metadata": {"name": "aws-load-balancer-controller-role"}, "rules": _RULES},
    ),
    "webhook-secret": (
        "kubernetes:core/v1:Secret",
        {"metadata": meta("kube-system"), "type": "kubernetes.io/tls", "data": {"ca.crt": certificate("our own")}},
    ),
    "deployment": (
        "kubernetes:apps/v1:Deployment",
        {"metadata": meta(), "spec": {"template": {"spec": {"containers": [{"name": "web", "env": [{"name": "A"}]}]}}}},
    ),
    "cron-job": (
        "kubernetes:batch/v1:CronJob",
        {
            "metadata": meta(),
            "spec": {"jobTemplate": {"spec": {"template": {"spec": {"containers": [{"env": [{"name": "A"}]}]}}}}},
        },
    ),
    "ingress": (
        "kubernetes:networking.k8s.io/v1:Ingress",
        {
            "metadata": meta(
                **alb(
                    scheme="internal",
                    target_type="ip",
                    certificate_arn="arn:aws:acm:us-west-2:123456789012:certificate/1",
                    listen_ports='[{"HTTP": 80}, {"HTTPS": 443}]',
                    ssl_redirect="443",
                    ssl_policy=TLS_POLICY,
                    inbound_cidrs="10.0.0.0/8",
                    wafv2_acl_arn="arn:aws:wafv2:us-west-2:123456789012:regional/webacl/main/1",
                    load_balancer_attributes=_ATTRIBUTES,
                )
            ),
            "spec": {"ingressClassName": "alb", "rules": [{"host": "shop.example.com"}]},
        },
    ),
    "service": (
        "kubernetes:core/v1:Service",
        {
            "metadata": meta(
                **nlb(
                    scheme="internal",
                    nlb_target_type="ip",
                    ssl_cert="arn:aws:acm:us-west-2:123456789012:certificate/1",
                    ssl_negotiation_policy=TLS_POLICY,
                    attributes="access_logs.s3.enabled=true,deletion_protection.enabled=true",
                )
            ),
            "spec": {
                "type": "LoadBalancer",
                "loadBalancerClass": "service.k8s.aws/nlb",
                "loadBalancerSourceRanges": ["10.0.0.0/8"],
                "externalIPs": [],
            },
        },
    ),
    "public-ingress": (
        "kubernetes:networking.k8s.io/v1:Ingress",
        {
            "metadata": meta(
                **alb(scheme="internet-facing", wafv2_acl_arn="arn:aws:wafv2:one", load_balancer_name="edge"),
                **{f"{ALB}group.name": "shared", f"{ALB}group.order": "10"},
            )
            | {"name": "public"},
            "spec": {"ingressClassName": "alb", "rules": [{"host": "www.example.com"}]},
        },
    ),
    "classic-load-balancer": ("aws:elb/loadBalancer:LoadBalancer", {"listeners": []}),
    "class-params": (
        "kubernetes:elbv2.k8s.aws/v1beta1:IngressClassParams",
        {
            "metadata": {"name": "alb"},
            "spec": {
                "scheme": "internal",
                "targetType": "ip",
                "sslPolicy": TLS_POLICY,
                "namespaceSelector": {"matchLabels": {"team": "shop"}},
                "inboundCIDRs": ["10.0.0.0/8"],
                "loadBalancerAttributes": _PAIRS,
            },
        },
    ),
    "gateway-configuration": (
        "kubernetes:gateway.k8s.aws/v1beta1:LoadBalancerConfiguration",
        {
            "metadata": meta(),
            "spec": {
                "scheme": "internal",
                "sourceRanges": ["10.0.0.0/8"],
                "listenerConfigurations": [{"protocolPort": "HTTPS:443", "sslPolicy": TLS_POLICY}],
                "loadBalancerAttributes": _PAIRS,
            },
        },
    ),
    "binding": (
        "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding",
        {"metadata": meta("kube-system"), "spec": {"targetGroupARN": "arn", "targetType": "ip"}},
    ),
    "binding-elsewhere": (
        "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding",
        {
            "metadata": meta("kube-system"),
            "spec": {
                "iamRoleArnToAssume": "arn:aws:iam::210987654321:role/targets",
                "assumeRoleExternalId": "an-external-id",
            },
        },
    ),
    "open-binding": (
        "kubernetes:elbv2.k8s.aws/v1beta1:TargetGroupBinding",
        {
            "metadata": meta("kube-system"),
            "spec": {"networking": {"ingress": [{"from": [{"ipBlock": {"cidr": "10.0.0.0/16"}}], "ports": []}]}},
        },
    ),
    "target-groups": (
        "kubernetes:gateway.k8s.aws/v1beta1:TargetGroupConfiguration",
        {"metadata": meta(), "spec": {"defaultConfiguration": {"targetType": "ip"}}},
    ),
    "listener-rule": (
        "kubernetes:gateway.k8s.aws/v1beta1:ListenerRuleConfiguration",
        {"metadata": meta(), "spec": {"actions": [{"type": "fixed-response"}]}},
    ),
    "ingress-class": (
        "kubernetes:networking.k8s.io/v1:IngressClass",
        {
            "metadata": {"name": "front"},
            "spec": {"controller": "ingress.k8s.aws/alb", "parameters": {"kind": "IngressClassParams", "name": "alb"}},
        },
    ),
    "http-listener": (
        "aws:lb/listener:Listener",
        {
            "protocol": "HTTP",
            "port": 80,
            "defaultActions": [{"type": "redirect", "redirect": {"protocol": "HTTPS", "statusCode": "HTTP_301"}}],
        },
    ),
    "public-load-balancer": (
        "aws:lb/loadBalancer:LoadBalancer",
        {"name": "edge", "arn": f"arn:aws:elasticloadbalancing:us-west-2:{ACCOUNT}:loadbalancer/app/edge/1"},
    ),
    "web-acl-association": (
        "aws:wafv2/webAclAssociation:WebAclAssociation",
        {"resourceArn": f"arn:aws:elasticloadbalancing:us-west-2:{ACCOUNT}:loadbalancer/app/edge/1"},
    ),
    "gateway-class": (
        "kubernetes:gateway.networking.k8s.io/v1:GatewayClass",
        {"metadata": {"name": "front"}, "spec": {"controllerName": "gateway.k8s.aws/alb"}},
    ),
    "served-gateway": (
        "kubernetes:gateway.networking.k8s.io/v1:Gateway",
        {
            "metadata": {"name": "edge", "namespace": "shop"},
            "spec": {
                "gatewayClassName": "front",
                "infrastructure": {
                    "parametersRef": {"group": "gateway.k8s.aws", "kind": "LoadBalancerConfiguration", "name": "one"}
                },
                "listeners": [
                    {"name": "http", "protocol": "HTTP", "port": 80},
                    {"name": "https", "protocol": "HTTPS", "port": 443},
                ],
            },
        },
    ),
    "redirecting-route": (
        "kubernetes:gateway.networking.k8s.io/v1:HTTPRoute",
        {
            "metadata": meta(),
            "spec": {
                "hostnames": ["shop.example.com"],
                "parentRefs": [{"name": "edge", "sectionName": "http"}],
                "rules": [{"filters": [{"type": "RequestRedirect", "requestRedirect": {"scheme": "https"}}]}],
            },
        },
    ),
    "http-route": ("kubernetes:gateway.networking.k8s.io/v1:HTTPRoute", _HTTP_ROUTE),
    "grpc-route": ("kubernetes:gateway.networking.k8s.io/v1:GRPCRoute", _HTTP_ROUTE),
    "gateway": (
        "kubernetes:gateway.networking.k8s.io/v1:Gateway",
        {
            "metadata": meta(),
            "spec": {"listeners": [{"name": "https", "allowedRoutes": {"namespaces": {"from": "Same"}}}]},
        },
    ),
}

# The one resource that is compliant by configuration only, as nothing else of its type is.
GIVEN: dict[str, dict[str, dict[str, Any]]] = {
    "no-iam-access-keys": {"access-key": {"allowedUsers": ["robot"]}},
    "binding-assumes-allowed-roles-only": {
        "binding-elsewhere": {"allowedRoles": ["arn:aws:iam::210987654321:role/targets"]}
    },
}


def resource(name: str) -> tuple[str, dict[str, Any]]:
    """A copy of a compliant resource: its type and properties."""
    token, props = COMPLIANT[name]
    return token, deepcopy(props)
