"""Faults of the controller, its role, the network and what is left over; each names the check that must find it."""

import copy
import json
from collections.abc import Callable
from dataclasses import dataclass

from eks_load_balancing.controller.statements import TAG
from tests.unit.doctor.healthy import healthy, healthy_with_pod_identity
from tests.unit.doctor.healthy_aws import ISSUER, NAME, World, group, tag
from tests.unit.doctor.plant import (
    GONE,
    GONE_GROUP,
    INTERFACE,
    add,
    arguments,
    certificate,
    condition,
    environment,
    equal_a_wildcard,
    image,
    inline,
    lose_action,
    rename_sub,
    second_group,
    share_with_another_cluster,
    strange,
    strange_group,
    tags,
    trust_another_issuer,
    widen,
    without,
)


@dataclass(frozen=True)
class Case:
    """A fault, and words of the finding that it must make."""

    check: str
    fault: Callable[[World], object]
    says: str
    of: Callable[[], World] = healthy
    fix: str = ""
    """Words of the remedy."""


CASES = [
    Case("controller-is-ready", lambda w: w.update(deployments=[], service_account=None), "no Deployment of"),
    Case("controller-is-ready", lambda w: w["deployments"][0]["status"].update(readyReplicas=1), "1 of 2 pods"),
    Case("controllers-keep-apart", lambda w: w["deployments"].append(copy.deepcopy(w["deployments"][0])), "two"),
    Case("controller-version-is-known", lambda w: image(w, "registry:5000/controller:v2.4.0"), "version 2.4.0"),
    Case("controller-version-is-known", lambda w: image(w, "registry:5000/controller@sha256:0"), "none in its tag"),
    Case("controller-is-told-its-cluster", lambda w: without(w, "cluster-name"), "--cluster-name is not given"),
    Case(
        "controller-is-told-its-cluster",
        lambda w: (without(w, "aws-vpc-id"), arguments(w).append("--aws-vpc-id=vpc-2")),
        "--aws-vpc-id is vpc-2",
    ),
    Case("controller-finds-region-and-vpc", lambda w: without(w, "aws-region", "aws-vpc-id"), "hop limit 1"),
    Case("crds-are-as-new-as-the-controller", lambda w: w["crds"].pop(), "does not exist"),
    Case(
        "crds-are-as-new-as-the-controller",
        lambda w: [v["schema"].clear() for crd in w["crds"] for v in crd["spec"]["versions"]],
        "multiClusterTargetGroup",
    ),
    Case("webhooks-have-endpoints", lambda w: w["endpoint_slices"].pop(), "no ready endpoint"),
    Case("webhook-certificate-is-believed", lambda w: w.update(serving_certificate=None), "does not exist"),
    Case("webhook-certificate-is-believed", lambda w: certificate(w, days=700, host="x.y.svc"), "is for x.y.svc"),
    Case("webhook-certificate-is-believed", lambda w: certificate(w, days=-1), "expired on 2026-11-24"),
    Case("webhook-certificate-is-believed", lambda w: certificate(w, days=3), "expires on 2026-11-28"),
    Case(
        "webhook-certificate-is-believed",
        lambda w: w["webhooks"][0]["webhooks"][1]["clientConfig"].update(caBundle=""),
        "caBundle of mservice.elbv2.k8s.aws",
    ),
    Case("controller-has-a-role", lambda w: w["service_account"]["metadata"]["annotations"].clear(), "no annotation"),
    Case("controller-has-a-role", lambda w: w.update(role=None), "does not exist"),
    Case(
        "controller-has-a-role",
        lambda w: w["service_account"]["metadata"]["annotations"].update(
            {"eks.amazonaws.com/role-arn": "arn:aws-cn:iam::999999999999:role/controller"}
        ),
        "account 999999999999 in aws-cn",
    ),
    Case("controller-pods-carry-the-role", lambda w: environment(w).clear(), "AWS_ROLE_ARN is not set"),
    Case("controller-pods-carry-the-role", lambda w: environment(w)[0].update(value="arn:old"), "is arn:old"),
    Case(
        "controller-pods-carry-the-role",
        lambda w: environment(w).clear(),
        "no AWS_CONTAINER_CREDENTIALS_FULL_URI",
        healthy_with_pod_identity,
    ),
    Case("issuer-has-an-oidc-provider", lambda w: w["oidc_providers"].clear(), f"https://{ISSUER}"),
    Case("oidc-provider-takes-tokens-for-sts", lambda w: w["oidc_providers"][0].update(ClientIDList=["x"]), "are x"),
    Case("role-trusts-the-service-account", trust_another_issuer, "id/OTHER"),
    Case("role-trusts-the-service-account", rename_sub, "default:controller"),
    Case("role-trusts-the-service-account", equal_a_wildcard, "kube-system:*"),
    Case("role-trusts-nobody-else", widen, "sub is compared by StringLike"),
    Case("role-trusts-nobody-else", lambda w: condition(w)["StringEquals"].pop(f"{ISSUER}:aud"), "aud is compared by"),
    Case(
        "role-trusts-nobody-else",
        lambda w: w["role"]["AssumeRolePolicyDocument"]["Statement"].append(
            {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}
        ),
        "everybody",
    ),
    Case("role-trusts-nobody-else", lambda w: share_with_another_cluster(w, "StringLike"), "sub is compared by"),
    Case("pod-identity-has-its-agent", lambda w: w.update(addons=()), "no add-on eks-pod", healthy_with_pod_identity),
    Case(
        "role-trusts-pod-identity",
        lambda w: w["role"]["AssumeRolePolicyDocument"]["Statement"][0].update(Action="sts:AssumeRole"),
        "sts:TagSession",
        healthy_with_pod_identity,
    ),
    Case(
        "role-may-do-what-the-controller-does",
        lambda w: lose_action(w, "ec2:DescribeRouteTables"),
        "3.5.0 needs ec2:DescribeRouteTables,",
    ),
    Case(
        "role-may-do-what-the-controller-does",
        lambda w: w.update(boundary={"Statement": {"Effect": "Allow", "NotAction": "ec2:*", "Resource": "*"}}),
        "ec2:CreateSecurityGroup",
    ),
    Case(
        "role-may-do-what-the-controller-does",
        lambda w: w["role_policies"].append(
            inline({"Statement": [{"Effect": "Deny", "Action": "ec2:*Tags", "Resource": "*"}]})
        ),
        "ec2:CreateTags, ec2:DeleteTags, ec2:DescribeTags,",
    ),
    Case("role-may-do-what-the-controller-does", lambda w: lose_action(w, "acm:ListCertificates"), "acm:ListCert"),
    Case(
        "role-is-narrowed-to-this-cluster",
        lambda w: w.update(role_policies=json.loads(json.dumps(w["role_policies"]).replace(f'"{NAME}"', '"old"'))),
        f"{TAG}=old, and the cluster is {NAME}",
    ),
    Case("subnets-are-tagged-for-load-balancers", lambda w: tags(w, 3).clear(), "role/internal-elb"),
    Case("subnets-are-tagged-for-load-balancers", lambda w: tags(w, 0).clear(), "internet-facing load balancers"),
    Case(
        "subnets-are-not-another-clusters",
        lambda w: tags(w, 2).append(tag("kubernetes.io/cluster/other", "shared")),
        "kubernetes.io/cluster/other",
    ),
    Case("subnets-match-their-routes", lambda w: w["route_tables"].pop(0), "no internet gateway"),
    Case("subnets-match-their-routes", lambda w: w["load_balancers"][0].update(Scheme="internet-facing"), "no route"),
    Case("subnets-have-room", lambda w: w["subnets"][2].update(AvailableIpAddressCount=7), "7 addresses are free"),
    Case("subnets-have-room", lambda w: w["subnets"][2].update(CidrBlock="10.0.10.0/28"), "smaller than /27"),
    Case(
        "interfaces-have-one-tagged-security-group",
        lambda w: second_group(w, tag(f"kubernetes.io/cluster/{NAME}", "owned")),
        "sg-cluster and sg-second",
    ),
    Case(
        "interfaces-have-one-tagged-security-group",
        lambda w: (second_group(w), w["security_groups"][0]["Tags"].clear()),
        "none",
    ),
    Case(
        "webhook-port-is-open-to-the-control-plane",
        lambda w: w["security_groups"][0]["IpPermissions"].pop(0),
        "TCP 9443",
    ),
    Case("no-load-balancer-is-left-over", lambda w: strange(w, "left", GONE), "made for nlb/gone"),
    Case("no-target-group-is-left-over", lambda w: strange_group(w, "left", GONE_GROUP), "made for payments"),
    Case(
        "no-security-group-is-left-over",
        lambda w: add(w, "security_groups", group("sg-left", [tag(k, v) for k, v in GONE.items()])),
        "nlb/gone",
    ),
    Case(
        "no-interface-is-left-over",
        lambda w: add(
            w,
            "network_interfaces",
            INTERFACE | {"Status": "available", "TagSet": [tag("cluster.k8s.amazonaws.com/name", NAME)]},
        ),
        "attached to nothing",
    ),
    Case(
        "no-interface-is-left-over",
        lambda w: add(
            w,
            "network_interfaces",
            INTERFACE | {"Status": "in-use", "Description": "ELB net/gone/1", "TagSet": [tag(TAG, NAME)]},
        ),
        "net/gone/1",
    ),
    Case("cluster-name-is-unique", lambda w: strange(w, "twin", {TAG: NAME}, "vpc-2"), "load balancer twin"),
    Case(
        "cluster-name-is-unique",
        lambda w: add(w, "security_groups", group("sg-twin", [tag(TAG, NAME)]) | {"VpcId": "vpc-2"}),
        "security group sg-twin",
    ),
    Case("cluster-name-is-unique", lambda w: strange_group(w, "twin", {TAG: NAME}, "vpc-2"), "target group twin"),
]
