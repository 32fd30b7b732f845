"""Write the configuration's schema into `Pulumi.yaml`, from `settings.py`: `python -m settings_schema`.

With it `pulumi config` knows the keys, and the engine refuses a missing one, or one of another type, before it runs the
program. Pulumi's types are string, integer, boolean, array and object, and say nothing of what is inside an object:
that stands in the description, and is checked by `settings.py`. A test holds `Pulumi.yaml` to what this would write.
"""

import json
from pathlib import Path
from typing import Any, get_args, get_origin

import yaml
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from settings import Section, Settings

PROJECT = Path(__file__).parent / "Pulumi.yaml"
MARK = "# From here on made by `python -m settings_schema`: change settings.py, not this.\n"
_TYPES = {str: "string", int: "integer", bool: "boolean", list: "array", dict: "object"}


def schema() -> dict[str, dict[str, Any]]:
    """Return Pulumi's declaration of every key of the stack's configuration, by its name.

    A key without a default is one that a stack must have; an object's own defaults are those of what is inside.
    """
    return {
        field.alias or name: _declared(field)
        for name, field in Settings.model_fields.items()
        if name != "region"  # it is the provider's key, aws:region
    }


def _declared(field: FieldInfo) -> dict[str, Any]:
    kind = _type(field.annotation)
    declared: dict[str, Any] = {"type": kind, "description": _description(field)}
    if not field.is_required():
        # The engine takes a key without a default for one that must be there; "" is read as none.
        declared["default"] = {} if kind == "object" else "" if field.default is None else field.default
    return declared


def _type(annotation: Any) -> str:
    plain = next((one for one in get_args(annotation) if one is not type(None)), annotation)
    if get_origin(annotation) in _TYPES:
        plain = get_origin(annotation)
    if isinstance(plain, type) and issubclass(plain, Section):
        return "object"
    return _TYPES[plain]


def _description(field: FieldInfo) -> str:
    section = field.annotation
    if not (isinstance(section, type) and issubclass(section, Section)):
        return str(field.description)
    return "\n".join([f"{section.__doc__}", *_keys(section)])


def _keys(section: type[Section], indent: str = "") -> list[str]:
    lines: list[str] = []
    for name, field in section.model_fields.items():
        key, inner = f"{indent}{field.alias or name}", field.annotation
        if isinstance(inner, type) and issubclass(inner, Section):
            lines += [f"{key}: {inner.__doc__}", *_keys(inner, f"{indent}  ")]
        else:
            lines.append(f"{key}: {field.description}{_default(field)}")
    return lines


def _default(field: FieldInfo) -> str:
    if field.default is PydanticUndefined:
        return " (required)"
    if field.default in (None, [], {}):
        return ""
    return f" ({json.dumps(field.default) if isinstance(field.default, bool) else field.default} unless given)"


class _Dumper(yaml.SafeDumper):
    """Writes multi-line texts as YAML blocks."""


def _text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style="|" if "\n" in text else None)


_Dumper.add_representer(str, _text)


def project() -> str:
    """Return the text of `Pulumi.yaml` with the schema as it should be."""
    head = PROJECT.read_text().partition(MARK)[0]
    return head + MARK + yaml.dump({"config": schema()}, Dumper=_Dumper, sort_keys=False, width=120)


if __name__ == "__main__":
    PROJECT.write_text(project())
