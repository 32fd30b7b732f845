"""Generate `components/schema.json` and `docs/components.md` from the components' docstrings.

    python -m eks_load_balancing.reference      # `make docs` runs it

It works in a checkout only; an installed package does not need it. The schema is the one that the engine reads from
the folder (`pulumi package get-schema ./components`). A test checks that both files are up to date.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from eks_load_balancing.plugin import Plugin

FOLDER = Path(__file__).parents[1]
SCHEMA = FOLDER / "schema.json"
PAGE = FOLDER.parent / "docs" / "components.md"

_HEAD = """\
<!-- made by `make docs`: change the docstrings in components/, not this file -->

# Components

Each component is a class of the Python package `eks_load_balancing`, and a resource `eks-load-balancing:index:NAME` of
the plugin. Arguments in `code` are plain values, and are checked when you declare the component. The others may be
outputs of other resources. Names are Python's; other languages use camel case.

## On an existing cluster

No component needs `Network` or `Cluster`. `ClusterReference.lookup` takes a cluster's name and provides what the others
need:

```python
cluster = ClusterReference.lookup("mine")
on_cluster = pulumi.ResourceOptions(provider=cluster.provider)
controller = LoadBalancerController("controller", cluster.arguments, on_cluster)
```

[examples/](../examples) has a small program for each case: workloads on such a cluster, an ALB that services share,
several clusters in one account, a target group that outlives its cluster, Pod Identity, and mirrors.
"""


def schema() -> dict[str, Any]:
    """Return the package's schema, as the plugin serves it: the SDK derives it from annotations and docstrings."""
    return json.loads(Plugin().schema or "{}")


def page(of: dict[str, Any]) -> str:
    """Return the page that describes every component of a schema."""
    parts = [_HEAD, *(_component(token.rpartition(":")[2], made) for token, made in sorted(of["resources"].items()))]
    parts += [_type(token.rpartition(":")[2], made) for token, made in sorted(of["types"].items())]
    return "\n".join(parts)


def _component(name: str, made: dict[str, Any]) -> str:
    arguments = _rows(made["inputProperties"], made.get("requiredInputs", []))
    outputs = [
        f"| {_snake(key)} | {_one_line(value['description'])} |" for key, value in sorted(made["properties"].items())
    ]
    return "\n".join(
        [
            f"## {name}\n\n{_text(made['description'])}\n",
            "| argument | type | |",
            "|---|---|---|",
            *arguments,
            "",
            "| output | |",
            "|---|---|",
            *outputs,
            "",
        ]
    )


def _type(name: str, made: dict[str, Any]) -> str:
    rows = _rows(made["properties"], made.get("required", []))
    return "\n".join([f"## {name}\n\n{_text(made['description'])}\n", "| field | type | |", "|---|---|---|", *rows, ""])


def _rows(properties: dict[str, Any], required: list[str]) -> Iterator[str]:
    for key in sorted(properties, key=lambda key: (key not in required, key)):
        field = properties[key]
        name = f"`{_snake(key)}`" if field.get("plain") else _snake(key)
        must = " **required**" if key in required else ""
        yield f"| {name} | {_kind(field)}{must} | {_one_line(field['description'])} |"


def _kind(field: dict[str, Any]) -> str:
    if "$ref" in field:
        if field["$ref"] == "pulumi.json#/Any":
            return "any"
        return str(field["$ref"]).rpartition(":")[2]
    if field["type"] == "array":
        return f"list of {_kind(field['items'])}"
    if field["type"] == "object":
        return f"map of {_kind(field['additionalProperties'])}"
    return str(field["type"])


def _snake(key: str) -> str:
    return "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in key)


def _text(docstring: str) -> str:
    return "\n".join(line.strip() for line in docstring.strip().splitlines())


def _one_line(docstring: str) -> str:
    return " ".join(docstring.split())


def main() -> None:
    """Write both files."""
    made = schema()
    SCHEMA.write_text(json.dumps(made, indent=2, sort_keys=True) + "\n")
    PAGE.write_text(page(made))


if __name__ == "__main__":
    main()
