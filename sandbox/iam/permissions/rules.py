"""The resources on which each action is authorized: one line per action, from the Service Authorization Reference.

https://docs.aws.amazon.com/service-authorization/latest/reference/reference_policies_actions-resources-contextkeys.html

A line names resources, each as `TYPE:PART,PART`: a type of the reference, and the values of its ARN's variables in
order. A part is a parameter's path (`LaunchTemplateData.SubnetId`; lists fan out), or `*` if only the service knows the
value. A part that is an ARN itself stays as it is.

    ?TYPE    only if the parameters are given
    +TYPE    created by this call
    ~TYPE    created by this call, and authorized only if it is tagged
    !PATH    another way to name a resource, which the sandbox does not support: refused

`ids:PATH` are EC2's ids, whose prefixes give their types; `arns:PATH` are ARNs.

Actions on no resource need no line, because the reference lists them. Actions in neither place are refused.
"""

_GROUP_RULE = "security-group:GroupId !GroupName"

EC2 = {
    "AllocateAddress": "+elastic-ip:*",
    "AssignPrivateIpAddresses": "network-interface:NetworkInterfaceId",
    "AssociateAddress": "elastic-ip:AllocationId !PublicIp ?instance:InstanceId ?network-interface:NetworkInterfaceId",
    "AssociateRouteTable": "route-table:RouteTableId ?subnet:SubnetId ?internet-gateway:GatewayId",
    "AttachInternetGateway": "internet-gateway:InternetGatewayId vpc:VpcId",
    "AttachNetworkInterface": "instance:InstanceId network-interface:NetworkInterfaceId",
    "AuthorizeSecurityGroupEgress": _GROUP_RULE + " ~security-group-rule:*",
    "AuthorizeSecurityGroupIngress": _GROUP_RULE + " ~security-group-rule:*",
    "CreateInternetGateway": "+internet-gateway:*",
    "CreateLaunchTemplate": "+launch-template:*",
    "CreateLaunchTemplateVersion": "launch-template:LaunchTemplateId !LaunchTemplateName",
    "CreateNatGateway": "+natgateway:* ?subnet:SubnetId ?elastic-ip:AllocationId",
    "CreateNetworkInterface": "+network-interface:* subnet:SubnetId ?security-group:Groups",
    "CreateRoute": "route-table:RouteTableId",
    "CreateRouteTable": "+route-table:* vpc:VpcId",
    "CreateSecurityGroup": "+security-group:* vpc:VpcId",
    "CreateSubnet": "+subnet:* vpc:VpcId",
    "CreateTags": "ids:Resources",
    "CreateVpc": "+vpc:*",
    "CreateVpcEndpoint": "+vpc-endpoint:* vpc:VpcId ?route-table:RouteTableIds ?subnet:SubnetIds"
    " ?security-group:SecurityGroupIds",
    "DeleteInternetGateway": "internet-gateway:InternetGatewayId",
    "DeleteLaunchTemplate": "launch-template:LaunchTemplateId !LaunchTemplateName",
    "DeleteNatGateway": "natgateway:NatGatewayId",
    "DeleteNetworkInterface": "network-interface:NetworkInterfaceId",
    "DeleteRoute": "route-table:RouteTableId",
    "DeleteRouteTable": "route-table:RouteTableId",
    "DeleteSecurityGroup": _GROUP_RULE,
    "DeleteSubnet": "subnet:SubnetId",
    "DeleteTags": "ids:Resources",
    "DeleteVpc": "vpc:VpcId",
    "DeleteVpcEndpoints": "vpc-endpoint:VpcEndpointIds",
    "DescribeVpcAttribute": "vpc:VpcId",
    "DetachInternetGateway": "internet-gateway:InternetGatewayId vpc:VpcId",
    "DisassociateAddress": "elastic-ip:AssociationId !PublicIp",
    "DisassociateRouteTable": "route-table:AssociationId",
    "GetCoipPoolUsage": "coip-pool:PoolId",
    "GetSecurityGroupsForVpc": "vpc:VpcId",
    "ModifyInstanceAttribute": "instance:InstanceId ?security-group:Groups",
    "ModifyLaunchTemplate": "launch-template:LaunchTemplateId !LaunchTemplateName",
    "ModifyNetworkInterfaceAttribute": "network-interface:NetworkInterfaceId ?security-group:Groups",
    "ModifySecurityGroupRules": _GROUP_RULE + " security-group-rule:SecurityGroupRules.SecurityGroupRuleId",
    "ModifySubnetAttribute": "subnet:SubnetId",
    "ModifyVpcAttribute": "vpc:VpcId",
    "ReleaseAddress": "elastic-ip:AllocationId !PublicIp",
    "ReplaceRoute": "route-table:RouteTableId",
    "RevokeSecurityGroupEgress": _GROUP_RULE,
    "RevokeSecurityGroupIngress": _GROUP_RULE,
    "RunInstances": "+instance:* +network-interface:* +volume:* ?image:ImageId ?subnet:SubnetId"
    " ?security-group:SecurityGroupIds ?launch-template:LaunchTemplate.LaunchTemplateId"
    " ?subnet:NetworkInterfaces.SubnetId ?security-group:NetworkInterfaces.Groups"
    " ?network-interface:NetworkInterfaces.NetworkInterfaceId !IamInstanceProfile !KeyName !SecurityGroups"
    " !LaunchTemplate.LaunchTemplateName !Placement.GroupName !BlockDeviceMappings.Ebs.SnapshotId"
    " !CapacityReservationSpecification !LicenseSpecifications",
    "TerminateInstances": "instance:InstanceIds",
    "UnassignPrivateIpAddresses": "network-interface:NetworkInterfaceId",
}

