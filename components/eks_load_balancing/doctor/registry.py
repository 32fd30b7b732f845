"""The list of checks, and how they are run. `docs/doctor.md` is generated from the same list."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from eks_load_balancing.doctor.facts import Facts, NotSeenError, Unseen

SEVERITIES: Final = ("high", "medium", "low")
"""`high`: something does not work, or is open to others. `medium`: it will fail when something else happens. `low`:
clutter.
"""
COULD_NOT_LOOK: Final = "could-not-look"
_PERMISSIONS: Final = "https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html"


@dataclass(frozen=True)
class Trouble:
    """What a check found in one place."""

    where: str
    """The thing: `subnet subnet-1 (us-west-2a)`, `Service shop/web`."""
    what: str
    """What is wrong with it, with the values."""
    fix: str
    """The remedy in one line. A command in backticks removes the fault; words in capitals are to be filled in."""
    namespace: str | None = None
    """Namespace of the Kubernetes object concerned, if there is one."""
    see: str = ""
    """A command that shows more, where the cause cannot be seen from outside."""


@dataclass(frozen=True)
class Finding(Trouble):
    """What a check found, with the check's name, severity and source."""

    check: str = ""
    severity: str = "medium"
    link: str = ""


@dataclass(frozen=True)
class Check:
    """A check: its requirement, the reason for it, and the pure function that tests it."""

    name: str
    subject: str
    demand: str
    why: str
    severity: str
    link: str
    run: Callable[[Facts], Iterable[Trouble]]


REGISTERED: Final[dict[str, Check]] = {}


def check(
    *, link: str, severity: str = "high", demand: str = ""
) -> Callable[[Callable[[Facts], Iterable[Trouble]]], Check]:
    """Register a function as a check.

    Its name, in kebab-case, is the check's. The first line of its docstring is the demand: what must hold, in one
    sentence. The rest is the reason.

    Args:
        link: the source of the demand.
        severity: one of `SEVERITIES`.
        demand: the demand, if it is computed; then the whole docstring is the reason.

    Raises:
        ValueError: the name is taken, the severity is unknown, or there is no demand or no reason.
    """

    def register(run: Callable[[Facts], Iterable[Trouble]]) -> Check:
        name, said = run.__name__.replace("_", "-"), inspect.getdoc(run) or ""
        first, _, rest = said.partition("\n\n")
        must, why = (demand, said) if demand else (first, rest)
        if name in REGISTERED or severity not in SEVERITIES or not why:
            raise ValueError(
                f"check {name}: give it a name of its own, a severity of {SEVERITIES}, a demand and a reason"
            )
        subject = run.__module__.rpartition(".")[2]
        REGISTERED[name] = Check(name, subject, must, " ".join(why.split()), severity, link, run)
        return REGISTERED[name]

    return register


def examine(facts: Facts, checks: Iterable[Check]) -> list[Finding]:
    """Return what the checks find, the most severe first, and what prevented a check from looking."""
    found: list[Finding] = []
    blind: dict[Unseen, list[str]] = {}
    for one in checks:
        try:
            found += [
                Finding(t.where, t.what, t.fix, t.namespace, t.see, one.name, one.severity, one.link)
                for t in one.run(facts)
            ]
        except NotSeenError as error:
            blind.setdefault(error.unseen, []).append(one.name)
    found += [_could_not_look(unseen, names) for unseen, names in blind.items()]
    return sorted(found, key=lambda f: SEVERITIES.index(f.severity))


def _could_not_look(unseen: Unseen, names: Iterable[str]) -> Finding:
    return Finding(
        where=unseen.call,
        what=f"could not look: {unseen.why}; not checked: {', '.join(names)}",
        fix="give the caller the permissions in docs/doctor.md, or leave these checks out with --skip",
        check=COULD_NOT_LOOK,
        severity="medium",
        link=_PERMISSIONS,
    )
