"""Values and tags in a call's parameters. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

from sandbox.iam.language.conditions import CannotJudgeError


def at(parameters: Mapping[str, Any], path: str) -> Iterator[Any]:
    """The values at a dotted path. A list on the path stands for each of its elements."""
    name, _, rest = path.partition(".")
    found = parameters.get(name)
    for each in found if isinstance(found, list) else [found]:
        if each in (None, ""):
            continue
        if rest:
            yield from at(each, rest)
        else:
            yield each


def tags_given(parameters: Mapping[str, Any]) -> dict[str, str]:
    """The tags in the parameters, in any of AWS's formats."""
    given = parameters.get("Tags", parameters.get("tags"))
    if isinstance(given, Mapping):
        return {str(key): str(value) for key, value in given.items()}
    listed = [tag for tag in given or [] if isinstance(tag, Mapping)]
    tags = {t.get("Key", t.get("TagKey", "")): t.get("Value", t.get("TagValue")) or "" for t in listed}
    if len({key.lower() for key in tags}) < len(listed):
        raise CannotJudgeError("a tag's key is given twice: IAM does not tell cases apart in them")
    return tags


def tag_keys(parameters: Mapping[str, Any]) -> list[str] | None:
    """`aws:TagKeys`: the keys of tags that the call sets or removes; None if the call has no tags."""
    keys = [*tags_given(parameters)]
    for each in at(parameters, "TagSpecifications"):
        keys += tags_given(each)
    for name in ("TagKeys", "tagKeys", "TagKeyList"):
        keys += [str(key) for key in at(parameters, name)]
    return list(dict.fromkeys(keys)) or None
