"""The pack as a whole: what the engine gets, the profiles, the manual and the check of configurations."""

import ast
import json
import re
import sys
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf import empty_pb2, struct_pb2
from pulumi.runtime.proto import analyzer_pb2, analyzer_pb2_grpc

import generate
from check import main
from fixtures.policies import COMPLIANT, resource
from pack.analyzer import Analyzer, serve
from pack.configuration import problems
from pack.publishing.profiles import profile
from pack.reports import REPORTS
from rules import RULES
from tests.policies.harness import UNKNOWN_MARK, secret

PACK = Path(generate.PACK)
# What the profile dev must not give up: trust, wildcards, rights over rights, static keys, shared groups, bindings.
KEPT_IN_DEV = {
    "trust-of-another-account-asks-for-an-external-id",
    "policy-names-the-secrets-it-reads",
    "role-for-pods-cannot-raise-its-rights",
    "role-bindings-serve-named-subjects",
    "chart-carries-no-static-aws-keys",
    "irsa-trust-names-one-service-account",
    "irsa-trust-audience-is-sts",
    "irsa-issuer-is-this-stacks",
    "oidc-provider-audience-is-sts-alone",
    "role-is-not-trusted-to-everybody",
    "policy-names-its-actions",
    "policy-names-what-it-writes-to",
    "no-iam-access-keys",
    "workload-carries-no-static-aws-keys",
    "ingress-group-is-not-shared-by-annotation",
    "bindings-stay-in-admin-namespaces",
    "binding-assumes-allowed-roles-only",
}


def analyzer() -> Any:
    """The pack's server."""
    return Analyzer("eks-load-balancing", "0.0.1", RULES.values())


def request(name: str, props: dict[str, Any] | None = None) -> analyzer_pb2.AnalyzeRequest:
    token, compliant = resource(name)
    properties = struct_pb2.Struct()
    properties.update(compliant if props is None else props)
    return analyzer_pb2.AnalyzeRequest(type=token, properties=properties, urn=f"urn::{name}", name=name)


def test_the_engine_gets_every_rule_with_severity_source_and_what_to_do() -> None:
    info = analyzer().GetAnalyzerInfo(None, None)
    assert [policy.name for policy in info.policies] == [*RULES, *REPORTS]
    for policy in info.policies:
        assert policy.severity, policy.name
        assert policy.url.startswith("https://"), policy.name
        assert policy.remediation_steps, policy.name
        assert policy.framework.name or policy.name in REPORTS, policy.name


def test_there_are_forty_rules_or_more() -> None:
    assert len(RULES) >= 40


@pytest.mark.parametrize("name", list(RULES))
def test_a_rule_has_a_kebab_case_name_and_says_demand_why_and_remedy(name: str) -> None:
    rule = RULES[name]
    assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+){2,}", name)
    assert rule.demand.endswith(".")
    assert rule.why.endswith(".")
    assert not rule.instead.endswith(".")
    assert rule.controls


def test_without_configuration_the_pack_is_the_profile_prod() -> None:
    info = analyzer().GetAnalyzerInfo(None, None)
    said = {
        policy.name: analyzer_pb2.EnforcementLevel.Name(policy.enforcementLevel).lower() for policy in info.policies
    }
    rules = {name: level for name, level in said.items() if name in RULES}
    assert rules == {name: given["enforcementLevel"] for name, given in profile("prod").items()}


def test_the_profile_dev_keeps_what_gives_the_account_away_and_advises_on_the_rest() -> None:
    assert {name for name, given in profile("dev").items() if given["enforcementLevel"] == "mandatory"} == KEPT_IN_DEV


def test_the_generated_files_are_what_the_rules_say() -> None:
    assert generate.stale() == []


def test_the_manual_has_a_section_on_every_rule_and_a_row_on_every_control() -> None:
    text = (PACK.parent / "docs" / "policies.md").read_text("utf-8")
    for name, rule in RULES.items():
        section = text.partition(f"### {name}\n")[2].partition("\n### ")[0]
        for part in (rule.demand, rule.why, rule.instead, rule.source, *(f"`{key}" for key in profile("prod")[name])):
            assert part in section or part == "`enforcementLevel", (name, part)
        for control in rule.controls:
            assert f"| {control.number} | {control.title} |" in text


