"""How checks are registered, and run: the one list of them, from which `docs/doctor.md` is made, too."""

import inspect
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

from eks_load_balancing.doctor.facts import Facts, NotSeenError, Unseen

SEVERITIES: Final = ("high", "medium", "low")
"""`high`: something does not work, or is open. `medium`: it will not, when something else happens. `low`: untidy."""
COULD_NOT_LOOK: Final = "could-not-look"
_PERMISSIONS: Final = "https://docs.aws.amazon.com/eks/latest/userguide/access-policy-permissions.html"


@dataclass(frozen=True)
class Trouble:
    """What a check found in one place."""

    where: str
    """The thing: `subnet subnet-1 (us-west-2a)`, `Service shop/web`."""
    what: str
    """What is wrong with it, with the values."""
    mend: str
    """One command or setting."""
    namespace: str | None = None
    """Of the Kubernetes object that it is about, if it is about one."""


@dataclass(frozen=True)
class Finding(Trouble):
    """What a check found, with what the check's registration says."""

    check: str = ""
    severity: str = "medium"
    link: str = ""


@dataclass(frozen=True)
class Check:
    """A check: what must be so, why, and the pure function that tells."""

    name: str
    subject: str
    demand: str
    why: str
    severity: str
    link: str
    run: Callable[[Facts], Iterable[Trouble]]


REGISTERED: Final[dict[str, Check]] = {}


def check(
    name: str, *, demand: str, severity: str, link: str
) -> Callable[[Callable[[Facts], Iterable[Trouble]]], Check]:
    """Register a check; the function's docstring says why.

    Args:
        name: kebab-case, says what must be so.
        demand: one sentence: what must be so.
        severity: one of `SEVERITIES`.
        link: where the demand comes from.

    Raises:
        ValueError: two checks of one name, an unknown severity, or no docstring.
    """

    def register(run: Callable[[Facts], Iterable[Trouble]]) -> Check:
        why = inspect.getdoc(run)
        if name in REGISTERED or severity not in SEVERITIES or not why:
            raise ValueError(f"check {name}: give each one name, a severity of {SEVERITIES} and a docstring")
        subject = run.__module__.rpartition(".")[2]
        REGISTERED[name] = Check(name, subject, demand, " ".join(why.split()), severity, link, run)
        return REGISTERED[name]

    return register


def examine(facts: Facts, checks: Iterable[Check]) -> list[Finding]:
    """Return what checks find, the worst first; also what kept them from looking."""
    found: list[Finding] = []
    blind: dict[Unseen, list[str]] = {}
    for one in checks:
        try:
            found += [
                Finding(t.where, t.what, t.mend, t.namespace, one.name, one.severity, one.link) for t in one.run(facts)
            ]
        except NotSeenError as error:
            blind.setdefault(error.unseen, []).append(one.name)
    found += [could_not_look(unseen, names) for unseen, names in blind.items()]
    return sorted(found, key=lambda f: SEVERITIES.index(f.severity))


def could_not_look(unseen: Unseen, names: Iterable[str]) -> Finding:
    """Return the finding that something was not done for want of a fact."""
    return Finding(
        where=unseen.call,
        what=f"could not look: {unseen.why}; not checked: {', '.join(names)}",
        mend="grant the caller what docs/doctor.md lists, or leave these checks out with --skip",
        check=COULD_NOT_LOOK,
        severity="medium",
        link=_PERMISSIONS,
    )
