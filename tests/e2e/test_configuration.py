"""The configuration schema in `Pulumi.yaml`, read by the real engine."""

import json
from pathlib import Path
from typing import Any

import pytest

from tests.conftest import REPOSITORY
from tests.engine import Engine

pytestmark = pytest.mark.sandbox

_PROGRAM = """
import sys
sys.path.insert(0, {repository!r})
import pulumi
import settings
found = settings.load(settings.stack_configuration())
pulumi.export("namespace", found.samples.namespace)
pulumi.export("boundary", found.permissions_boundary_arn or "none")
"""
_GIVEN: dict[str, Any] = {
    "aws:region": "us-west-2",
    "eks-load-balancing:network": {"cidr": "10.0.0.0/16", "zones": ["us-west-2a", "us-west-2b"]},
    "eks-load-balancing:cluster": {"name": "dev", "version": "1.36"},
    "eks-load-balancing:nodes": {"instanceTypes": ["m7i.large"], "min": 2, "desired": 2, "max": 4},
}


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    made = Engine(tmp_path_factory.mktemp("configuration"))
    text = (REPOSITORY / "Pulumi.yaml").read_text().replace("virtualenv: .venv", f"virtualenv: {REPOSITORY}/.venv")
    (made.program / "Pulumi.yaml").write_text(text)
    (made.program / "__main__.py").write_text(_PROGRAM.format(repository=str(REPOSITORY)))
    made.run("stack", "init", "two")
    return made


def previewed(engine: Engine, **changes: Any) -> str:
    named = {f"eks-load-balancing:{key}": value for key, value in changes.items()}
    config = {key: value for key, value in {**_GIVEN, **named}.items() if value is not None}
    Path(engine.program, "Pulumi.two.yaml").write_text(json.dumps({"config": config}))
    done = engine.run("preview", "--stack", "two")
    return done.stdout + done.stderr


def test_what_has_a_default_may_be_left_out(engine: Engine) -> None:
    said = previewed(engine)

    assert 'namespace: "samples"' in said
    assert 'boundary : "none"' in said


def test_a_key_that_must_be_there_and_one_of_another_type_are_refused_by_name(engine: Engine) -> None:
    assert "Stack 'two' is missing configuration value 'nodes'" in previewed(engine, nodes=None)
    assert "configuration key 'protect' must be of type 'boolean'" in previewed(engine, protect="perhaps")
