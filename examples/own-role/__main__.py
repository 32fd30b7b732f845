"""The controller with a role that is made elsewhere. Here this program makes it, with the component's documents."""

import pulumi
import pulumi_aws as aws

from eks_load_balancing import ClusterReference, LoadBalancerController, NetworkLoadBalancedService
from eks_load_balancing.controller.policy import controller_policy
from eks_load_balancing.identity.trust import web_identity_trust

config = pulumi.Config()
version = config.require("controllerVersion")
cluster = ClusterReference.lookup(config.require("cluster"))

account = {"namespace": "kube-system", "service_account": "aws-load-balancer-controller"}
trust = pulumi.Output.all(provider_arn=cluster.oidc_provider_arn, issuer_url=cluster.issuer_url).apply(
    lambda known: web_identity_trust(**known, **account)
)
document = pulumi.Output.all(
    partition=aws.get_partition_output().partition,
    cluster_name=cluster.cluster_name,
    region=cluster.region,
    vpc_id=cluster.vpc_id,
).apply(lambda known: controller_policy(version, **known))
role = aws.iam.Role("balancer", assume_role_policy=trust)
policy = aws.iam.Policy("balancer", policy=document)
attached = aws.iam.RolePolicyAttachment("balancer", role=role.name, policy_arn=policy.arn)

controller = LoadBalancerController(
    "controller",
    {**cluster.arguments, "version": version, "role_arn": role.arn},
    pulumi.ResourceOptions(provider=cluster.provider, depends_on=[attached]),
)
web = NetworkLoadBalancedService(
    "web",
    {"cluster_name": cluster.cluster_name, "namespace": "default"},
    pulumi.ResourceOptions(provider=cluster.provider, depends_on=[controller]),
)

pulumi.export("roleArn", role.arn)
pulumi.export("controllerRoleArn", controller.role_arn)
pulumi.export("targetGroupArns", web.target_group_arns)
