"""Things that look like faults and are not: the doctor must find nothing."""

import datetime as dt
import json
from collections.abc import Callable

from eks_load_balancing.controller.statements import TAG
from tests.unit.doctor.healthy import warning
from tests.unit.doctor.healthy_aws import NAME, NOW, World, balancer_arn, group_arn, tag
from tests.unit.doctor.plant import (
    GONE_GROUP,
    LONG_AGO,
    MINUTE_AGO,
    add,
    annotate,
    answer_503,
    arguments,
    forward,
    gate,
    health,
    in_group,
    inline,
    policy,
    second_controller,
    second_group,
    share_with_another_cluster,
    stick,
    strange,
    strange_group,
    tags,
    without,
)

FINE: list[tuple[str, Callable[[World], object]]] = [
    ("pods in the node's network ask the metadata service themselves", lambda w: (
        without(w, "aws-region", "aws-vpc-id"),
        w["deployments"][0]["spec"]["template"]["spec"].update(hostNetwork=True),
    )),
    ("a hop limit of 2 lets pods ask", lambda w: (
        without(w, "aws-region", "aws-vpc-id"),
        [i["MetadataOptions"].update(HttpPutResponseHopLimit=2) for i in w["instances"]],
    )),
    ("what was deleted a minute ago is not stuck", lambda w: stick(
        w["services"][1], MINUTE_AGO, "service.k8s.aws/resources"
    )),
    ("another maker's finalizer is not judged", lambda w: stick(w["services"][0], LONG_AGO, "x.io/y")),
    ("a warning that was followed by success is over", lambda w: w["events"].insert(
        0, warning("Service", "nlb", NOW - dt.timedelta(minutes=5))
    )),
    ("an old warning is over", lambda w: add(
        w, "events", warning("Ingress", "alb", NOW - dt.timedelta(hours=2))
    )),
    ("an Ingress in a group stands for the group's things", lambda w: (
        w["ingresses"][0]["metadata"]["annotations"].update({"alb.ingress.kubernetes.io/group.name": "payments"}),
        w["tags"].update({balancer_arn("alb"): GONE_GROUP}),
        strange_group(w, "shared", GONE_GROUP),
    )),
    ("a group named by the class stands for the group's things", lambda w: (
        w["ingress_class_params"][0]["spec"].update(group={"name": "payments"}),
        w["tags"].update({balancer_arn("alb"): GONE_GROUP}),
        strange_group(w, "shared", GONE_GROUP),
    )),
    ("a draining target does not count", lambda w: w["health"][group_arn("alb")].append(
        {"Target": {"Id": "10.0.10.99", "Port": 8080}, "TargetHealth": {"State": "draining"}}
    )),
    ("another cluster's targets in a shared group are not judged", lambda w: (
        w["bindings"][0]["spec"].update(multiClusterTargetGroup=True),
        w["health"][group_arn("alb")].append(
            {"Target": {"Id": "10.9.9.9", "Port": 8080}, "TargetHealth": {"State": "healthy"}}
        ),
    )),
    ("another cluster's load balancer in another VPC is not ours", lambda w: strange(
        w, "theirs", {TAG: "other", "service.k8s.aws/stack": "a/b"}, "vpc-2"
    )),
    ("a second group without the tag does no harm", second_group),
    ("an action pattern allows what it matches", lambda w: w.update(
        role_policies=[inline({"Statement": {"Effect": "Allow", "Action": "*", "Resource": "*"}})]
    )),
    ("a load balancer without security groups is let in by its subnets' range", lambda w: (
        [b.update(SecurityGroups=[]) for b in w["load_balancers"]],
        w["security_groups"][0]["IpPermissions"].append(
            {"IpProtocol": "tcp", "FromPort": 8080, "ToPort": 8080, "IpRanges": [{"CidrIp": "10.0.0.0/16"}]}
        ),
    )),
    ("subnets tagged for this cluster and another are shared", lambda w: tags(w, 2).extend(
        [tag("kubernetes.io/cluster/other", "shared"), tag(f"kubernetes.io/cluster/{NAME}", "shared")]
    )),
    ("webhooks of other makers are not judged", lambda w: w["webhooks"][0]["webhooks"].append(
        {"name": "x.example.com", "clientConfig": {"url": "https://x", "caBundle": ""}}
    )),
    ("another cluster may share the role as tightly", lambda w: share_with_another_cluster(w, "StringEquals")),
    ("EKS Auto Mode has a controller of its own", lambda w: w.update(
        deployments=[], service_account=None, role=None, webhooks=[],
        cluster={**w["cluster"], "kubernetesNetworkConfig": {"elasticLoadBalancing": {"enabled": True}}},
    )),
    ("two controllers of two namespaces keep apart", lambda w: [
        deployment["spec"]["template"]["spec"]["containers"][0].update(
            args=[*arguments(w), f"--watch-namespace={namespace}"]
        )
        for deployment, namespace in zip(second_controller(w), ("alb", "nlb"), strict=True)
    ]),
    ("UDP is let in by a rule for UDP", lambda w: (
        w["target_groups"][0].update(Protocol="UDP"),
        w["security_groups"][0]["IpPermissions"].append(
            {"IpProtocol": "udp", "FromPort": 0, "ToPort": 65535, "IpRanges": [{"CidrIp": "0.0.0.0/0"}]}
        ),
    )),
    ("a subnet of IPv6 alone has no count of addresses", lambda w: (
        w["subnets"][2].pop("CidrBlock"), w["subnets"][2].update(AvailableIpAddressCount=0),
    )),
    ("a pod that waits for its gate is a target and not ready yet", lambda w: (
        w["endpoint_slices"][0]["endpoints"][0]["conditions"].update(ready=False), health(w, State="initial"),
    )),
    ("another component's Warning on the same object is not the controller's", lambda w: w["events"].append({
        **warning("Service", "nlb", NOW), "reason": "ClusterIPNotAllocated", "message": "repairing",
        "source": {"component": "ipallocator-repair-controller"},
    })),
    ("the cloud controller's Warning with the same reason is not the controller's", lambda w: w["events"].append({
        **warning("Service", "nlb", NOW), "source": {"component": "service-controller"},
    })),
    ("a fixed answer of the user's own is none of the controller's", lambda w: answer_503(w, "closed for maintenance")),
    ("a listener for another member of the group has rules of its own", lambda w: (
        in_group(w, "payments"),
        [i["metadata"]["annotations"].pop("alb.ingress.kubernetes.io/group.name") for i in w["ingresses"]],
        w["ingress_class_params"][0]["spec"].update(group={"name": "payments"}),
        w["ingresses"][1]["spec"].update(rules=[{"http": {"paths": [{"path": "/", "backend": {}}]}}]),
        annotate(w["ingresses"][1], **{"listen-ports": '[{"HTTP": 8080}]'}),
        w["listeners"].update({balancer_arn("alb"): (
            {"ListenerArn": "alb-80", "Protocol": "HTTP", "Port": 80, "DefaultActions": []},
            {**w["listeners"][balancer_arn("alb")][0], "ListenerArn": "alb-8080", "Port": 8080},
        )}),
        w["rules"].update({"alb-8080": w["rules"]["alb-80"], "alb-80": ({"IsDefault": True, "Actions": [
            {"Type": "fixed-response", "FixedResponseConfig": {"StatusCode": "404"}}]},)}),
        w["security_groups"][2]["IpPermissions"][0].update(ToPort=8080),
    )),
    ("a target group of weight 0 may be empty", lambda w: (
        strange_group(w, "green", {}), forward(w, alb=100, green=0),
    )),
    ("one target of several is checked for the first time", lambda w: health(w, State="initial")),
    ("a pod waits for the gate of a target that is checked for the first time", lambda w: (
        gate(w["pods"][2], "alb", reason="Elb.InitialHealthChecking"),
        health(w, State="initial"),
        w["pods"][2]["status"]["conditions"][1].update(lastTransitionTime=MINUTE_AGO),
        w["endpoint_slices"][0]["endpoints"][0]["conditions"].update(ready=False),
    )),
    ("the default namespace may do without readiness gates", lambda w: w.update(
        json.loads(json.dumps({k: w[k] for k in ("pods", "bindings", "endpoint_slices", "services")}).replace(
            '"namespace": "nlb"', '"namespace": "default"'
        )),
        tags={**w["tags"], balancer_arn("nlb"): {TAG: NAME, "service.k8s.aws/stack": "default/web"},
              group_arn("nlb"): {TAG: NAME, "service.k8s.aws/stack": "default/web"}},
    )),
    ("a pod may decline its readiness gate", lambda w: (
        w["namespaces"][0]["metadata"]["labels"].clear(),
        [p["metadata"]["labels"].update({"elbv2.k8s.aws/pod-readiness-gate-inject": "disabled"}) for p in w["pods"]],
    )),
    ("a NetworkPolicy admits the load balancer by its range", lambda w: add(
        w, "network_policies", policy("alb", []),
        policy("alb", [{"from": [{"ipBlock": {"cidr": "10.0.0.0/16"}}], "ports": [{"port": "http"}]}], "allow"),
    )),
    ("a NetworkPolicy for what leaves the pods admits everything", lambda w: w["network_policies"].append(
        {"kind": "NetworkPolicy", "metadata": {"name": "out", "namespace": "alb"},
         "spec": {"podSelector": {}, "policyTypes": ["Egress"]}},
    )),
    ("annotations for other clouds are not judged", lambda w: w["services"][1]["metadata"]["annotations"].update(
        {"service.beta.kubernetes.io/azure-load-balancer-internal": "true", "external-dns.alpha.kubernetes.io/x": "y"}
    )),
    ("annotations of other controllers are not judged", lambda w: w["ingresses"][0]["metadata"]["annotations"].update(
        {"nginx.ingress.kubernetes.io/auth-type": "basic"}
    )),
    ("annotations of what another controller serves are not judged", lambda w: w["services"].append(
        {"kind": "Service", "metadata": {"name": "classic", "namespace": "nlb", "annotations": {
            "service.beta.kubernetes.io/aws-load-balancer-connection-draining-enabled": "true"}},
         "spec": {"type": "LoadBalancer"}},
    )),
    ("annotations that are built at run time are known", lambda w: (
        annotate(w["ingresses"][0], **{"actions.shop": "{}", "listener-attributes.HTTPS-443": "a=b"}),
        annotate(w["services"][0], **{"healthcheck-path": "/health"}),
    )),
    ("a group by class is meant for several namespaces", lambda w: (
        in_group(w, "payments"),
        [i["metadata"]["annotations"].clear() for i in w["ingresses"]],
        w["ingress_class_params"][0]["spec"].update(group={"name": "payments"}),
    )),
    ("EKS Auto Mode serves its Ingresses within minutes", lambda w: (
        w["ingress_classes"].append(
            {"kind": "IngressClass", "metadata": {"name": "auto"}, "spec": {"controller": "eks.amazonaws.com/alb"}}
        ),
        w["ingresses"].append({
            "kind": "Ingress", "spec": {"ingressClassName": "auto"},
            "metadata": {"name": "a", "namespace": "nlb", "creationTimestamp": NOW.isoformat(),
                         "annotations": {"alb.ingress.kubernetes.io/scheme": "internal"}},
        }),
    )),
    ("an Ingress of another controller that has an address is served", lambda w: (
        w["ingress_classes"].append(
            {"kind": "IngressClass", "metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}
        ),
        w["ingresses"].append({
            "kind": "Ingress", "metadata": {"name": "n", "namespace": "nlb"}, "spec": {"ingressClassName": "nginx"},
            "status": {"loadBalancer": {"ingress": [{"hostname": "n"}]}},
        }),
    )),
    ("an Ingress of another controller that serves others has its time", lambda w: (
        w["ingress_classes"].append(
            {"kind": "IngressClass", "metadata": {"name": "nginx"}, "spec": {"controller": "k8s.io/ingress-nginx"}}
        ),
        w["ingresses"].extend({
            "kind": "Ingress", "metadata": {"name": name, "namespace": "nlb"}, "spec": {"ingressClassName": "nginx"},
            "status": {"loadBalancer": {"ingress": addresses}},
        } for name, addresses in (("old", [{"ip": "10.0.10.20"}]), ("new", []))),
    )),
    ("the Secret of an auth action has its keys", lambda w: (
        annotate(w["ingresses"][0], **{"auth-idp-oidc": '{"secretName": "login"}'}),
        w.update(secret_keys={("alb", "login"): frozenset({"clientId", "clientSecret"})}),
    )),
    ("a flag of the controller names the further tag to choose by", lambda w: (
        second_group(w, tag(f"kubernetes.io/cluster/{NAME}", "owned"), tag("team", "shop")),
        arguments(w).append("--service-target-eni-security-group-tags=team=shop"),
    )),
]  # fmt: skip
"""It looks like a fault and is not: nothing may be found."""
