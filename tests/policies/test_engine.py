"""The pack under the real engine: programs with one fault each, a killed analyzer, a saved state, profiles."""

import json
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from fixtures.policies import GIVEN, resource
from pack.publishing.profiles import profile
from tests.policies.conftest import PACK, Engine, Previews
from tests.policies.faults import Program, faults, program

pytestmark = pytest.mark.sandbox

_ALL = faults()
_ONE = "cluster-has-one-controller"
# One in two by default, and at least thirty; all of them in the campaign.
_TRIED = _ALL if os.environ.get("SOAK") else _ALL[::2]


def test_thirty_programs_or_more_are_tried() -> None:
    assert len(_TRIED) >= 30


@pytest.fixture(scope="module")
def previews(engine: Engine) -> Iterator[Previews]:
    running = Previews(engine, {rule: program(rule, faulty=True) for rule in _TRIED})
    yield running
    running.close()


@pytest.mark.soak
@pytest.mark.parametrize("rule", _TRIED)
def test_a_program_with_one_fault_is_refused_by_the_rule_meant_for_it_alone(previews: Previews, rule: str) -> None:
    said = previews[rule]
    assert said.code != 0, said.output
    assert said.refused_by == {rule}, said.output


def test_refusing_takes_no_call_to_the_cloud(previews: Previews, engine: Engine) -> None:
    for rule in _TRIED:
        assert previews[rule].code
    assert engine.cloud.calls == []


def test_the_same_programs_without_their_faults_are_accepted(engine: Engine) -> None:
    everything: Program = {}
    for rule in (rule for rule in _ALL if rule not in GIVEN):  # these are compliant by configuration
        everything |= {name: thing for name, thing in program(rule, faulty=False).items() if name not in everything}
    del everything["release"]  # one controller serves a cluster
    for name, things in {"compliant": everything, "released": program(_ONE, faulty=False)}.items():
        said = engine.preview(name, things)
        assert said.refused_by == set(), said.output
        assert said.code == 0, said.output


def test_a_profile_given_to_the_engine_changes_levels(engine: Engine) -> None:
    dev = ("--policy-pack-config", str(PACK / "profiles" / "dev.json"))
    advice = engine.preview("in-dev", program("cluster-version-is-supported", faulty=True), *dev)
    assert advice.code == 0, advice.output
    assert "[advisory] [severity: high]  cluster-version-is-supported" in advice.output
    kept = engine.preview("in-dev", program("irsa-trust-names-one-service-account", faulty=True), *dev)
    assert kept.code != 0
    assert kept.refused_by == {"irsa-trust-names-one-service-account"}


def test_a_setting_given_to_the_engine_changes_a_demand(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps({"cluster-version-is-supported": {"enforcementLevel": "mandatory", "oldest": "1.29"}}))
    faulty = program("cluster-version-is-supported", faulty=True)
    said = engine.preview("with-settings", faulty, "--policy-pack-config", str(file))
    assert said.code == 0, said.output


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"cluster-is-proteced-from-deletion": "advisory"}, "did you mean cluster-is-protected-from-deletion?"),
        ({"cluster-version-is-supported": {"oldst": "1.29"}}, "unknown setting oldst; did you mean oldest?"),
    ],
)
def test_a_configuration_that_fits_no_rule_stops_the_engine(
    engine: Engine, tmp_path: Path, config: dict[str, Any], said: str
) -> None:
    file = tmp_path / "mine.json"
    file.write_text(json.dumps(config))
    nothing: Program = {"vpc": program("nodes-run-in-private-subnets", faulty=False)["vpc"]}
    answer = engine.preview("misconfigured", nothing, "--policy-pack-config", str(file))
    assert answer.code != 0, answer.output
    assert said in answer.output


def test_the_engine_fixes_what_a_rule_may_remediate(engine: Engine, tmp_path: Path) -> None:
    rule = "cluster-is-protected-from-deletion"
    file = tmp_path / "fixing.json"
    file.write_text(json.dumps({rule: "remediate"}))
    said = engine.preview("fixed", program(rule, faulty=True), "--policy-pack-config", str(file))
    assert said.code == 0, said.output
    assert "[remediate]" in said.output
    assert rule in said.output


