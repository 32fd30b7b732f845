"""What a program sets beside the component's own arguments: values of the chart, its own role, more permissions."""

import json
from typing import Any

import pytest
from pulumi import Output

from eks_load_balancing import InvalidInputError
from eks_load_balancing.controller.opt_ins import extra_policy
from eks_load_balancing.controller.overrides import check_values, merged
from fixtures.declared import ACCOUNT
from tests.unit.controller.test_load_balancer_controller import controller, values

ROLE = f"arn:aws:iam::{ACCOUNT}:role/mine"
STATEMENT = {"Effect": "Allow", "Action": "s3:GetObject", "Resource": "*"}


def test_maps_are_merged_and_anything_else_takes_our_place() -> None:
    ours = {"resources": {"limits": {"memory": "8Gi"}}, "tolerations": [1], "logLevel": "info"}
    theirs = {"resources": {"limits": {"cpu": "1"}}, "tolerations": [2], "nodeSelector": {"a": "b"}}

    assert merged(ours, theirs) == {
        "resources": {"limits": {"memory": "8Gi", "cpu": "1"}},
        "tolerations": [2],
        "logLevel": "info",
        "nodeSelector": {"a": "b"},
    }


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ({"clusterName": "other"}, "values.clusterName 'other' cannot be set: .* give cluster_name"),
        ({"serviceAccount": {"create": True}}, "values.serviceAccount .* give service_account, or role_arn"),
        ({"webhookTLS": {"caCert": "x"}}, "values.webhookTLS .* leave it out"),
        ({"enableCertManager": True}, "values.enableCertManager True cannot be set"),
        ({"image": {"tag": "v9"}}, "values.image.tag 'v9' cannot be set: .* give version"),
        ({"controllerConfig": {"featureGates": {"X": True}}}, "values.controllerConfig.featureGates .* feature_gates"),
        ({"defaultTags": {"a": "b,c"}}, "tag 'a'='b,c' cannot be on load balancers"),
    ],
)
def test_what_would_break_the_components_promises_is_refused_with_a_reason(given: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=says):
        check_values(given)
    with pytest.raises(InvalidInputError, match=rf"^LoadBalancerController 'lbc': {says}"):
        controller(values=given)
    with pytest.raises(ValueError, match=says):  # and when it is known later
        controller(values=Output.from_input(given))


@pytest.mark.parametrize("wrap", [lambda value: value, Output.from_input])
def test_values_go_over_those_of_the_component(wrap: Any) -> None:
    given = {
        "resources": {"limits": {"memory": "1Gi"}},
        "tolerations": [{"operator": "Exists"}],
        "defaultTags": {"b": "c"},
    }
    made = values(controller(values=wrap(given)))

    assert made["resources"] == {"requests": {"cpu": "100m", "memory": "200Mi"}, "limits": {"memory": "1Gi"}}
    assert made["tolerations"] == [{"operator": "Exists"}]
    assert made["defaultTags"] == {"team": "web", "b": "c"}
    assert made["clusterName"] == "dev"


def test_more_policies_and_statements_are_attached_to_the_role() -> None:
    declared = controller(policy_arns=[f"arn:aws:iam::{ACCOUNT}:policy/more"], policy_statements=[STATEMENT])
    attached = {a.name: a.inputs["policyArn"] for a in declared.of(":RolePolicyAttachment")}

    assert attached[f"lbc-extra-{ACCOUNT}-policy-more"] == f"arn:aws:iam::{ACCOUNT}:policy/more"
    assert json.loads(declared.one(":Policy", "lbc-extra-policy").inputs["policy"])["Statement"] == [STATEMENT]
    assert attached["lbc-extra"] == f"arn:aws:iam::{ACCOUNT}:policy/lbc-extra-policy"
    assert {"lbc-extra", "lbc-extra-policy"} <= declared.one(":Chart").waits_for


