"""The rules of one listener: kept where they fit, moved where only the place is wrong, changed, made, then deleted.

New rules are made before old ones go, so that no request falls through in between; where the listener is full, one goes
for each that comes.
"""

import logging
from collections.abc import Callable
from dataclasses import replace

from botocore.exceptions import ClientError

from sandbox.controller.deploy.aws import Aws, code, tag_list
from sandbox.controller.deploy.compare import resolved, same_actions, same_conditions, same_transforms, tags_to_change
from sandbox.controller.deploy.inventory import Found
from sandbox.controller.deploy.target_groups import retag
from sandbox.controller.model.stack import Json, Listener, Ref, Rule
from sandbox.controller.settings import Settings

log = logging.getLogger(__name__)
_LAST_PRIORITY = 50000


class RuleSet:
    """Brings one listener's rules to what is wanted."""

    def __init__(
        self,
        aws: Aws,
        settings: Settings,
        listener: str,
        of: Callable[[Ref], str],
        tags: Callable[[str, dict[str, str]], dict[str, str]],
    ) -> None:
        self._aws, self._settings, self._listener, self._of, self._tags = aws, settings, listener, of, tags
        self._port = 0

    def ensure(self, listener: Listener, have: list[Json], tags: dict[str, dict[str, str]]) -> None:
        """Change what differs.

        Args:
            listener: with the rules that are wanted.
            have: the rules that are there (AWS's shape, without the default one).
            tags: theirs, by ARN.
        """
        self._port = listener.port
        wanted = [replace(rule, actions=resolved(rule.actions, self._of)) for rule in listener.rules]
        kept, rest = self._matched(wanted, have)
        moved = [(rule, found) for rule, found in kept if int(found["Priority"]) != rule.priority]
        leftover = [found for found in have if all(found is not k for _, k in kept)]
        if moved:
            self._move(moved, leftover)
        by_priority = {int(found["Priority"]): found for found in leftover}
        changed = [(rule, by_priority.pop(rule.priority)) for rule in rest if rule.priority in by_priority]
        for rule, found in changed:
            self._modify(rule, found)
        done = [rule for rule, _ in changed]
        self._make([rule for rule in rest if rule not in done], list(by_priority.values()))
        if self._settings.gate("ListenerRulesTagging"):
            for rule, found in [*kept, *changed]:
                self._retag(rule, found, tags.get(found["RuleArn"], {}))

    @staticmethod
    def _matched(wanted: list[Rule], have: list[Json]) -> tuple[list[tuple[Rule, Json]], list[Rule]]:
        """Rules that are there already (wherever they stand), and those that are not."""
        free = list(have)
        kept: list[tuple[Rule, Json]] = []
        rest: list[Rule] = []
        for rule in wanted:
            match = next((found for found in free if _same(rule, found)), None)
            if match is None:
                rest.append(rule)
            else:
                free = [found for found in free if found is not match]
                kept.append((rule, match))
        return kept, rest

    def _move(self, moved: list[tuple[Rule, Json]], leftover: list[Json]) -> None:
        """Give rules their places in one call; what is left over goes to the end, out of the way."""
        for place, found in enumerate(sorted(leftover, key=lambda f: int(f["Priority"]), reverse=True)):
            found["Priority"] = str(_LAST_PRIORITY - place)
        pairs = [{"RuleArn": found["RuleArn"], "Priority": int(found["Priority"])} for found in leftover]
        pairs += [{"RuleArn": found["RuleArn"], "Priority": rule.priority} for rule, found in moved]
        self._aws.elb.set_rule_priorities(RulePriorities=pairs)
        log.info("moved rules of %s", self._listener)

    def _modify(self, rule: Rule, found: Json) -> None:
        request: Json = {"RuleArn": found["RuleArn"], "Conditions": rule.conditions, "Actions": rule.actions}
        if rule.transforms:
            request["Transforms"] = rule.transforms
        elif found.get("Transforms"):
            request["ResetTransforms"] = True
        self._aws.elb.modify_rule(**request)
        log.info("changed rule %s", found["RuleArn"])

    def _make(self, new: list[Rule], old: list[Json]) -> None:
        waiting, going = list(new), list(old)
        full = False
        while waiting or going:
            if waiting and not full:
                try:
                    self._create(waiting[0])
                except ClientError as error:
                    if code(error) != "TooManyRules" or not going:
                        raise
                    full = True
                else:
                    waiting.pop(0)
            elif going:
                arn = going.pop(0)["RuleArn"]
                self._aws.elb.delete_rule(RuleArn=arn)
                log.info("deleted rule %s", arn)
                full = False
            else:
                raise RuntimeError(f"listener {self._listener} has no room for {len(waiting)} more rules")

    def _create(self, rule: Rule) -> None:
        request: Json = {
            "ListenerArn": self._listener,
            "Priority": rule.priority,
            "Conditions": rule.conditions,
            "Actions": rule.actions,
        }
        if self._settings.gate("ListenerRulesTagging"):
            request["Tags"] = tag_list(self._whole_tags(rule))
        if rule.transforms:
            request["Transforms"] = rule.transforms
        self._aws.create("elbv2", "create_rule", **request)
        log.info("created rule %s on %s", rule.priority, self._listener)

    def _whole_tags(self, rule: Rule) -> dict[str, str]:
        return self._tags(f"{self._port}:{rule.priority}", dict(rule.tags))

    def _retag(self, rule: Rule, found: Json, tags: dict[str, str]) -> None:
        changes = tags_to_change(self._whole_tags(rule), tags, self._settings.external_managed_tags)
        retag(self._aws, Found("rule", found["RuleArn"], found, dict(tags)), *changes)


def _same(rule: Rule, found: Json) -> bool:
    return (
        same_conditions(rule.conditions, found["Conditions"])
        and same_actions(rule.actions, found["Actions"])
        and same_transforms(rule.transforms, found.get("Transforms"))
    )
