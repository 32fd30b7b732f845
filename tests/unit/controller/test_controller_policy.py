import json
from typing import Any

import pytest

from eks_load_balancing.controller.policy import (
    ABSENT,
    FEATURES,
    LONGEST,
    bound_policy,
    controller_policy,
    controller_statements,
)
from eks_load_balancing.controller.statements import REQUEST_TAG, RESOURCE_TAG
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.versions import CONTROLLER_VERSIONS
from tests.unit.controller.upstream import ACTIONS, ACTIONS_OF, NOT_IN_ISOLATED, RELEASES, UNTAGGED

LIKE_AWS = ("aws", "aws-cn", "aws-us-gov", "aws-eusc")
ISOLATED = ("aws-iso", "aws-iso-b", "aws-iso-e", "aws-iso-f")
VPC = "vpc-0123456789abcdef0"


def statements(
    partition: str = "aws", disabled: tuple[str, ...] = (), cluster: str = "dev", version: str = "3.5.0"
) -> list[dict[str, Any]]:
    text = controller_policy(version, partition, cluster, "us-west-2", VPC, disabled_features=disabled)
    return json.loads(text)["Statement"]


BEYOND = {"wafv2:ListWebACLs"}
"""What a field of a CRD needs, `wafv2AclName`, and no release's policy grants."""


def granted(rendered: list[dict[str, Any]]) -> set[str]:
    return {action for statement in rendered for action in statement["Action"]}


def of(action: str, rendered: list[dict[str, Any]]) -> list[dict[str, Any]]:
    return [statement for statement in rendered if action in statement["Action"]]


def published(version: str, among: tuple[str, ...]) -> list[tuple[str, str]]:
    return [(version, partition) for partition in ABSENT[version] if partition in among]


@pytest.mark.parametrize(("version", "partition"), [one for v in ABSENT for one in published(v, LIKE_AWS)])
def test_it_grants_what_the_release_asks_for_and_nothing_more(version: str, partition: str) -> None:
    assert granted(statements(partition, version=version)) - BEYOND == ACTIONS_OF[version]


@pytest.mark.parametrize(("version", "partition"), [one for v in ABSENT for one in published(v, ISOLATED)])
def test_isolated_partitions_go_without_what_they_do_not_offer(version: str, partition: str) -> None:
    assert granted(statements(partition, version=version)) - BEYOND == ACTIONS_OF[version] - NOT_IN_ISOLATED


def test_an_older_version_is_narrowed_as_the_newest_is() -> None:
    def without(actions: set[str]) -> list[dict[str, Any]]:
        return [{**s, "Action": [a for a in s["Action"] if a not in actions]} for s in statements()]

    assert statements(version="2.12.0") == without((ACTIONS - ACTIONS_OF["2.12.0"]) | BEYOND)


@pytest.mark.parametrize("partition", LIKE_AWS + ISOLATED)
def test_every_arn_is_of_the_partition(partition: str) -> None:
    arns = [r for s in statements(partition) for r in s["Resource"] if r != "*"]
    arns += [
        s["Condition"]["ArnEquals"]["ec2:Vpc"] for s in statements(partition) if "ArnEquals" in s.get("Condition", {})
    ]

    assert arns
    assert {arn.split(":")[1] for arn in arns} == {partition}


@pytest.mark.parametrize("partition", LIKE_AWS + ISOLATED)
def test_it_fits_into_a_managed_policy_with_a_cluster_name_of_sixty_characters(partition: str) -> None:
    assert sum(len(json.dumps(s, separators=(",", ":"))) for s in statements(partition, cluster="c" * 60)) < LONGEST


def test_a_cluster_name_that_makes_it_too_long_is_refused() -> None:
    with pytest.raises(InvalidInputError, match="characters and IAM takes 6144: turn features off"):
        statements("aws-us-gov", cluster="c" * 100)


def test_every_controller_version_has_the_partitions_of_its_release() -> None:
    assert set(ABSENT) == set(CONTROLLER_VERSIONS)
    assert {version: set(known) for version, known in ABSENT.items()} == {
        version: set(facts["partitions"]) for version, facts in RELEASES.items()
    }


def test_no_action_is_a_wildcard() -> None:
    assert not [action for action in granted(statements()) if "*" in action]


def test_nothing_is_made_but_with_this_clusters_tag() -> None:
    for create in ("CreateLoadBalancer", "CreateTargetGroup"):
        (statement,) = of(f"elasticloadbalancing:{create}", statements())
        assert statement["Condition"] == {"StringEquals": {REQUEST_TAG: "dev"}}


def test_a_security_group_is_made_in_the_clusters_vpc_with_its_tag_only() -> None:
    in_vpc, tagged = sorted(of("ec2:CreateSecurityGroup", statements()), key=lambda s: "Condition" in s)

    assert in_vpc["Resource"] == [f"arn:aws:ec2:us-west-2:*:vpc/{VPC}"]
    assert tagged["Condition"] == {"StringEquals": {REQUEST_TAG: "dev"}}


@pytest.mark.parametrize(
    "action",
    ["elasticloadbalancing:DeleteLoadBalancer", "elasticloadbalancing:ModifyTargetGroup", "ec2:DeleteSecurityGroup"],
)
def test_only_what_carries_this_clusters_tag_is_changed_or_removed(action: str) -> None:
    (statement,) = of(action, statements())

    assert statement["Condition"] == {"StringEquals": {RESOURCE_TAG: "dev"}}