def test_the_profiles_pass_the_check() -> None:
    assert main([str(file) for file in sorted((PACK / "profiles").glob("*.json"))]) == 0


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"no-such-rule": "mandatory"}, "no-such-rule: unknown rule"),
        ({"cluster-is-proteced-from-deletion": "advisory"}, "did you mean cluster-is-protected-from-deletion?"),
        ({"cluster-version-is-supported": {"oldst": "1.30"}}, "unknown setting oldst; did you mean oldest?"),
        ({"cluster-version-is-supported": {"oldest": 1.3}}, "oldest is 1.3; write a string"),
        ({"controller-runs-two-replicas": {"minReplicas": "2"}}, "minReplicas is '2'; write a number of 0 or more"),
        ({"controller-runs-two-replicas": {"minReplicas": -1}}, "write a number of 0 or more"),
        ({"controller-runs-two-replicas": {"minReplicas": True}}, "write a number"),
        ({"node-doors-are-not-open-to-the-world": {"ports": ["22"]}}, "write a list of numbers"),
        ({"cluster-is-protected-from-deletion": "forbidden"}, "the level 'forbidden' is not one of"),
        ({"cluster-is-protected-from-deletion": {"min": 1}}, "unknown setting min; known: none"),
        ({"cluster-authenticates-by-api": "remediate"}, "the rule has no remediation"),
        ({"all": {"enforcementLevel": "advisory", "ports": []}}, "all: takes only a level"),
        ([], "the file does not contain a JSON object"),
    ],
)
def test_a_configuration_that_does_not_fit_is_refused(config: Any, said: str) -> None:
    found = list(problems(config, {**RULES, **REPORTS}))
    assert len(found) == 1
    assert said in found[0]


@pytest.mark.parametrize(
    "config", [{}, {"all": "advisory"}, {"cluster-is-protected-from-deletion": {"enforcementLevel": "remediate"}}]
)
def test_a_configuration_that_fits_is_accepted(config: Any) -> None:
    assert list(problems(config, {**RULES, **REPORTS})) == []


def test_the_check_names_the_file_and_fails(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "mine.json"
    file.write_text('{"no-such-rule": "mandatory"}')
    assert main([str(file)]) == 1
    assert f"{file}: no-such-rule" in capsys.readouterr().err
    assert main([str(tmp_path / "none.json")]) == 1


def test_the_pack_imports_nothing_of_the_project() -> None:
    allowed = {*sys.stdlib_module_names, "pulumi", "google", "grpc", "rules", "pack", "kinds"}
    for file in PACK.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text("utf-8"))):
            names = (
                [alias.name for alias in node.names]
                if isinstance(node, ast.Import)
                else [node.module or ""]
                if isinstance(node, ast.ImportFrom)
                else []
            )
            assert {name.partition(".")[0] for name in names} <= allowed, file


def test_a_violation_is_reported_with_level_severity_and_advice() -> None:
    response = analyzer().Analyze(request("cluster", {**resource("cluster")[1], "version": "1.29"}), None)
    [found] = [one for one in response.diagnostics if one.enforcementLevel == analyzer_pb2.MANDATORY]
    assert found.policyName == "cluster-version-is-supported"
    assert found.severity == analyzer_pb2.POLICY_SEVERITY_HIGH
    assert "1.29" in found.message
    assert RULES["cluster-version-is-supported"].instead in found.message


@pytest.mark.parametrize("name", list(RULES))
def test_a_profile_may_set_any_level_of_any_rule(name: str) -> None:
    server = analyzer()
    for level in (analyzer_pb2.ADVISORY, analyzer_pb2.MANDATORY, analyzer_pb2.DISABLED):
        config = analyzer_pb2.PolicyConfig(enforcementLevel=level)
        server.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig={name: config}), None)
        assert server._session.level(RULES[name]) == analyzer_pb2.EnforcementLevel.Name(level).lower()


def test_a_setting_reaches_its_rule_from_the_engine() -> None:
    server = analyzer()
    given = analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.MANDATORY)
    given.properties.update({"oldest": "1.29"})
    server.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig={"cluster-version-is-supported": given}), None)
    response = server.Analyze(request("cluster", {**resource("cluster")[1], "version": "1.29"}), None)
    assert "cluster-version-is-supported" not in {found.policyName for found in response.diagnostics}


def test_an_unknown_value_makes_no_noise() -> None:
    props = {**resource("cluster")[1], "version": UNKNOWN_MARK, "vpcConfig": UNKNOWN_MARK}
    assert list(analyzer().Analyze(request("cluster", props), None).diagnostics) == []


def test_the_engine_gets_remediations_only_at_that_level() -> None:
    server = analyzer()
    props = {**resource("cluster")[1], "deletionProtection": False}
    assert list(server.Remediate(request("cluster", props), None).remediations) == []
    config = analyzer_pb2.PolicyConfig(enforcementLevel=analyzer_pb2.REMEDIATE)
    rule = "cluster-is-protected-from-deletion"
    server.Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig={rule: config}), None)
    [fixed] = server.Remediate(request("cluster", props), None).remediations
    assert fixed.properties["deletionProtection"] is True


def test_requests_are_judged_one_by_one() -> None:
    server = analyzer()
    rule = "cluster-is-protected-from-deletion"
    for protected in (True, False, True, False):
        props = {**resource("cluster")[1], "deletionProtection": protected}
        names = {found.policyName for found in server.Analyze(request("cluster", props), None).diagnostics}
        assert (rule in names) is not protected


