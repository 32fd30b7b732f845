"""IAM's condition operators. Pure.

https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_elements_condition_operators.html
https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_condition-single-vs-multi-valued-context-keys.html
"""

import operator
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from ipaddress import ip_address, ip_network
from typing import Any

from sandbox.iam.language.patterns import arn_like, expand, like, plain


class CannotJudgeError(Exception):
    """The sandbox does not know what AWS would decide; the message gives the reason and a remedy."""


@dataclass(frozen=True)
class Context:
    """The condition keys of one request. Names are in lower case, because IAM ignores their case.

    `unknown` are keys that AWS has for this request and the sandbox does not: a policy that uses one cannot be judged.
    A name that ends in `/` stands for every key that begins with it.
    """

    values: Mapping[str, Sequence[str]]
    unknown: frozenset[str] = field(default_factory=frozenset[str])

    def get(self, key: str) -> Sequence[str] | None:
        """The values of a key; None if the request has no such key.

        Raises:
            CannotJudgeError: AWS would give a value, the sandbox cannot.
        """
        found = self.values.get(key)
        if found is None and self.unknown and (key in self.unknown or key.partition("/")[0] + "/" in self.unknown):
            raise CannotJudgeError(f"the sandbox does not know the condition key {key} of this request")
        return found

    def single(self, key: str) -> str | None:
        """The value of a key in a policy variable; multi-valued keys have no value there."""
        found = self.get(key)
        return found[0] if found is not None and len(found) == 1 else None


Test = Callable[[str, str], bool]


def _parsed(parse: Callable[[str], Any], compare: Callable[[Any, Any], bool]) -> Test:
    """Compare the meaning of two texts. A meaningless value matches nothing; in a policy it cannot be judged."""

    def test(value: str, wanted: str) -> bool:
        try:
            right = parse(plain(wanted))
        except ValueError:
            raise CannotJudgeError(f"{wanted!r} is no value for this condition operator") from None
        try:
            return compare(parse(value), right)
        except ValueError:
            return False

    return test


def _date(text: str) -> datetime:
    """ISO 8601, or seconds since 1970."""
    try:
        return datetime.fromtimestamp(float(text), UTC)
    except ValueError:
        date = datetime.fromisoformat(text)
        return date if date.tzinfo else date.replace(tzinfo=UTC)


def _within(value: str, wanted: str) -> bool:
    try:
        network = ip_network(wanted, strict=False)
    except ValueError:
        raise CannotJudgeError(f"{wanted!r} is no range of IP addresses") from None
    try:
        return ip_address(value) in network
    except ValueError:
        return False


_ORDERINGS = {
    "Equals": operator.eq,
    "LessThan": operator.lt,
    "LessThanEquals": operator.le,
    "GreaterThan": operator.gt,
    "GreaterThanEquals": operator.ge,
}
_TESTS: dict[str, Test] = {
    "StringEquals": lambda value, wanted: value == plain(wanted),
    "StringEqualsIgnoreCase": lambda value, wanted: value.lower() == plain(wanted).lower(),
    "StringLike": like,
    "ArnEquals": arn_like,
    "ArnLike": arn_like,
    "Bool": lambda value, wanted: value.lower() == wanted.lower(),
    "BinaryEquals": operator.eq,
    "IpAddress": _within,
    **{f"Numeric{name}": _parsed(float, compare) for name, compare in _ORDERINGS.items()},
    **{f"Date{name}": _parsed(_date, compare) for name, compare in _ORDERINGS.items()},
}
_NEGATIONS = {
    "StringNotEquals": "StringEquals",
    "StringNotEqualsIgnoreCase": "StringEqualsIgnoreCase",
    "StringNotLike": "StringLike",
    "ArnNotEquals": "ArnEquals",
    "ArnNotLike": "ArnLike",
    "NotIpAddress": "IpAddress",
    "NumericNotEquals": "NumericEquals",
    "DateNotEquals": "DateEquals",
}
_BY_NAME = {name.lower(): (test, False) for name, test in _TESTS.items()} | {
    name.lower(): (_TESTS[positive], True) for name, positive in _NEGATIONS.items()
}
OPERATORS = (*_TESTS, *_NEGATIONS, "Null")


@dataclass(frozen=True)
class Condition:
    """One operator on one key, with the values that a policy gives for it."""

    operator: str
    key: str
    wanted: tuple[str, ...]
    variables: bool = True
    """Whether `${...}` is a policy variable: only since version 2012-10-17 of the policy language."""

    def holds(self, context: Context) -> bool:
        """Whether the request satisfies it.

        Raises:
            CannotJudgeError: the sandbox does not know an operator, a value or a key.
        """
        every, _, name = self.operator.lower().rpartition(":")
        base = name.removesuffix("ifexists")
        values = context.get(self.key)
        if base == "null" and not every:
            return any((values is None) == (wanted.lower() == "true") for wanted in self.wanted)
        if base not in _BY_NAME or every not in {"", "forallvalues", "foranyvalue"}:
            raise CannotJudgeError(f"the sandbox does not know the condition operator {self.operator}")
        test, negated = _BY_NAME[base]
        if values is None and base != name:
            # "Any" of no values is none, IfExists or not:
            # https://repost.aws/questions/QU9HFmDzP0QGuU-fd7rS6B7w/foranyvalue-stringequalsifexists-behaving-unexpectedly
            return every != "foranyvalue"
        wanted = self._expanded(context)
        if every:
            # Here an empty text counts as a null data set, the same as no key at all.
            present = [value for value in values or () if value]
            verdicts = (any(test(value, w) for w in wanted) != negated for value in present)
            return all(verdicts) if every == "forallvalues" else any(verdicts)
        return any(test(value, w) for value in values or () for w in wanted) != negated

    def _expanded(self, context: Context) -> list[str]:
        if not self.variables:
            return list(self.wanted)
        return [text for w in self.wanted if (text := expand(w, context.single)) is not None]


def conditions(block: Mapping[str, Mapping[str, Any]], *, variables: bool = True) -> tuple[Condition, ...]:
    """The conditions of a statement's `Condition` element."""
    return tuple(
        Condition(name, key.lower(), tuple(_text(v) for v in _as_list(wanted)), variables)
        for name, keys in block.items()
        for key, wanted in keys.items()
    )


def all_hold(wanted: Iterable[Condition], context: Context) -> bool:
    """Whether every condition holds. A false condition decides, even if another one cannot be judged.

    Raises:
        CannotJudgeError: no condition is false, and one cannot be judged.
    """
    doubt: CannotJudgeError | None = None
    for condition in wanted:
        try:
            if not condition.holds(context):
                return False
        except CannotJudgeError as error:
            doubt = error
    if doubt:
        raise doubt
    return True


def _as_list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


def _text(value: Any) -> str:
    """JSON's true is IAM's "true"."""
    return str(value).lower() if isinstance(value, bool) else str(value)