_BALANCER, _GROUP, _LISTENER, _RULE = (f"arns:{n}Arn" for n in ("LoadBalancer", "TargetGroup", "Listener", "Rule"))

ELASTICLOADBALANCING = {
    "AddListenerCertificates": _LISTENER,
    "AddTags": "arns:ResourceArns",
    "CreateListener": _BALANCER + " ~listener:LoadBalancerArn,*",
    "CreateLoadBalancer": "+loadbalancer/TYPE/:Name,*",
    "CreateRule": _LISTENER + " ~listener-rule:ListenerArn,*",
    "CreateTargetGroup": "+targetgroup:Name,*",
    "DeleteListener": _LISTENER,
    "DeleteLoadBalancer": _BALANCER,
    "DeleteRule": _RULE,
    "DeleteTargetGroup": _GROUP,
    "DeregisterTargets": _GROUP,
    "ModifyCapacityReservation": _BALANCER,
    "ModifyIpPools": _BALANCER,
    "ModifyListener": _LISTENER,
    "ModifyListenerAttributes": _LISTENER,
    "ModifyLoadBalancerAttributes": _BALANCER,
    "ModifyRule": _RULE,
    "ModifyTargetGroup": _GROUP,
    "ModifyTargetGroupAttributes": _GROUP,
    "RegisterTargets": _GROUP,
    "RemoveListenerCertificates": _LISTENER,
    "RemoveTags": "arns:ResourceArns",
    "SetIpAddressType": _BALANCER,
    "SetRulePriorities": "arns:RulePriorities.RuleArn",
    "SetSecurityGroups": _BALANCER,
    "SetSubnets": _BALANCER,
}

