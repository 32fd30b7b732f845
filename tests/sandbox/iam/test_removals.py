"""The controller's policy on every call of the 13 conformance cases, complete and with one action removed.

`controller_calls.json` has IAM's questions while `tests/conformance` was played with a controller that may do
everything: actions, resources and condition keys, with uniform ids, and without tags other than the cluster's (no
statement uses them).
https://docs.aws.amazon.com/service-authorization/latest/reference/list_awselasticloadbalancingv2.html
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from eks_load_balancing.controller.policy import controller_policy
from fixtures.iam import upstream
from fixtures.iam.sending import ACCOUNT, REGION
from sandbox.iam.language.conditions import Context
from sandbox.iam.language.evaluate import Policies, Policy, Principal, Request, evaluate, policy

CALLS: list[dict[str, Any]] = json.loads(Path(__file__).with_name("controller_calls.json").read_text())
ROLE = f"arn:aws:iam::{ACCOUNT}:role/c"
CONTROLLER = Principal("session", f"arn:aws:sts::{ACCOUNT}:assumed-role/c/pod", ACCOUNT, ROLE)
OURS = controller_policy("3.5.0", "aws", "conformance", REGION, "vpc-0123456789abcdef0")

LATER = "a change of something that exists, which no recorded case makes"
FEATURE = "a feature that no recorded case uses"
UPSTREAM = "upstream grants it; no recorded case asks for it"
# Granted, but not needed by any recorded case: action, the statement's first resource, `later` if it is for tags of
# existing resources.
UNUSED = {
    LATER: "elasticloadbalancing:SetIpAddressType *, elasticloadbalancing:RemoveListenerCertificates *",
    FEATURE: """
        iam:ListServerCertificates *, iam:GetServerCertificate *,
        cognito-idp:DescribeUserPoolClient *, waf-regional:GetWebACL *, waf-regional:GetWebACLForResource *,
        waf-regional:AssociateWebACL *, waf-regional:DisassociateWebACL *, wafv2:GetWebACL *,
        wafv2:GetWebACLForResource *, wafv2:AssociateWebACL *, wafv2:DisassociateWebACL *, wafv2:ListWebACLs *,
        elasticloadbalancing:SetWebAcl *, shield:DescribeProtection *,
        shield:CreateProtection *, shield:DeleteProtection *, ec2:DescribeVpcPeeringConnections *,
        ec2:GetCoipPoolUsage *, ec2:DescribeCoipPools *, ec2:DescribeIpamPools *, ec2:DescribeRouteTables *,
        ec2:DescribeNetworkInterfaces *, elasticloadbalancing:ModifyIpPools *,
        elasticloadbalancing:DescribeTrustStores *, elasticloadbalancing:DescribeCapacityReservation *,
        elasticloadbalancing:ModifyCapacityReservation *
    """,
    UPSTREAM: """
        ec2:DescribeAccountAttributes *, ec2:DescribeAddresses *, ec2:DescribeInternetGateways *, ec2:DescribeTags *,
        ec2:GetSecurityGroupsForVpc *, elasticloadbalancing:DescribeSSLPolicies *
    """,
}
REASONS = {grant.strip(): reason for reason, grants in UNUSED.items() for grant in grants.split(",")}


def allowed(own: Policy, call: dict[str, Any]) -> bool:
    keys = {key: tuple(values) for key, values in call["keys"].items()}
    return evaluate(Request(CONTROLLER, call["action"], call["resource"], Context(keys)), Policies([own])).allowed


def grants() -> Iterator[tuple[str, Policy]]:
    """Every action of every statement, and the policy without it."""
    for index, statement in enumerate(json.loads(OURS)["Statement"]):
        where = statement["Resource"][0].rpartition(":")[2]
        later = " later" if "Null" in statement.get("Condition", {}) else ""
        for action in statement["Action"]:
            document = json.loads(OURS)
            left = document["Statement"][index]
            left["Action"].remove(action)
            document["Statement"] = [each for each in document["Statement"] if each["Action"]]
            yield f"{action} {where}{later}", policy("less", json.dumps(document))


GRANTS = list(grants())


@pytest.mark.parametrize("call", CALLS, ids=lambda call: call["action"])
def test_upstreams_policy_and_ours_allow_the_same_calls(call: dict[str, Any]) -> None:
    assert allowed(policy("upstream", upstream.policy()), call)
    assert allowed(policy("ours", OURS), call)


@pytest.mark.parametrize(("grant", "less"), GRANTS, ids=[grant for grant, _ in GRANTS])
def test_an_action_that_is_removed_is_missed_or_was_granted_for_a_reason(grant: str, less: Policy) -> None:
    missed = [call["action"] for call in CALLS if not allowed(less, call)]
    assert bool(missed) != (grant in REASONS), f"{grant}: missed by {missed}, reason {REASONS.get(grant)}"


def test_reasons_are_given_for_what_is_granted_only() -> None:
    assert set(REASONS) <= {grant for grant, _ in GRANTS}
