"""The page of changes: generated, complete, and without replacements that AWS does not need."""

from collections.abc import Iterator

import pytest

from docs.generate import changes
from settings import Section, Settings

pytestmark = pytest.mark.early


def keys(section: type[Section] = Settings, prefix: str = "") -> Iterator[str]:
    """Every setting by its path."""
    for name, field in section.model_fields.items():
        key, inner = f"{prefix}{field.alias or name}", field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            yield from keys(inner, f"{key}.")
        elif name != "region":
            yield key


def test_every_setting_has_a_line() -> None:
    assert {row.key for row in changes.rows()} == set(keys())


def test_the_page_is_what_the_program_does() -> None:
    assert changes.PAGE.read_text() == changes.page(), "run: make docs"


def test_nothing_is_replaced_but_what_aws_cannot_change() -> None:
    replaced = {row.key for row in changes.rows() if row.effect in ("replaced", "deleted")}

    assert replaced == {
        *("network.cidr", "network.zones", "cluster.name"),
        *("nodes.instanceTypes", "nodes.capacityType", "controller.roleName"),
        "samples.namespace",
    }


@pytest.mark.parametrize(
    "key", ["cluster.adminArns", "nodes.instanceTypes", "cluster.version", "controller.featureGates"]
)
def test_the_controller_stays_whatever_happens_to_the_cluster(key: str) -> None:
    (row,) = [row for row in changes.rows() if row.key == key]

    assert "deleted" not in row.resources
    assert "replaced: `controller" not in row.resources
