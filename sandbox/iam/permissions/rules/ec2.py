"""EC2."""

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
