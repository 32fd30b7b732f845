"""A move to another controller version with the real engine: the preview lists the steps."""

from pathlib import Path

import pytest

from tests.engine import Engine

pytestmark = pytest.mark.sandbox

# The hook and its resource are the component's; there is no chart.
_PROGRAM = """
import pulumi
from eks_load_balancing.controller.moves import announced

parent = pulumi.ComponentResource("test:index:Controller", "lbc")
chart = pulumi.ComponentResource("test:index:Chart", "chart")
announced("lbc-version", "{version}", "aws", parent=parent, after=chart)
"""


@pytest.fixture(scope="module")
def engine(tmp_path_factory: pytest.TempPathFactory) -> Engine:
    return Engine(tmp_path_factory.mktemp("moves"))


def preview(engine: Engine, version: str) -> str:
    Path(engine.program, "__main__.py").write_text(_PROGRAM.format(version=version))
    done = engine.run("preview", "--stack", "one")
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_a_preview_that_moves_the_version_says_what_comes_with_it(engine: Engine) -> None:
    assert "in this order" not in preview(engine, "2.12.0")
    assert engine.up(_PROGRAM.format(version="2.12.0")).returncode == 0
    assert "in this order" not in preview(engine, "2.12.0")

    said = preview(engine, "3.5.0")
    assert "the controller moves from 2.12.0 to 3.5.0, in this order:" in said
    assert "1. IAM grants ec2:DescribeRouteTables" in said

    done = engine.up(_PROGRAM.format(version="3.5.0"))
    assert done.returncode == 0
    assert "the controller moves from 2.12.0 to 3.5.0" in done.stdout
    assert "warning: the controller goes BACK from 3.5.0 to 2.12.0" in preview(engine, "2.12.0")


def test_a_stack_is_taken_down_without_its_program(engine: Engine) -> None:
    assert engine.up(_PROGRAM.format(version="3.5.0")).returncode == 0
    (engine.program / "__main__.py").write_text("raise SystemExit('not to be run')")

    done = engine.run("destroy", "--stack", "one", "--yes", "--skip-preview")

    assert done.returncode == 0, done.stdout + done.stderr
