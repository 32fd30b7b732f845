"""Settings that AWS, EKS or Kubernetes would refuse after minutes: each is one line that begins with its exact key."""

from typing import Any

import pulumi
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from settings import IngressSettings, Section, load
from tests.unit.test_settings import configured, refused

ACCOUNT = "123456789012"
CERTIFICATE = f"arn:aws:acm:us-west-2:{ACCOUNT}:certificate/a"


def nlb(**keys: Any) -> dict[str, Any]:
    return {"samples": {"nlb": keys}}


def alb(**keys: Any) -> dict[str, Any]:
    return {"samples": {"alb": keys}}


BAD: list[tuple[str, dict[str, Any]]] = [
    ("samples.nlb.inboundCidrs", nlb(inboundCidrs=["10.0.0.0/33"])),
    ("samples.nlb.inboundCidrs", nlb(inboundCidrs=["anywhere"])),
    ("samples.nlb.inboundCidrs", nlb(inboundCidrs=["10.0.0.1/8"])),
    ("samples.nlb.inboundCidrs", nlb(inboundCidrs=["10.0.0.1"])),
    ("samples.nlb.inboundCidrs", nlb(inboundCidrs=["2001:db8::/32"])),
    ("cluster.publicAccessCidrs", {"cluster": {"publicAccessCidrs": ["192.0.2.1"]}}),
    ("cluster.publicAccessCidrs", {"cluster": {"publicAccessCidrs": ["10.0.0.0/8"]}}),
    ("samples.nlb.certificateArn", nlb(certificateArn="certificate")),
    ("samples.nlb.certificateArn", nlb(certificateArn=f"arn:aws:iam::{ACCOUNT}:role/a")),
    ("samples.nlb.certificateArn", nlb(certificateArn="arn:aws:acm:us-west-2:1:certificate/a")),
    ("samples.nlb.certificateArn", nlb(certificateArn=CERTIFICATE.replace("us-west-2", "us-east-1"))),
    ("samples.nlb.certificateArn", nlb(certificateArn=CERTIFICATE.replace("arn:aws:", "arn:aws-cn:"))),
    ("samples.alb.webAclArn", alb(webAclArn=f"arn:aws:wafv2:us-east-1:{ACCOUNT}:global/webacl/a/b")),
    ("samples.alb.webAclArn", alb(webAclArn=f"arn:aws:wafv2:us-east-1:{ACCOUNT}:regional/webacl/a/b")),
    ("permissionsBoundaryArn", {"permissionsBoundaryArn": f"arn:aws:iam::{ACCOUNT}:role/a"}),
    ("cluster.adminArns", {"cluster": {"adminArns": ["jo"]}}),
    ("cluster.adminArns", {"cluster": {"adminArns": [f"arn:aws:sts::{ACCOUNT}:assumed-role/a/b"]}}),
    ("cluster.adminArns", {"cluster": {"adminArns": [f"arn:aws:iam::{ACCOUNT}:role/a"] * 2}}),
    ("cluster.secretsKeyArn", {"cluster": {"secretsKeyArn": f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/a"}}),
    ("cluster.secretsKeyArn", {"cluster": {"secretsKeyArn": f"arn:aws:s3:::{ACCOUNT}"}}),
    ("cluster.kubeconfigRoleArn", {"cluster": {"kubeconfigRoleArn": f"arn:aws:iam::{ACCOUNT}:user/a"}}),
    ("cluster.logRetentionDays", {"cluster": {"logRetentionDays": 91}}),
    ("cluster.logRetentionDays", {"cluster": {"logRetentionDays": 0}}),
    ("cluster.addonVersions", {"cluster": {"addonVersions": {"cordens": "latest"}}}),
    ("cluster.addonVersions", {"cluster": {"addonVersions": {"coredns": "newest"}}}),
    ("cluster.upgradePolicy", {"cluster": {"upgradePolicy": "never"}}),
    ("tags", {"tags": {"aws:team": "web"}}),
    ("tags", {"tags": {"AWS:team": "web"}}),
    ("tags", {"tags": {"k" * 129: "v"}}),
    ("tags", {"tags": {"k": "v" * 257}}),
    ("tags", {"tags": {"": "v"}}),
    ("tags", {"tags": {str(n): "v" for n in range(51)}}),
    ("tags", {"tags": {"a": "b,c"}}),
    ("samples.nlb.deregistrationDelay", nlb(deregistrationDelay=3601)),
    ("samples.nlb.deregistrationDelay", nlb(deregistrationDelay=-1)),
    ("nodes.instanceTypes", {"nodes": {"instanceTypes": ["m7i"]}}),
    ("nodes.instanceTypes", {"nodes": {"instanceTypes": ["large.m7i"]}}),
    ("nodes.instanceTypes", {"nodes": {"instanceTypes": ["m7g.large"]}}),
    ("nodes.instanceTypes", {"nodes": {"instanceTypes": []}}),
    ("nodes.instanceTypes", {"nodes": {"amiType": "AL2023_ARM_64_STANDARD"}}),
    ("nodes.amiType", {"nodes": {"amiType": "AL2"}}),
    ("nodes.min", {"nodes": {"min": -1}}),
    ("nodes.max", {"nodes": {"max": 100_000}}),
    ("nodes.diskSize", {"nodes": {"diskSize": 5}}),
    ("nodes.diskSize", {"nodes": {"diskSize": 1_000_000}}),
    ("nodes.version", {"nodes": {"version": "1.37"}}),
    ("nodes.releaseVersion", {"nodes": {"releaseVersion": "1.30.1"}}),
    ("samples.nlb.accessLogsBucket", nlb(accessLogsBucket="My_Bucket")),
    ("samples.nlb.accessLogsBucket", nlb(accessLogsBucket="s3://logs")),
    ("samples.nlb.accessLogsBucket", nlb(accessLogsBucket="10.0.0.1")),
    ("samples.alb.image", alb(image="")),
    ("samples.alb.image", alb(image="Web Server")),
    ("samples.alb.image", alb(image="https://example.com/web")),
    ("samples.alb.replicas", alb(replicas=100_000)),
    ("samples.alb.replicas", alb(replicas=-1)),
    ("samples.alb.replicas", alb(replicas=True)),
    ("samples.alb.replicas", alb(replicas="2")),
    ("samples.alb.host", alb(host="https://web.example.com")),
    ("samples.alb.host", alb(host="web.example.com:443")),
    ("samples.alb.host", alb(host="web.example.com/a")),
    ("controller.replicas", {"controller": {"replicas": 100_000}}),
    ("controller.replicas", {"controller": {"replicas": True}}),
    ("controller.imageRepository", {"controller": {"imageRepository": "registry.example.com/a b"}}),
    ("controller.imageRepository", {"controller": {"imageRepository": "registry.example.com/a:v1"}}),
    ("controller.versionLike", {"controller": {"version": "9.9.9", "versionLike": "9.9.8"}}),
    ("controller.assumableRoleArns", {"controller": {"assumableRoleArns": ["role"]}}),
    ("controller.sharedTargetGroupArns", {"controller": {"sharedTargetGroupArns": ["group"]}}),
    ("network.zones", {"network": {"zones": ["us-west-2a", "us-west-2a"]}}),
    ("network.cidr", {"network": {"cidr": "10.0.0.1/16"}}),
    ("cluster.name", {"cluster": {"name": "c" * 100}}),
]


@pytest.mark.parametrize(("key", "changes"), BAD, ids=lambda case: case if isinstance(case, str) else "")
def test_a_bad_setting_is_refused_in_a_line_with_its_exact_key(key: str, changes: dict[str, Any]) -> None:
    line = refused(**changes)

    assert line.startswith((f"eks-load-balancing:{key}: ", f"eks-load-balancing:{key} "))
    assert any(remedy in line for remedy in (": give ", "name it once", "or give "))


@pytest.mark.parametrize(
    "changes",
    [
        {"nodes": {"instanceTypes": ["u-6tb1.metal", "m7i-flex.large", "p4de.24xlarge", "c7i.metal-48xl"]}},
        {"nodes": {"amiType": "AL2023_ARM_64_STANDARD", "instanceTypes": ["m7g.large", "a1.large", "im4gn.xlarge"]}},
        {"cluster": {"adminArns": [f"arn:aws:iam::{ACCOUNT}:role/ops/a", f"arn:aws:iam::{ACCOUNT}:user/b@c.example"]}},
        {"cluster": {"publicAccessCidrs": ["0.0.0.0/0"], "logRetentionDays": 3653}},
        {"permissionsBoundaryArn": "arn:aws:iam::aws:policy/PowerUserAccess"},
        nlb(certificateArn=CERTIFICATE, inboundCidrs=["0.0.0.0/0"], deregistrationDelay=3600, replicas=0),
        alb(host="*.example.com", image="localhost:5000/a/b_c:v1@sha256:" + "a" * 64),
        {"controller": {"imageRepository": "123456789012.dkr.ecr.us-west-2.amazonaws.com/controller"}},
    ],
)
def test_what_aws_takes_is_taken(changes: dict[str, Any]) -> None:
    load(configured(**changes))


_TEXT = st.one_of(
    st.text(max_size=20),
    st.sampled_from(["", "1.36", "1.x", "3.5.0", "3.5", "10.0.0.0/16", "::/0", "us-west-2a", "arn:aws:iam::1:role/a"]),
    st.sampled_from([CERTIFICATE, "m7i.large", "m7g.large", "eks", "latest", "default", "pod-identity", "logs", "8Gi"]),
)
_ANYTHING = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    _TEXT,
    st.lists(_TEXT, max_size=3),
    st.dictionaries(_TEXT, st.one_of(_TEXT, st.booleans(), st.integers()), max_size=3),
)


def _keys(section: type[Section]) -> list[str]:
    return [*(field.alias or name for name, field in section.model_fields.items()), "unknown"]


_SECTIONS: dict[str, type[Section]] = {
    name: type(getattr(load(configured()), name)) for name in ("network", "cluster", "nodes", "controller")
}


@settings(max_examples=400, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_any_settings_end_in_a_plan_or_in_one_line(data: st.DataObject) -> None:
    changes: dict[str, Any] = {}
    for name in data.draw(st.lists(st.sampled_from(sorted(_SECTIONS)), max_size=2, unique=True)):
        keys = _keys(_SECTIONS[name])
        changes[name] = data.draw(st.dictionaries(st.sampled_from(keys), _ANYTHING, max_size=2))
    if data.draw(st.booleans()):
        changes["samples"] = {
            "alb": data.draw(st.dictionaries(st.sampled_from(_keys(IngressSettings)), _ANYTHING, max_size=2))
        }
    if data.draw(st.booleans()):
        changes["tags"] = data.draw(st.dictionaries(_TEXT, _TEXT, max_size=3))
    if data.draw(st.booleans()):
        changes["region"] = data.draw(_TEXT)
    config = configured(**{key: value for key, value in changes.items() if value is not None})
    try:
        assert load(config)
    except pulumi.RunError as error:
        line = str(error)
    else:
        line = "a plan"
    assert line
    assert "\n" not in line
