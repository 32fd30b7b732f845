"""How IAM compares text: wildcards, ARNs, policy variables. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Callable
from functools import lru_cache

_ARN_PARTS = 6
# A `*` or `?` that came from a variable, or was written `${*}`, is a literal character, not a wildcard. Until the
# comparison one of these two characters replaces it, which no ARN and no tag contains.
_LITERAL = str.maketrans({"*": "\ue000", "?": "\ue001"})
_PLAIN = str.maketrans({"\ue000": "*", "\ue001": "?"})
_VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")

Lookup = Callable[[str], str | None]
"""The value of a single-valued condition key; None if the request does not have it."""


def plain(text: str) -> str:
    """The literal text of an expanded pattern without wildcards."""
    return text.translate(_PLAIN)


@lru_cache(maxsize=16384)
def glob(pattern: str) -> re.Pattern[str]:
    """`*` matches any text, `?` any one character, everything else itself."""
    return _compiled(pattern, lambda _: ".*")


@lru_cache(maxsize=16384)
def resource_glob(pattern: str) -> re.Pattern[str]:
    """A `Resource` element: `*` matches only within its segment of the ARN, unless it ends the segment."""
    return _compiled(pattern, lambda rest: ".*" if not rest or rest[0] == ":" else "[^:]*")


def _compiled(pattern: str, star: Callable[[str], str]) -> re.Pattern[str]:
    parts = [
        star(pattern[at + 1 :]) if c == "*" else "." if c == "?" else re.escape(plain(c))
        for at, c in enumerate(pattern)
    ]
    return re.compile("".join(parts), re.DOTALL)


def like(value: str, pattern: str) -> bool:
    """`StringLike`, which also compares `Action`."""
    return glob(pattern).fullmatch(value) is not None


def arn_like(value: str, pattern: str) -> bool:
    """`ArnLike` (and `ArnEquals`, which is the same): compares each of the six parts separately."""
    values, patterns = value.split(":", _ARN_PARTS - 1), pattern.split(":", _ARN_PARTS - 1)
    if len(values) != len(patterns):
        return pattern == "*"
    return all(like(v, p) for v, p in zip(values, patterns, strict=True))


def resource_matches(value: str, pattern: str) -> bool:
    """Whether a `Resource` element matches the resource. An incomplete ARN matches everything that begins with it."""
    missing = _ARN_PARTS - 1 - pattern.count(":")
    if missing > 0 and "*" not in pattern:
        pattern += ":*" * missing
    return pattern == "*" or resource_glob(pattern).fullmatch(value) is not None


def expand(text: str, lookup: Lookup) -> str | None:
    """`text` with its policy variables replaced; None if one of them has no value and no default."""
    if "${" not in text:
        return text
    missing: list[str] = []

    def value(found: re.Match[str]) -> str:
        name = found[1]
        if name in {"*", "?", "$"}:
            return name.translate(_LITERAL)
        known = lookup(name.lower())
        if known is None:
            known = found[2]
        if known is None:
            missing.append(name)
            return ""
        return known.translate(_LITERAL)

    expanded = _VARIABLE.sub(value, text)
    return None if missing else expanded