# Elastic Load Balancing's first API: the same service name, but different parameters.
_CLASSIC = "loadbalancer:LoadBalancerName"
CLASSIC = {
    "AddTags": "loadbalancer:LoadBalancerNames",
    "ApplySecurityGroupsToLoadBalancer": _CLASSIC,
    "AttachLoadBalancerToSubnets": _CLASSIC,
    "ConfigureHealthCheck": _CLASSIC,
    "CreateLoadBalancer": "+" + _CLASSIC,
    "CreateLoadBalancerListeners": _CLASSIC,
    "CreateLoadBalancerPolicy": _CLASSIC,
    "DeleteLoadBalancer": _CLASSIC,
    "DeleteLoadBalancerListeners": _CLASSIC,
    "DeregisterInstancesFromLoadBalancer": _CLASSIC,
    "DetachLoadBalancerFromSubnets": _CLASSIC,
    "ModifyLoadBalancerAttributes": _CLASSIC,
    "RegisterInstancesWithLoadBalancer": _CLASSIC,
    "RemoveTags": "loadbalancer:LoadBalancerNames",
    "SetLoadBalancerListenerSSLCertificate": _CLASSIC,
    "SetLoadBalancerPoliciesForBackendServer": _CLASSIC,
    "SetLoadBalancerPoliciesOfListener": _CLASSIC,
}

_ROLE, _POLICY, _OIDC, _USER = (
    "role:RoleName",
    "policy:PolicyArn",
    "oidc-provider:OpenIDConnectProviderArn",
    "user:UserName",
)
_PROFILE = "instance-profile:InstanceProfileName"
IAM = {
    "SimulatePrincipalPolicy": "arns:PolicySourceArn",
    **dict.fromkeys(
        (
            "AttachRolePolicy", "DeleteRole", "DeleteRolePermissionsBoundary", "DeleteRolePolicy", "DetachRolePolicy",
            "GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListInstanceProfilesForRole", "ListRolePolicies",
            "ListRoleTags", "PutRolePermissionsBoundary", "PutRolePolicy", "TagRole", "UntagRole",
            "UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription",
        ),
        _ROLE,
    ),
    **dict.fromkeys(
        (
            "CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "GetPolicy", "GetPolicyVersion",
            "ListEntitiesForPolicy", "ListPolicyTags", "ListPolicyVersions", "SetDefaultPolicyVersion", "TagPolicy",
            "UntagPolicy",
        ),
        _POLICY,
    ),
    **dict.fromkeys(
        (
            "AddClientIDToOpenIDConnectProvider", "DeleteOpenIDConnectProvider", "GetOpenIDConnectProvider",
            "ListOpenIDConnectProviderTags", "RemoveClientIDFromOpenIDConnectProvider", "TagOpenIDConnectProvider",
            "UntagOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint",
        ),
        _OIDC,
    ),
    **dict.fromkeys(
        (
            "AttachUserPolicy", "CreateAccessKey", "CreateUser", "DeleteAccessKey", "DeleteUser", "DeleteUserPolicy",
            "DetachUserPolicy", "GetUser", "GetUserPolicy", "ListAccessKeys", "ListAttachedUserPolicies",
            "ListUserPolicies", "ListUserTags", "PutUserPolicy", "TagUser", "UntagUser",
        ),
        _USER,
    ),
    **dict.fromkeys(("AddRoleToInstanceProfile", "DeleteInstanceProfile", "GetInstanceProfile",
                     "RemoveRoleFromInstanceProfile", "TagInstanceProfile", "UntagInstanceProfile"), _PROFILE),
    "CreateInstanceProfile": "+" + _PROFILE,
    "CreateOpenIDConnectProvider": "+oidc-provider:Url",
    "CreatePolicy": "+policy:PolicyName",
    "CreateRole": "+" + _ROLE,
    "CreateServiceLinkedRole": "service-linked-role:AWSServiceName",
    "CreateUser": "+" + _USER,
    "GetServerCertificate": "server-certificate:ServerCertificateName",
}  # fmt: skip

STS = {"AssumeRole": "role:RoleArn"}