_SLOW_PACK = """\
import os, sys, time
sys.path.insert(0, {pack!r})
from pack.analyzer import Analyzer, serve
from rules import RULES

class Slow(Analyzer):
    def Analyze(self, request, context):
        if request.type == "aws:eks/cluster:Cluster":
            with open({pid!r} + ".new", "w") as file:
                file.write(str(os.getpid()))
            os.rename({pid!r} + ".new", {pid!r})
            time.sleep(60)
        return super().Analyze(request, context)

serve(Slow("slow", "0.0.1", RULES.values()))
"""


def test_an_analyzer_killed_at_work_refuses_the_program(engine: Engine, tmp_path: Path) -> None:
    pid, pack = tmp_path / "pid", tmp_path / "pack"
    pack.mkdir()
    (pack / "PulumiPolicy.yaml").write_text("runtime: python\nversion: 0.0.1\n")
    (pack / "__main__.py").write_text(_SLOW_PACK.format(pack=str(PACK), pid=str(pid)))
    process = engine.start("killed", program("cluster-version-is-supported", faulty=False), pack=pack)
    until = time.monotonic() + 60
    while not pid.exists():
        assert process.poll() is None, process.communicate()
        assert time.monotonic() < until, "the analyzer was not asked"
        time.sleep(0.05)
    os.kill(int(pid.read_text()), signal.SIGKILL)
    output, errors = process.communicate(timeout=60)
    assert process.returncode != 0, output + errors
    assert "aws:eks:Cluster cluster create" not in output


def _saved(things: Program) -> dict[str, Any]:
    """A stack's export as `pulumi stack export` writes it."""
    return {
        "version": 3,
        "deployment": {
            "manifest": {"time": "2026-01-01T00:00:00Z", "magic": "", "version": ""},
            "resources": [
                {
                    "urn": f"urn:pulumi:one::anybodys::{token}::{name}",
                    "custom": True,
                    "id": f"{name}-1",
                    "type": token,
                    "inputs": props,
                    "outputs": props,
                }
                for name, (token, props) in things.items()
            ],
        },
    }


def test_a_saved_state_is_judged_like_a_program(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    things: Program = {name: resource(name) for name in ("cluster", "role", "ingress", "webhook-secret", "service")}
    file.write_text(json.dumps(_saved(things)))
    analyze = ("policy", "analyze", "--policy-pack", str(PACK), "--file", str(file))
    good = engine.run(*analyze)
    assert good.refused_by == set(), good.output
    assert good.code == 0, good.output
    things["cluster"][1]["version"] = "1.29"
    things["webhook-secret"][1]["data"] = "[secret]"
    file.write_text(json.dumps(_saved(things)))
    bad = engine.run(*analyze)
    assert bad.refused_by == {"cluster-version-is-supported"}, bad.output
    assert bad.code != 0


def test_a_saved_state_shows_the_objects_that_rules_across_the_stack_are_about(engine: Engine, tmp_path: Path) -> None:
    file = tmp_path / "export.json"
    one, two = resource("controller"), resource("controller")
    file.write_text(json.dumps(_saved({"one": one, "two": two, "budget": resource("budget")})))
    analyze = ("policy", "analyze", "--policy-pack", str(PACK), "--file", str(file))
    assert engine.run(*analyze).refused_by == {"cluster-has-one-controller"}
    file.write_text(json.dumps(_saved({"one": one})))
    assert engine.run(*analyze).refused_by == {"controller-has-a-disruption-budget"}
    wanting = "ingress-asks-for-what-the-controller-may"
    file.write_text(json.dumps(_saved(program(wanting, faulty=True))))
    assert wanting in engine.run(*analyze).refused_by


def test_every_level_of_the_profiles_is_one_that_the_engine_takes(engine: Engine) -> None:
    for name in ("prod", "dev", "sandbox"):
        assert profile(name)
        config = ("--policy-pack-config", str(PACK / "profiles" / f"{name}.json"))
        said = engine.preview("levels", {"vpc": program("nodes-run-in-private-subnets", faulty=False)["vpc"]}, *config)
        assert said.code == 0, said.output
