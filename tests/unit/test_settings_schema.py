"""The configuration's schema in `Pulumi.yaml`: the same as `settings.py`, and one that the stacks fit."""

from pathlib import Path
from typing import Any

import pytest
import yaml

import settings_schema
from settings import PROJECT, Settings

ROOT = Path(__file__).parents[2]
DECLARED: dict[str, Any] = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())["config"]
TYPES = {"string": str, "integer": int, "boolean": bool, "array": list, "object": dict}


def test_what_is_checked_in_is_what_the_settings_say() -> None:
    assert (ROOT / "Pulumi.yaml").read_text() == settings_schema.project(), "run: python -m settings_schema"


def test_every_key_is_declared_and_no_other() -> None:
    assert set(DECLARED) == {field.alias or name for name, field in Settings.model_fields.items()} - {"region"}


def test_what_a_stack_must_have_is_what_has_no_default() -> None:
    assert {key for key, declared in DECLARED.items() if "default" not in declared} == {"network", "cluster", "nodes"}


def test_every_key_says_what_it_is_and_every_object_what_is_in_it() -> None:
    assert all(declared["description"] for declared in DECLARED.values())
    assert "publicAccessCidrs: ranges that may reach the API server" in DECLARED["cluster"]["description"]
    assert "amiType: the AMI's type (AL2023_x86_64_STANDARD unless given)" in DECLARED["nodes"]["description"]
    assert "  webAclArn: a WAF web ACL" in DECLARED["samples"]["description"]


@pytest.mark.parametrize("stack", sorted(p.name for p in ROOT.glob("Pulumi.*.yaml")))
def test_every_stack_fits_it(stack: str) -> None:
    config = yaml.safe_load((ROOT / stack).read_text())["config"]
    given = {key.removeprefix(f"{PROJECT}:"): value for key, value in config.items() if key.startswith(f"{PROJECT}:")}

    assert set(given) <= set(DECLARED)
    assert all(isinstance(value, TYPES[DECLARED[key]["type"]]) for key, value in given.items())


def test_the_defaults_are_those_of_the_settings() -> None:
    required = {"cidr": "10.0.0.0/16", "zones": ["us-west-2a", "us-west-2b"]}
    given = {
        "region": "us-west-2",
        "network": required,
        "cluster": {"name": "dev", "version": "1.36"},
        "nodes": {"instanceTypes": ["m7i.large"], "min": 2, "desired": 2, "max": 4},
    }
    defaults = {key: declared["default"] for key, declared in DECLARED.items() if "default" in declared}

    assert Settings.model_validate({**given, **defaults}) == Settings.model_validate(given)
