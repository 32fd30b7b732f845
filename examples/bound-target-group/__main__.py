"""An ALB of this program whose target group the pods of one cluster serve, or of several: clusters come and go."""

import pulumi
import pulumi_aws as aws
import pulumi_kubernetes as kubernetes

from eks_load_balancing import BoundTargetGroup, ClusterReference, LoadBalancerController

NAME, PORT, LABELS = "web", 8080, {"app": "web"}
IMAGE = "public.ecr.aws/nginx/nginx-unprivileged:1.28-alpine"

config = pulumi.Config()
version = config.require("controllerVersion")
clusters = [ClusterReference.lookup(name) for name in config.require_object("clusters")]
vpc_id, subnet_ids = clusters[0].vpc_id, clusters[0].subnet_ids

guard = aws.ec2.SecurityGroup(
    "alb",
    vpc_id=vpc_id,
    ingress=[{"protocol": "tcp", "from_port": 80, "to_port": 80, "cidr_blocks": ["10.0.0.0/8"]}],
    egress=[{"protocol": "-1", "from_port": 0, "to_port": 0, "cidr_blocks": ["0.0.0.0/0"]}],
)
alb = aws.lb.LoadBalancer("alb", internal=True, subnets=subnet_ids, security_groups=[guard.id])
group = BoundTargetGroup(
    NAME,
    {
        "vpc_id": vpc_id,
        "namespace": "default",
        "service_name": NAME,
        "container_port": PORT,
        "load_balancer_security_group_id": guard.id,
    },
)
aws.lb.Listener(
    "http",
    load_balancer_arn=alb.arn,
    port=80,
    protocol="HTTP",
    default_actions=[{"type": "forward", "target_group_arn": group.arn}],
)

for cluster in clusters:
    on_cluster = pulumi.ResourceOptions(provider=cluster.provider)
    controller = LoadBalancerController(
        f"{cluster.cluster_name}-controller",
        {**cluster.arguments, "version": version, "bound_target_group_arns": [group.arn]},
        on_cluster,
    )
    pods = kubernetes.apps.v1.Deployment(
        f"{cluster.cluster_name}-pods",
        metadata={"name": NAME},
        spec={
            "replicas": 2,
            "selector": {"match_labels": LABELS},
            "template": {"metadata": {"labels": LABELS}, "spec": {"containers": [{"name": NAME, "image": IMAGE}]}},
        },
        opts=on_cluster,
    )
    service = kubernetes.core.v1.Service(
        f"{cluster.cluster_name}-service",
        metadata={"name": NAME},
        spec={"selector": LABELS, "ports": [{"port": 80, "target_port": PORT}]},
        opts=on_cluster,
    )
    group.bind(cluster, pulumi.ResourceOptions(depends_on=[controller, pods, service]))
    pulumi.export(f"{cluster.cluster_name}ControllerRoleArn", controller.role_arn)

pulumi.export("targetGroupArn", group.arn)
pulumi.export("hostName", alb.dns_name)
