from pathlib import Path

from sandbox.controller.annotations import TABLE
from sandbox.controller.docs import page

DOCUMENT = Path(__file__).parents[3] / "docs" / "annotations.md"


def test_the_documentation_lists_every_annotation_with_its_link() -> None:
    lines = [line for line in page().splitlines() if line.startswith("| [`")]
    assert len(lines) == len(TABLE)
    assert all("https://kubernetes-sigs.github.io/aws-load-balancer-controller/" in line for line in lines)


def test_the_documentation_in_the_repository_is_what_the_table_says() -> None:
    assert page() == DOCUMENT.read_text(), "run python -m sandbox.controller.docs > docs/annotations.md"
