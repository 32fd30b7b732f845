import re
import tomllib
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "CHANGELOG.md").read_text()


def test_the_newest_version_is_that_of_every_part() -> None:
    projects = [tomllib.loads((ROOT / folder / "pyproject.toml").read_text()) for folder in (".", "components")]
    pack = yaml.safe_load((ROOT / "policies" / "PulumiPolicy.yaml").read_text())["version"]
    newest = re.findall(r"^## \[(\d+\.\d+\.\d+)\]", TEXT, re.MULTILINE)[0]

    assert {project["project"]["version"] for project in projects} == {pack} == {newest}