def test_a_stack_is_judged_through_the_engines_messages_too() -> None:
    names = ("subnet", "other-subnet", "cluster", "node-group")
    broken = {**resource("subnet")[1], "mapPublicIpOnLaunch": True}
    things = [request(name, broken if name == "subnet" else None) for name in names]
    resources = [
        analyzer_pb2.AnalyzerResource(type=one.type, properties=one.properties, urn=one.urn, name=one.name)
        for one in things
    ]
    response = analyzer().AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=resources), None)
    assert [(found.policyName, found.urn) for found in response.diagnostics] == [
        ("nodes-run-in-private-subnets", "urn::node-group")
    ]


def test_every_compliant_resource_is_of_a_type_that_some_rule_looks_at() -> None:
    seen = {name for name in COMPLIANT for rule in RULES.values() if _looks_at(rule, name)}
    assert {name for name in COMPLIANT if name not in seen} <= {"subnet", "other-subnet", "native-subnet"} | _HELPERS


_HELPERS = {
    *(
        "attachment",
        "budget",
        "service-account",
        "pod-identity",
        "web-acl-association",
        "ingress-class",
        "gateway-class",
    )
}


def _looks_at(rule: Any, name: str) -> bool:
    token = COMPLIANT[name][0]
    shapes = getattr(rule.on, "shapes", None)
    if shapes is not None:
        return token in shapes
    group, _, rest = token.removeprefix("kubernetes:").partition("/")
    return (group, rest.rpartition(":")[2]) in rule.on.kinds or token in rule.on.others


def test_the_profiles_are_plain_json() -> None:
    for file in (PACK / "profiles").glob("*.json"):
        assert set(json.loads(file.read_text("utf-8"))) == set(RULES)


@pytest.mark.parametrize("name", ["cluster-version-is-supported", "cluster-spans-two-zones"])
def test_a_rule_that_fails_refuses_what_it_could_not_judge_and_stops_no_other(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: Any, **__: Any) -> list[str]:
        raise RuntimeError("two\nlines")

    monkeypatch.setattr(RULES[name], "check", fail)
    one = request("cluster", {**resource("cluster")[1], "deletionProtection": False})
    server = analyzer()
    whole = analyzer_pb2.AnalyzerResource(type=one.type, properties=one.properties, urn=one.urn, name=one.name)
    said = [
        *server.Analyze(one, None).diagnostics,
        *server.AnalyzeStack(analyzer_pb2.AnalyzeStackRequest(resources=[whole]), None).diagnostics,
    ]
    [broken] = [found for found in said if found.policyName == name]
    assert broken.urn == one.urn
    assert "RuntimeError: two lines" in broken.message
    assert f"disable the rule {name}" in broken.message
    assert "cluster-is-protected-from-deletion" in {found.policyName for found in said}


def test_the_engine_reaches_the_pack_at_the_port_that_it_prints(capsys: pytest.CaptureFixture[str]) -> None:
    def ask(server: Any) -> None:
        with grpc.insecure_channel(f"127.0.0.1:{capsys.readouterr().out.strip()}") as channel:
            answers.append(analyzer_pb2_grpc.AnalyzerStub(channel).GetAnalyzerInfo(empty_pb2.Empty(), timeout=10))
        server.stop(None).wait(10)

    answers: list[Any] = []
    serve(analyzer(), ask)
    assert len(answers[0].policies) == len(RULES) + len(REPORTS)


def test_a_configuration_that_does_not_fit_stops_the_engine_with_all_that_is_wrong() -> None:
    class Aborted(Exception):  # noqa: N818 - what a context does
        pass

    class Context:
        def abort(self, code: Any, details: str) -> None:
            raise Aborted(code, details)

    config = {"no-such-rule": analyzer_pb2.PolicyConfig(), "nor-this-one": analyzer_pb2.PolicyConfig()}
    with pytest.raises(Aborted) as caught:
        analyzer().Configure(analyzer_pb2.ConfigureAnalyzerRequest(policyConfig=config), Context())
    code, details = caught.value.args
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert "no-such-rule" in details
    assert "nor-this-one" in details


def test_a_number_that_the_engine_sends_is_shown_as_the_program_wrote_it() -> None:
    props = {"protocol": "HTTP", "port": 80, "defaultActions": [{"type": "forward"}]}
    said = analyzer().Analyze(request("http-listener", props), None).diagnostics
    assert any("on port 80 serves" in one.message for one in said)


def test_a_secret_that_the_engine_sends_decides_and_is_not_shown() -> None:
    props = {**resource("cluster")[1], "version": secret("1.29")}
    said = {one.policyName: one for one in analyzer().Analyze(request("cluster", props), None).diagnostics}
    assert said["cluster-version-is-supported"].message.startswith("Kubernetes [secret] is older than 1.34")