_IN_CLUSTER = "cluster:clusterName"
_NODES, _ADDON = "nodegroup:clusterName,nodegroupName,*", "addon:clusterName,addonName,*"
_ENTRY, _ASSOCIATION = "access-entry:clusterName,principalArn", "podidentityassociation:clusterName,associationId"
EKS = {
    "AssociateAccessPolicy": _ENTRY,
    "AssociateEncryptionConfig": _IN_CLUSTER,
    "CreateAccessEntry": _IN_CLUSTER + " ~" + _ENTRY,
    "CreateAddon": _IN_CLUSTER + " ~" + _ADDON,
    "CreateCluster": "~cluster:name",
    "CreateNodegroup": _IN_CLUSTER + " ~" + _NODES,
    "CreatePodIdentityAssociation": _IN_CLUSTER + " ~podidentityassociation:clusterName,*",
    "DeleteAccessEntry": _ENTRY,
    "DeleteAddon": _ADDON,
    "DeleteCluster": "cluster:name",
    "DeleteNodegroup": _NODES,
    "DeletePodIdentityAssociation": _ASSOCIATION,
    "DescribeAccessEntry": _ENTRY,
    "DescribeAddon": _ADDON,
    "DescribeCluster": "cluster:name",
    "DescribeNodegroup": _NODES,
    "DescribePodIdentityAssociation": _ASSOCIATION,
    "DescribeUpdate": "cluster:name",
    "DisassociateAccessPolicy": _ENTRY,
    "ListAccessEntries": _IN_CLUSTER,
    "ListAddons": _IN_CLUSTER,
    "ListAssociatedAccessPolicies": _ENTRY,
    "ListNodegroups": _IN_CLUSTER,
    "ListPodIdentityAssociations": _IN_CLUSTER,
    "ListTagsForResource": "arns:resourceArn",
    "ListUpdates": "cluster:name",
    "TagResource": "arns:resourceArn",
    "UntagResource": "arns:resourceArn",
    "UpdateAccessEntry": _ENTRY,
    "UpdateAddon": _ADDON,
    "UpdateClusterConfig": "cluster:name",
    "UpdateClusterVersion": "cluster:name",
    "UpdateNodegroupConfig": _NODES,
    "UpdateNodegroupVersion": _NODES,
    "UpdatePodIdentityAssociation": _ASSOCIATION,
}
EKS_AUTH = {"AssumeRoleForPodIdentity": "cluster:clusterName"}

_CERTIFICATE = "arns:CertificateArn"
ACM = {
    "AddTagsToCertificate": _CERTIFICATE,
    "DeleteCertificate": _CERTIFICATE,
    "DescribeCertificate": _CERTIFICATE,
    "ExportCertificate": _CERTIFICATE,
    "GetCertificate": _CERTIFICATE,
    "ImportCertificate": "?certificate:CertificateArn ~certificate:*",
    "ListTagsForCertificate": _CERTIFICATE,
    "RemoveTagsFromCertificate": _CERTIFICATE,
    "RequestCertificate": "~certificate:*",
}
ACM_PCA = {
    "GetCertificate": "arns:CertificateAuthorityArn",
    "IssueCertificate": "arns:CertificateAuthorityArn",
    "ListPermissions": "arns:CertificateAuthorityArn",
}
WAFV2 = {
    "AssociateWebACL": "arns:WebACLArn arns:ResourceArn",
    "DisassociateWebACL": "arns:ResourceArn",
    "GetWebACL": "?webacl:ARN",
    "GetWebACLForResource": "arns:ResourceArn",
}
WAF_REGIONAL = {
    "AssociateWebACL": "webacl:WebACLId arns:ResourceArn",
    "DisassociateWebACL": "arns:ResourceArn",
    "GetWebACL": "webacl:WebACLId",
    "GetWebACLForResource": "arns:ResourceArn",
}
SHIELD = {
    "DeleteProtection": "protection:ProtectionId",
    "DescribeProtection": "?protection:ProtectionId",
}
COGNITO_IDP = {"DescribeUserPoolClient": "userpool:UserPoolId"}
ROUTE53 = {"ChangeResourceRecordSets": "hostedzone:HostedZoneId"}

