"""What the kernel reports about a packet: nft's trace, conntrack's events, and the rules in their order.

Pure. https://wiki.nftables.org/wiki-nftables/index.php/Ruleset_debug/tracing
"""

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

_LINE = re.compile(r"trace id (\w+) (\w+) (\S+) (\S+) (packet:|rule|policy|verdict|unknown) ?(.*)")
_RULE = re.compile(r"(.*?)(?: # handle (\d+))? \(verdict (.*)\)$")
_COUNTER = re.compile(r"\s*\bcounter packets \d+ bytes \d+")
_COMMENT = re.compile(r'comment "([^"]*)"')
_ENDPOINTS = re.compile(r"src=(\S+) dst=(\S+) sport=(\d+) dport=(\d+)")
_GOES_ON = ("continue", "return")
OWN_TABLE = "sandbox-trace"


@dataclass(frozen=True)
class Flow:
    """A packet's source and destination."""

    source: str
    source_port: int
    destination: str
    port: int

    def __str__(self) -> str:
        """In readable form."""
        return f"{self.source}:{self.source_port} -> {self.destination}:{self.port}"

    @property
    def reverse(self) -> "Flow":
        """The flow of its answers."""
        return Flow(self.destination, self.port, self.source, self.source_port)


@dataclass(frozen=True)
class Rule:
    """A rule that matched."""

    table: str
    chain: str
    handle: int
    text: str
    verdict: str
    """`accept`, `drop`, `jump X`, `goto X`, `continue`, ..."""

    @property
    def comment(self) -> str:
        """The rule's comment."""
        found = _COMMENT.search(self.text)
        return found[1] if found else ""


@dataclass
class Pass:
    """One base chain on a packet's way."""

    table: str
    chain: str
    flow: Flow
    """The packet as it entered the chain."""
    rules: list[Rule] = field(default_factory=list[Rule])
    """The rules that matched."""
    policy: str = ""
    """The chain's policy, if no rule decided."""


@dataclass
class Passage:
    """One packet's way through one namespace."""

    namespace: str
    passes: list[Pass] = field(default_factory=list[Pass])

    @property
    def flow(self) -> Flow:
        """The packet as it entered."""
        return self.passes[0].flow

    @property
    def rules(self) -> list[Rule]:
        """All rules that matched, in order."""
        return [rule for one in self.passes for rule in one.rules]

    @property
    def dropped(self) -> Rule | None:
        """The rule that dropped it, if one did."""
        return next((rule for rule in self.rules if rule.verdict == "drop"), None)


def passages(namespace: str, text: str) -> list[Passage]:
    """The packets in the output of `nft -a monitor trace`, in the order of their first lines."""
    found: dict[str, Passage] = {}
    for line in text.splitlines():
        match = _LINE.match(line)
        if not match or match[3] == OWN_TABLE:
            continue
        mark, _, table, chain, kind, rest = match.groups()
        passage = found.setdefault(mark, Passage(namespace))
        if kind == "packet:":
            flow = _flow(rest)
            if flow:
                passage.passes.append(Pass(table, chain, flow))
        elif passage.passes and kind == "rule":
            rule = _RULE.match(rest)
            if rule:
                words = " ".join(_COUNTER.sub("", rule[1]).split())
                passage.passes[-1].rules.append(Rule(table, chain, int(rule[2] or 0), words, rule[3]))
        elif passage.passes and kind == "policy":
            passage.passes[-1].policy = rest.strip()
    return [p for p in found.values() if p.passes]


def _flow(text: str) -> Flow | None:
    words = text.split()
    values = {" ".join(words[i : i + 2]): words[i + 2] for i in range(len(words) - 2)}
    try:
        return Flow(values["ip saddr"], int(values["tcp sport"]), values["ip daddr"], int(values["tcp dport"]))
    except (KeyError, ValueError):
        return None


@dataclass(frozen=True)
class Tracked:
    """An entry of a namespace's connection tracking."""

    namespace: str
    original: Flow
    reply: Flow

    @property
    def destination_rewritten(self) -> bool:
        """Whether the destination is translated (DNAT)."""
        return (self.reply.source, self.reply.source_port) != (self.original.destination, self.original.port)

    @property
    def source_rewritten(self) -> bool:
        """Whether the source is translated (SNAT, masquerade)."""
        return (self.reply.destination, self.reply.port) != (self.original.source, self.original.source_port)

    @property
    def translates(self) -> bool:
        """Whether it translates at all; otherwise it only tracks the connection."""
        return self.destination_rewritten or self.source_rewritten


def tracked(namespace: str, text: str) -> list[Tracked]:
    """The entries in the output of `conntrack -L` or `conntrack -E`."""
    found: list[Tracked] = []
    for line in text.splitlines():
        ways = [Flow(a, int(c), b, int(d)) for a, b, c, d in _ENDPOINTS.findall(line)]
        if len(ways) == 2:  # noqa: PLR2004 - original and reply
            found.append(Tracked(namespace, ways[0], ways[1]))
    return found


Chains = Mapping[tuple[str, str], list[int]]
"""Table and chain -> the handles of its rules, in order."""


def chains(text: str) -> Chains:
    """The chains in the output of `nft -a list ruleset`."""
    found: dict[tuple[str, str], list[int]] = {}
    table = chain = ""
    for line in text.splitlines():
        words = line.split()
        if words[:1] == ["table"]:
            table = words[2]
        elif words[:1] == ["chain"]:
            chain = words[1]
            found[table, chain] = []
        elif words[:1] == ["}"]:
            chain = ""
        elif chain and "# handle " in line:
            found[table, chain].append(int(line.rpartition("# handle ")[2]))
    return found


def looked_at(passage: Passage, known: Chains) -> int:
    """The number of rules that the kernel evaluated for a packet: those that matched, and all before them."""
    return sum(_looked_at(one, known) for one in passage.passes)


def _looked_at(one: Pass, known: Chains) -> int:
    entered: list[tuple[str, int]] = [(one.chain, 0)]
    """The chains that the packet is in, each with its matched rules."""
    total = 0

    def leave(until: str) -> None:
        nonlocal total
        while len(entered) > 1 and entered[-1][0] != until:
            name, seen = entered.pop()
            total += max(len(known.get((one.table, name), [])), seen)

    for rule in one.rules:
        leave(rule.chain)
        handles = known.get((one.table, rule.chain), [])
        seen = handles.index(rule.handle) + 1 if rule.handle in handles else entered[-1][1] + 1
        entered[-1] = (rule.chain, seen)
        word, _, target = rule.verdict.partition(" ")
        if word == "goto":
            total += entered.pop()[1]
            entered.append((target, 0))
        elif word == "jump":
            entered.append((target, 0))
    decided = not one.policy and bool(one.rules) and one.rules[-1].verdict not in _GOES_ON
    for name, seen in entered:
        total += seen if decided else max(len(known.get((one.table, name), [])), seen)
    return total


def of_flow(found: Iterable[Passage], flow: Flow) -> list[Passage]:
    """The passages of one connection's first packet."""
    return [p for p in found if p.flow == flow]
