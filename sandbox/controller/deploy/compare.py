"""Does what AWS says equal what we want? Comparisons of AWS shapes, in which AWS fills in what nobody said."""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

from sandbox.controller.model.stack import Json, Ref

_UNCHANGED = {"Host": "#{host}", "Path": "/#{path}", "Port": "#{port}", "Protocol": "#{protocol}", "Query": "#{query}"}
_AWS_TAGS = "aws:"


def resolved(value: Any, of: Callable[[Ref], str]) -> Any:
    """The value with every Ref in it replaced by what AWS calls it."""
    match value:
        case Ref():
            return of(value)
        case dict():
            return {key: resolved(one, of) for key, one in value.items()}
        case list() | tuple():
            return [resolved(one, of) for one in value]
        case _:
            return value


def tags_to_change(
    wanted: Mapping[str, str], have: Mapping[str, str], ignored: Iterable[str] = ()
) -> tuple[dict[str, str], list[str]]:
    """Tags to set and keys to remove; AWS's own and `ignored` ones are left alone."""
    left_alone = set(ignored)
    wanted = {k: v for k, v in wanted.items() if k not in left_alone}
    put = {k: v for k, v in wanted.items() if have.get(k) != v and not k.startswith(_AWS_TAGS)}
    drop = [k for k in sorted(have) if k not in wanted and k not in left_alone and not k.startswith(_AWS_TAGS)]
    return put, drop


def attributes_to_change(wanted: Mapping[str, str], have: Mapping[str, str]) -> dict[str, str]:
    """Attributes whose value differs; those that nobody asked for stay as they are."""
    return {key: value for key, value in wanted.items() if have.get(key) != value}


def same_actions(wanted: list[Json], have: list[Json]) -> bool:
    """Whether two lists of actions do the same."""
    ordered = sorted(have, key=lambda action: action.get("Order", 0))
    return len(wanted) == len(ordered) and all(map(_same_action, wanted, ordered))


def _same_action(wanted: Json, have: Json) -> bool:
    if wanted["Type"] != have["Type"]:
        return False
    if wanted["Type"] == "forward":
        return _same_forward(wanted["ForwardConfig"], have)
    name = next(key for key in wanted if key.endswith("Config"))
    return _normal(name, wanted[name]) == _normal(name, have.get(name) or {})


def _normal(name: str, config: Json) -> Json:
    if name == "RedirectConfig":
        config = _UNCHANGED | {k: v for k, v in config.items() if v is not None}
    # AWS never gives a client's secret back, and takes numbers as text now and then.
    return {
        k: str(v)
        for k, v in config.items()
        if v not in (None, "", []) and k not in ("ClientSecret", "UseExistingClientSecret")
    }


def _same_forward(wanted: Json, action: Json) -> bool:
    single: Json = {"TargetGroups": [{"TargetGroupArn": action.get("TargetGroupArn")}]}
    have: Json = action.get("ForwardConfig") or single
    if _weights(wanted["TargetGroups"]) != _weights(have.get("TargetGroups") or []):
        return False
    sticky = wanted.get("TargetGroupStickinessConfig")
    if sticky is None:
        return True
    current = have.get("TargetGroupStickinessConfig") or {}
    return all(str(current.get(k)).lower() == str(v).lower() for k, v in sticky.items())


def _weights(groups: list[Json]) -> dict[str, int | None]:
    single = len(groups) == 1
    return {g["TargetGroupArn"]: None if single else int(g.get("Weight") or 0) for g in groups}


def same_conditions(wanted: list[Json], have: list[Json]) -> bool:
    """Whether two lists of conditions match the same requests."""
    return sorted(map(_condition, wanted)) == sorted(map(_condition, have))


def _condition(condition: Json) -> str:
    configs = [value for key, value in condition.items() if key.endswith("Config") and value]
    config = configs[0] if configs else {"Values": condition.get("Values") or []}
    content = {k: sorted(map(str, v)) if isinstance(v, list) else v for k, v in config.items() if v}
    return f"{condition['Field']} {sorted(content.items())}"


def same_transforms(wanted: list[Json], have: list[Json] | None) -> bool:
    """Whether two lists of transforms rewrite alike."""
    return sorted(map(str, wanted)) == sorted(map(str, have or []))
