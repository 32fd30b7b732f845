"""How IAM compares text: wildcards, ARNs, policy variables. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_resource.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_variables.html
"""

import re
from collections.abc import Callable
from functools import lru_cache

_ARN_PARTS = 6
# A `*` or `?` that came out of a variable, or was written `${*}`, is that character and no wildcard.
# Until the comparison it travels as one of these two, which no ARN and no tag holds.
_LITERAL = str.maketrans({"*": "\ue000", "?": "\ue001"})
_PLAIN = str.maketrans({"\ue000": "*", "\ue001": "?"})
_VARIABLE = re.compile(r"\$\{\s*([^},]+?)\s*(?:,\s*'([^']*)'\s*)?\}")

Lookup = Callable[[str], str | None]
"""A single-valued condition key's value, None if the request has none."""


def plain(text: str) -> str:
    """The text that an expanded pattern without wildcards means."""
    return text.translate(_PLAIN)


@lru_cache(maxsize=16384)
def glob(pattern: str) -> re.Pattern[str]:
    """`*` is any text, `?` any one character, everything else is itself."""
    return _compiled(pattern, lambda _: ".*")


@lru_cache(maxsize=16384)
def resource_glob(pattern: str) -> re.Pattern[str]:
    """A `Resource` element: `*` stays within its segment of the ARN, unless it ends the segment."""
    return _compiled(pattern, lambda rest: ".*" if not rest or rest[0] == ":" else "[^:]*")


def _compiled(pattern: str, star: Callable[[str], str]) -> re.Pattern[str]:
    parts = [
        star(pattern[at + 1 :]) if c == "*" else "." if c == "?" else re.escape(plain(c))
        for at, c in enumerate(pattern)
    ]
    return re.compile("".join(parts), re.DOTALL)


def like(value: str, pattern: str) -> bool:
    """`StringLike`, and how `Action` is compared."""
    return glob(pattern).fullmatch(value) is not None


def arn_like(value: str, pattern: str) -> bool:
    """`ArnLike` (and `ArnEquals`, the same): each of the six parts for itself."""
    values, patterns = value.split(":", _ARN_PARTS - 1), pattern.split(":", _ARN_PARTS - 1)
    if len(values) != len(patterns):
        return pattern == "*"
    return all(like(v, p) for v, p in zip(values, patterns, strict=True))


def resource_matches(value: str, pattern: str) -> bool:
    """Whether a `Resource` element speaks of the resource. An ARN that ends early means everything that begins so."""
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