def test_the_clusters_tag_itself_cannot_be_changed_later() -> None:
    later = [s for s in of("ec2:DeleteTags", statements()) if "elasticloadbalancing:RemoveTags" in s["Action"]]

    assert [s["Condition"] for s in later] == [
        {"StringEquals": {RESOURCE_TAG: "dev"}, "Null": {REQUEST_TAG: "true"}},
    ]


@pytest.mark.parametrize("action", sorted(UNTAGGED))
def test_where_the_release_asks_for_no_tag_another_clusters_is_refused(action: str) -> None:
    (statement,) = of(action, statements())

    assert statement["Condition"]["StringEqualsIfExists"][RESOURCE_TAG] == "dev"


def test_listeners_and_rules_are_never_made_with_another_clusters_tag() -> None:
    (statement,) = of("elasticloadbalancing:CreateListener", statements())

    assert statement["Condition"]["StringEqualsIfExists"][REQUEST_TAG] == "dev"


def test_security_group_rules_are_changed_in_the_clusters_vpc_only() -> None:
    (statement,) = of("ec2:AuthorizeSecurityGroupIngress", statements())

    assert statement["Condition"] == {
        "ArnEquals": {"ec2:Vpc": f"arn:aws:ec2:us-west-2:*:vpc/{VPC}"},
        "StringEqualsIfExists": {RESOURCE_TAG: "dev"},
    }


@pytest.mark.parametrize(
    ("feature", "gone"),
    [
        ("waf", "waf-regional:"),
        ("wafv2", "wafv2:"),
        ("shield", "shield:"),
        ("cognito", "cognito-idp:"),
        ("certificate-discovery", "acm:"),
    ],
)
def test_a_feature_that_is_off_takes_its_actions_with_it_and_no_others(feature: str, gone: str) -> None:
    left = granted(statements(disabled=(feature,)))
    also = (
        {"iam:ListServerCertificates", "iam:GetServerCertificate"} if feature == "certificate-discovery" else set[str]()
    )

    assert ACTIONS - left == {a for a in ACTIONS if a.startswith(gone)} | also


def test_web_acls_are_set_as_long_as_one_kind_of_waf_is_on() -> None:
    action = "elasticloadbalancing:SetWebAcl"

    assert action in granted(statements(disabled=("waf",)))
    assert action in granted(statements(disabled=("wafv2",)))
    assert action not in granted(statements(disabled=("waf", "wafv2")))


def test_every_feature_has_a_statement_of_its_own() -> None:
    served = [s.features for s in controller_statements("3.5.0", "aws", "dev", "us-west-2", VPC)]

    assert all((feature,) in served for feature in FEATURES)


def test_merging_statements_widens_none() -> None:
    apart = controller_statements("3.5.0", "aws", "dev", "us-west-2", VPC)
    wanted = {(a, r, json.dumps(s.condition)) for s in apart for a in s.actions for r in s.resources}
    wanted |= {(action, "*", "{}") for action in BEYOND}
    merged = {
        (a, r, json.dumps(s.get("Condition", {}))) for s in statements() for a in s["Action"] for r in s["Resource"]
    }

    assert merged == wanted


@pytest.mark.parametrize(
    ("version", "partition", "features", "says"),
    [
        ("2.0.0", "aws", (), "controller version 2.0.0 has no IAM policy for partition aws"),
        (
            "2.12.0",
            "aws-eusc",
            (),
            "2.12.0 has no IAM policy for partition aws-eusc: give 2.15.0 or later",
        ),
        ("3.5.0", "aws-moon", (), "partition aws-moon"),
        ("3.5.0", "aws", ("quantum",), "feature 'quantum' is not known: give some of waf, wafv2"),
    ],
)
def test_what_is_not_known_is_refused(version: str, partition: str, features: tuple[str, ...], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        controller_policy(version, partition, "dev", "us-west-2", VPC, disabled_features=features)


GROUP = "arn:aws:elasticloadbalancing:us-west-2:123456789012:targetgroup/web/0123456789abcdef"


def bound(*groups: str, partition: str = "aws") -> list[dict[str, Any]]:
    return json.loads(bound_policy("3.5.0", partition, "us-west-2", VPC, groups))["Statement"]


def test_a_controller_of_bindings_alone_registers_in_the_named_target_groups_only() -> None:
    for action in ("elasticloadbalancing:RegisterTargets", "elasticloadbalancing:DeregisterTargets"):
        (statement,) = of(action, bound(GROUP))
        assert statement["Resource"] == [GROUP]


@pytest.mark.parametrize("partition", LIKE_AWS + ISOLATED)
def test_a_controller_of_bindings_alone_is_granted_nothing_that_others_are_not(partition: str) -> None:
    verbs = {action.partition(":")[2] for action in granted(bound(GROUP, partition=partition))}

    assert granted(bound(GROUP, partition=partition)) < granted(statements(partition))
    assert {verb for verb in verbs if not verb.startswith(("Describe", "Get"))} == {
        "RegisterTargets",
        "DeregisterTargets",
        "AuthorizeSecurityGroupIngress",
        "RevokeSecurityGroupIngress",
    }


def test_a_controller_of_bindings_alone_opens_security_groups_of_its_vpc_only() -> None:
    (statement,) = of("ec2:AuthorizeSecurityGroupIngress", bound(GROUP))

    assert statement["Condition"] == {"ArnEquals": {"ec2:Vpc": f"arn:aws:ec2:us-west-2:*:vpc/{VPC}"}}


def test_more_target_groups_than_a_policy_holds_are_refused() -> None:
    with pytest.raises(InvalidInputError, match=r"for 60 target groups has .* characters .*: give fewer"):
        bound(*[GROUP] * 60)
