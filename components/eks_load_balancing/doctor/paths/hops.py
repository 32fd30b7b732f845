"""The hops from a DNS name to a pod, and their marks."""

from collections.abc import Collection, Iterator
from dataclasses import dataclass, replace
from enum import StrEnum

from eks_load_balancing.doctor.faults import Fault


class Kind(StrEnum):
    """What a hop is. `checks.paths` has a check for each kind that can break."""

    NAME = "DNS name"
    BALANCER = "load balancer"
    LISTENER = "listener"
    RULE = "rule"
    GROUP = "target group"
    TARGET = "target"
    INTERFACE = "interface"
    POD = "pod"


@dataclass(frozen=True)
class Hop:
    """One hop, and those after it."""

    kind: Kind
    name: str
    broken: Fault | None = None
    """Why traffic ends here, if it does."""
    below: tuple["Hop", ...] = ()

    @property
    def whole(self) -> bool:
        """Whether nothing is broken from here on."""
        return self.broken is None and all(hop.whole for hop in self.below)


@dataclass(frozen=True)
class Way:
    """All paths that begin at one DNS name."""

    title: str
    """The object that the load balancer is for: `Ingress shop/web`."""
    namespace: str | None
    start: Hop


def broken(hop: Hop) -> Iterator[tuple[Hop, Fault]]:
    """Yield every broken hop from here on, with its fault."""
    if hop.broken is not None:
        yield hop, hop.broken
    for one in hop.below:
        yield from broken(one)


def leaving_out(hop: Hop, kinds: Collection[Kind]) -> Hop:
    """Return the hops without the marks of some kinds: their checks were not run, and a note says so."""
    below = tuple(leaving_out(one, kinds) for one in hop.below)
    if hop.broken is None or hop.kind not in kinds:
        return replace(hop, below=below)
    return replace(hop, name=f"{hop.name} (not checked: {hop.broken.why})", broken=None, below=below)
