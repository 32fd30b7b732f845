"""One preview or update: the resources so far, and the rules' verdicts."""

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from pack.judge import Verdict, judge, judge_stack, remedied
from pack.registry import Level, Rule
from pack.reports import ELSEWHERE, JUDGED_LATER, REPORTS, WAIVERS, not_judged_yet, stale_waivers, waivers_in_use
from pack.resources import Resource, Stack, manifest
from pack.waivers import Waiver, waivers


@dataclass(frozen=True)
class Said:
    """A violation, as the engine will report it."""

    rule: Rule
    level: Level
    urn: str
    message: str


class Session:
    """Checks resources in the engine's order, and then the stack."""

    def __init__(self, rules: Iterable[Rule]) -> None:
        self.rules = {rule.name: rule for rule in rules}
        self.policies = {**self.rules, **REPORTS}
        self._levels: Mapping[str, Level] = {}
        self._config: Mapping[str, Mapping[str, Any]] = {}
        self._declared = Stack([], complete=False)
        self._seen: dict[str, Resource] = {}
        self._later: dict[str, dict[str, Resource]] = defaultdict(dict)
        """For each rule, the resources that it checks when all are known."""
        self._waiting: dict[str, set[str]] = defaultdict(set)
        """For each rule, the URNs of resources with values that it waits for."""
        self._waivers: list[Waiver] = []
        self._elsewhere: list[Resource] = []
        self._waived: Counter[Waiver] = Counter()

    def configure(self, config: Mapping[str, Mapping[str, Any]], levels: Mapping[str, Level]) -> None:
        """Take a profile: each rule's settings and level."""
        self._config, self._levels = config, levels
        self._waivers = waivers(config.get(WAIVERS.name, {}))
        self._elsewhere = [manifest(one) for one in config.get(ELSEWHERE.name, {}).get("manifests", [])]
        for one in self._elsewhere:
            self._declared.add(one)

    def level(self, rule: Rule) -> Level:
        """Return a rule's level: the profile's, by default that of `prod`."""
        return self._levels.get(rule.name, rule.prod)

    def declare(self, seen: Resource) -> Iterator[Said]:
        """Check a resource before it is created."""
        if self._seen.pop(seen.urn, None):
            self._declared = Stack([*self._elsewhere, *self._seen.values()], complete=False)
        self._seen[seen.urn] = seen
        self._declared.add(seen)
        for rule in self._enforced():
            if not rule.across_stack:
                verdict = judge(rule, seen, self._settings(rule))
                if verdict.later:
                    self._later[rule.name][seen.urn] = seen
                yield from self._said(rule, seen.urn, verdict)

    def finish(self, shown: Iterable[Resource]) -> Iterator[Said]:
        """Check what needs several resources, when all are known."""
        stack = Stack([*(self._whole(one) for one in shown), *self._elsewhere])
        for rule in self._enforced():
            for urn, verdict in self._across(rule, stack):
                yield from self._said(rule, urn, verdict)
        yield from self._reports()

    def remedies(self, message: Any) -> Iterator[tuple[Rule, Any]]:
        """Change a resource, in the engine's message, for each rule that can fix it, and report the changes."""
        for rule in self._enforced():
            if self.level(rule) is Level.REMEDIATE:
                waived = self._waiver(rule, message.urn)
                changed = None if waived else remedied(rule, message, self._settings(rule), self._declared)
                if changed is not None:
                    message.properties.CopyFrom(changed)  # the next rule continues from there
                    yield rule, changed

    def _across(self, rule: Rule, stack: Stack) -> Iterator[tuple[str, Verdict]]:
        if rule.across_stack:
            yield from judge_stack(rule, stack, self._settings(rule))
            return
        for urn, seen in self._later.pop(rule.name, {}).items():
            seen.stack = stack
            yield urn, judge(rule, seen, self._settings(rule))

    def _enforced(self) -> list[Rule]:
        return [rule for rule in self.rules.values() if self.level(rule) is not Level.DISABLED]

    def _settings(self, rule: Rule) -> Mapping[str, Any]:
        return self._config.get(rule.name, {})

    def _whole(self, shown: Resource) -> Resource:
        """Complete what the engine shows of a resource of the stack, its outputs.

        For a Kubernetes object these are the server's, with its defaults. On a cluster that does not exist yet there
        are none, and the program's declaration is used instead.
        """
        declared = self._seen.get(shown.urn)
        if declared is not None and (shown.type.startswith("kubernetes:") or not shown.props):
            shown.props, shown.vault = declared.props, declared.vault
        return shown

    def _said(self, rule: Rule, urn: str, verdict: Verdict) -> Iterator[Said]:
        level = self.level(rule)
        enforced = Level.MANDATORY if level is Level.REMEDIATE else level  # a remediation that did not help
        if verdict.waits:
            self._waiting[rule.name].add(urn)
        for refusal in verdict.refusals:
            waiver = None if refusal.crashed else self._waiver(rule, urn)
            if waiver is None:
                yield Said(rule, enforced, urn, refusal.message)
            else:
                self._waived[waiver] += 1

    def _waiver(self, rule: Rule, urn: str) -> Waiver | None:
        level = self.level(rule)
        fitting = (one for one in self._waivers if one.is_about(rule, level) and one.covers(urn) and not one.expired())
        return next(fitting, None)

    def _reports(self) -> Iterator[Said]:
        """Report on the whole: what waits for the update, and the waivers."""
        if self._waiting and self.level(JUDGED_LATER) is not Level.DISABLED:
            yield Said(JUDGED_LATER, self.level(JUDGED_LATER), "", not_judged_yet(self._waiting))
        if self.level(WAIVERS) is Level.DISABLED:
            return
        here = next(iter(self._seen), "")
        stale = stale_waivers([one for one in self._waivers if one.is_for(here)], self._waived, self._may_need)
        yield from (Said(WAIVERS, self.level(WAIVERS), "", message) for message in stale)
        yield from (Said(WAIVERS, Level.ADVISORY, "", message) for message in waivers_in_use(self._waived))

    def _may_need(self, waiver: Waiver) -> bool:
        return any(
            waiver.is_about(self.rules[name], self.level(self.rules[name])) and waiver.covers(urn)
            for name, urns in self._waiting.items()
            for urn in urns
        )
