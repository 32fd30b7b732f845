"""The controller with settings of its chart, a role with a name, and more permissions."""

import json

import pulumi
import pulumi_aws as aws

from eks_load_balancing import ClusterReference, LoadBalancerController

ALARMS = {"Effect": "Allow", "Action": "cloudwatch:DescribeAlarms", "Resource": "*"}

config = pulumi.Config()
cluster = ClusterReference.lookup(config.require("cluster"))
alarms = aws.iam.Policy("alarms", policy=json.dumps({"Version": "2012-10-17", "Statement": [ALARMS]}))
controller = LoadBalancerController(
    "controller",
    {
        **cluster.arguments,
        "version": config.require("controllerVersion"),
        "region": aws.get_region_output().region,
        "values": {
            "logLevel": "debug",
            "priorityClassName": "system-node-critical",
            "resources": {"requests": {"cpu": "200m"}},
            "tolerations": [{"key": "platform", "operator": "Exists"}],
            "externalManagedTags": ["cost-centre"],
        },
        "role_name": pulumi.Output.concat("load-balancers-of-", cluster.cluster_name),
        "policy_arns": [alarms.arn],
        "policy_statements": [{"Effect": "Allow", "Action": "cloudwatch:PutMetricData", "Resource": "*"}],
    },
    pulumi.ResourceOptions(provider=cluster.provider),
)

pulumi.export("alarmsPolicyArn", alarms.arn)
pulumi.export("roleName", controller.role_name)
pulumi.export("policyArn", controller.policy_arn)