_KEY = "key:KeyId"
KMS = {
    **dict.fromkeys(
        (
            "CancelKeyDeletion", "CreateGrant", "Decrypt", "DescribeKey", "DisableKey", "DisableKeyRotation",
            "EnableKey", "EnableKeyRotation", "Encrypt", "GenerateDataKey", "GetKeyPolicy", "GetKeyRotationStatus",
            "ListKeyPolicies", "ListResourceTags", "PutKeyPolicy", "ScheduleKeyDeletion", "TagResource",
            "UntagResource", "UpdateKeyDescription",
        ),
        _KEY,
    ),
    "CreateAlias": "alias:AliasName key:TargetKeyId",
    "CreateKey": "~key:*",
    "DeleteAlias": "alias:AliasName",
    "UpdateAlias": "alias:AliasName key:TargetKeyId",
}  # fmt: skip

_LOG_GROUP = "log-group:logGroupName"
LOGS = {
    **dict.fromkeys(
        (
            "AssociateKmsKey", "CreateLogStream", "DeleteLogGroup", "DeleteRetentionPolicy", "DescribeLogStreams",
            "DisassociateKmsKey", "FilterLogEvents", "ListTagsLogGroup", "PutRetentionPolicy",
        ),
        _LOG_GROUP,
    ),
    "CreateLogGroup": "+" + _LOG_GROUP,
    "ListTagsForResource": "arns:resourceArn",
    "TagResource": "arns:resourceArn",
    "UntagResource": "arns:resourceArn",
}  # fmt: skip
SSM = {
    "DeleteParameter": "parameter:Name",
    "GetParameter": "parameter:Name",
    "GetParameters": "parameter:Names",
    "GetParametersByPath": "parameter:Path",
    "PutParameter": "parameter:Name",
}

_ACCELERATOR, _ACC_LISTENER, _ENDPOINTS = "arns:AcceleratorArn", "arns:ListenerArn", "arns:EndpointGroupArn"
GLOBALACCELERATOR = {
    "AddEndpoints": _ENDPOINTS,
    "CreateAccelerator": "~accelerator:*",
    "CreateEndpointGroup": _ACC_LISTENER,
    "CreateListener": _ACCELERATOR,
    "DeleteAccelerator": _ACCELERATOR,
    "DeleteEndpointGroup": _ENDPOINTS,
    "DeleteListener": _ACC_LISTENER,
    "DescribeAccelerator": _ACCELERATOR,
    "DescribeEndpointGroup": _ENDPOINTS,
    "DescribeListener": _ACC_LISTENER,
    "ListEndpointGroups": _ACC_LISTENER,
    "ListListeners": _ACCELERATOR,
    "ListTagsForResource": "arns:ResourceArn",
    "RemoveEndpoints": _ENDPOINTS,
    "TagResource": "arns:ResourceArn",
    "UntagResource": "arns:ResourceArn",
    "UpdateAccelerator": _ACCELERATOR,
    "UpdateEndpointGroup": _ENDPOINTS,
    "UpdateListener": _ACC_LISTENER,
}

RULES: dict[str, dict[str, str]] = {
    "acm": ACM,
    "acm-pca": ACM_PCA,
    "cognito-idp": COGNITO_IDP,
    "ec2": EC2,
    "eks": EKS,
    "eks-auth": EKS_AUTH,
    "elasticloadbalancing": ELASTICLOADBALANCING,
    "globalaccelerator": GLOBALACCELERATOR,
    "iam": IAM,
    "kms": KMS,
    "logs": LOGS,
    "route53": ROUTE53,
    "shield": SHIELD,
    "ssm": SSM,
    "sts": STS,
    "tag": {},
    "waf-regional": WAF_REGIONAL,
    "wafv2": WAFV2,
}