@pytest.mark.parametrize(
    ("statement", "says"),
    [
        ({**STATEMENT, "Principal": "*"}, "has the key 'Principal'"),
        ({"Effect": "Allow", "Resource": "*"}, "has not one Action or NotAction"),
        ({**STATEMENT, "NotResource": "*"}, "has not one Resource or NotResource"),
        ({**STATEMENT, "Effect": "allow"}, "has the Effect 'allow'"),
    ],
)
def test_what_is_no_statement_is_refused(statement: dict[str, Any], says: str) -> None:
    with pytest.raises(InvalidInputError, match=rf"^policy_statements\[1\] {says}: give Effect"):
        extra_policy([STATEMENT, statement])
    with pytest.raises(InvalidInputError, match=rf"policy_statements\[0\] {says}"):
        controller(policy_statements=[statement])


def test_the_role_can_have_a_name_and_what_was_made_is_told() -> None:
    declared = controller(role_name="lbc-of-dev")

    assert declared.one(":Role").inputs["name"] == "lbc-of-dev"


def test_a_role_of_the_programs_own_gets_no_policy_and_is_on_the_service_account() -> None:
    declared = controller(role_arn=Output.from_input(ROLE))

    assert declared.of(":Role") == declared.of(":Policy") == declared.of(":RolePolicyAttachment") == []
    assert declared.one(":ServiceAccount").inputs["metadata"]["annotations"] == {"eks.amazonaws.com/role-arn": ROLE}
    assert values(declared)["podAnnotations"]["eks-load-balancing/role-arn"] == ROLE


def test_a_role_of_the_programs_own_is_handed_out_by_pod_identity() -> None:
    declared = controller(role_arn=ROLE, identity="pod-identity")
    association = declared.one(":PodIdentityAssociation").inputs

    assert (association["roleArn"], association["clusterName"], association["namespace"]) == (
        ROLE,
        "dev",
        "kube-system",
    )


@pytest.mark.parametrize(
    "key", ["role_name", "policy_arns", "policy_statements", "global_accelerator", "assumable_role_arns"]
)
def test_a_role_of_the_programs_own_excludes_what_is_for_ours(key: str) -> None:
    given: dict[str, Any] = {
        "role_name": "x",
        "policy_arns": [f"arn:aws:iam::{ACCOUNT}:policy/more"],
        "policy_statements": [STATEMENT],
        "global_accelerator": True,
        "assumable_role_arns": [ROLE],
    }
    with pytest.raises(InvalidInputError, match=f"{key} is for the role that is made here, .* give one of them"):
        controller(role_arn=ROLE, **{key: given[key]})


def test_outputs_do_as_well_as_plain_values() -> None:
    changes: dict[str, Any] = {
        "region": "us-gov-west-1",
        "namespace": "lbc",
        "cluster_name": "dev",
        "assumable_role_arns": [ROLE],
    }
    plain = controller(**changes)
    later = controller(**{key: Output.from_input(value) for key, value in changes.items()})

    assert {r.name: r.inputs for r in later.resources} == {r.name: r.inputs for r in plain.resources}


@pytest.mark.parametrize(
    ("key", "value", "says"),
    [
        ("region", "Oregon", "region: 'Oregon' is not a region: give one such as us-west-2"),
        ("namespace", "A_B", "namespace: namespace 'A_B' is not a name that Kubernetes takes"),
        ("cluster_name", "c" * 101, "is not one that EKS takes"),
        ("role_arn", "mine", "role_arn: 'mine' is not the ARN of an IAM role"),
        ("role_name", "a b", "role_name: 'a b' is not a role's name"),
        ("assumable_role_arns", ["mine"], "assumable_role_arns: 'mine' is not the ARN of an IAM role"),
    ],
)
def test_a_bad_output_is_refused_when_it_is_known_with_the_error_of_a_plain_value(
    key: str, value: Any, says: str
) -> None:
    for given in (value, Output.from_input(value)):
        with pytest.raises(ValueError, match=rf"LoadBalancerController 'lbc': .*{says}"):
            controller(**{key: given})
