"""Every type of the table, through its whole life, against the sandbox's AWS."""

from collections.abc import Generator
from typing import Any

import pytest

from sandbox.providers.aws import sdk_names
from sandbox.providers.aws.provider import AwsProvider
from sandbox.providers.aws.session import CREATION_TAG
from sandbox.providers.aws.types import kinds
from sandbox.providers.common.creation import Creations
from sandbox.providers.common.values import UNKNOWN
from tests.sandbox.aws.harness import Aws
from tests.sandbox.providers.aws.conftest import DEFAULT_TAGS
from tests.sandbox.providers.aws.engine import Engine, Recorded, urn
from tests.sandbox.providers.aws.programs import EXAMPLES, types_without_an_example


class Program:
    """Creates resources when they are first needed."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine

    def get(self, name: str) -> Recorded:
        example = EXAMPLES[name]
        made = self.engine.stack.get(urn(example.type, name))
        return made or self.engine.up(example.type, name, self.inputs(name))

    def in_a_new_process(self) -> None:
        """Forget what the provider knows of a run; keep its clients, which take a second to create."""
        provider = self.engine.provider
        assert isinstance(provider, AwsProvider)
        provider._creations = Creations()

    def inputs(self, name: str) -> dict[str, Any]:
        return EXAMPLES[name].inputs(self.get)


@pytest.fixture(scope="module", name="program")
def fixture_program(engine: Engine) -> Generator[Program]:
    yield Program(engine)
    for where in reversed(list(engine.stack)):
        token, name = where.split("::")[-2:]
        engine.delete(token, name)


def test_every_type_has_an_example() -> None:
    assert types_without_an_example() == set()


@pytest.mark.parametrize("name", EXAMPLES)
def test_what_was_made_differs_neither_from_the_program_nor_from_aws(program: Program, name: str) -> None:
    made, token = program.get(name), EXAMPLES[name].type
    assert not program.engine.diff(token, name, program.inputs(name)).changes
    assert program.engine.refresh(token, name) == []
    assert set(kinds()[token].all_outputs) <= set(program.engine.stack[urn(token, name)].state) | {"associationId"}
    assert made.id


# Nothing at an IPv6 block says whose it is.
@pytest.mark.parametrize("name", [name for name in EXAMPLES if name != "ipv6"])
def test_an_interrupted_creation_finds_its_first_result(program: Program, name: str) -> None:
    first, inputs = program.get(name).id, program.inputs(name)
    program.in_a_new_process()
    assert program.engine.create(EXAMPLES[name].type, name, inputs).id == first


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if example.later])
def test_an_update_changes_what_it_says_and_nothing_else(program: Program, name: str) -> None:
    token, first = EXAMPLES[name].type, program.get(name)
    later = {**program.inputs(name), **EXAMPLES[name].later}
    diff = program.engine.diff(token, name, later)
    assert set(diff.diffs) == set(EXAMPLES[name].later)
    assert diff.replaces == []
    assert program.engine.up(token, name, later).id == first.id
    assert not program.engine.diff(token, name, later).changes
    assert program.engine.refresh(token, name) == []
    program.engine.up(token, name, program.inputs(name))
    assert program.engine.refresh(token, name) == []


def test_a_subnet_gets_and_loses_an_ipv6_block_in_place(program: Program) -> None:
    token, name = EXAMPLES["subnet"].type, "subnet"
    first, block = program.get(name).id, program.get("ipv6")["ipv6CidrBlock"].replace("/56", "/64")
    assert program.engine.up(token, name, {**program.inputs(name), "ipv6CidrBlock": block}).id == first
    assert program.get(name)["ipv6CidrBlock"] == block
    assert program.engine.refresh(token, name) == []
    program.engine.up(token, name, program.inputs(name))
    assert "ipv6CidrBlock" not in program.get(name).state


@pytest.mark.parametrize("name", [name for name, example in EXAMPLES.items() if "tags" in example.later])
def test_tags_are_the_programs_over_the_providers(program: Program, name: str) -> None:
    made = program.get(name)
    assert made["tagsAll"] == {**DEFAULT_TAGS, **program.inputs(name).get("tags", {})}


@pytest.mark.parametrize(
    "name", [name for name in EXAMPLES if name not in ("route", "association", "listener", "certificate", "access")]
)
def test_an_import_finds_inputs_that_the_program_may_give(program: Program, name: str) -> None:
    token = EXAMPLES[name].type
    found = program.engine.imported(token, name, imported_id(program, name))
    assert set(found) <= set(kinds()[token].fields)
    simple = {key: value for key, value in program.inputs(name).items() if isinstance(value, int) and value}
    assert simple.items() <= found.items()


def imported_id(program: Program, name: str) -> str:
    made = program.get(name)
    return f"{made['clusterName']},{made.id}" if name == "identity" else made.id


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_preview_makes_nothing_and_knows_no_outputs(program: Program, name: str) -> None:
    token = EXAMPLES[name].type
    shown = program.engine.preview(token, f"{name}-preview", program.inputs(name))
    outputs = set(kinds()[token].all_outputs) - {"tagsAll"}
    assert {key for key in outputs if shown[key] is not UNKNOWN} == set()


def test_the_mark_of_a_creation_is_on_the_resource_and_not_in_the_state(program: Program, aws: Aws) -> None:
    vpc = program.get("vpc")
    tags = aws.client("ec2").describe_vpcs(VpcIds=[vpc.id])["Vpcs"][0]["Tags"]
    assert CREATION_TAG in {tag["Key"] for tag in tags}
    assert CREATION_TAG not in vpc["tagsAll"]


@pytest.mark.parametrize("token", kinds())
def test_every_property_exists_in_the_installed_sdk(token: str) -> None:
    kind = kinds()[token]
    assert set(kind.fields) <= sdk_names.inputs(token)
    assert set(kind.all_outputs) <= sdk_names.properties(token)
    for name, members in kind.computed_inside.items():
        assert name in kind.fields
        assert not set(members) & set(kind.fields[name].inside)
