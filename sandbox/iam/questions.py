"""Answers users' questions: the log, what was refused, what was granted but not used, and why or why not.

The AWS process serves the answers under `/_sandbox/iam/`, as JSON.
"""

import itertools
from collections.abc import Mapping
from typing import Any

from sandbox.iam.authorizer import Authorizer
from sandbox.iam.decisions import Entry
from sandbox.iam.language.conditions import CannotJudgeError
from sandbox.iam.permissions import reference
from sandbox.iam.permissions.demands import Scene, demand_on
from sandbox.iam.permissions.keys import Keys, request_keys
from sandbox.iam.permissions.resources import Target
from sandbox.iam.wire.denials import reason


class QuestionError(Exception):
    """What is wrong with a question, in one line."""


def answer(authorizer: Authorizer, question: str, given: Mapping[str, str]) -> Any:
    """The answer to `log`, `denied`, `unused` or `explain`.

    Args:
        authorizer: has the decisions and policies.
        question: its name.
        given: `as` (ARN or name of a role or user); for `log` and `denied` also `since` (the time of an entry) and
            `last` (the maximum number); for `explain` also `action`, `resource`, and condition keys under
            their own names (`aws:RequestTag/team`).

    Raises:
        QuestionError: the question is unknown, or something is missing.
    """
    if given.get("as"):
        given = {**given, "as": authorizer.state.arn_of(given["as"]) or given["as"]}
    match question:
        case "log":
            return _entries(authorizer, given, denied=False)
        case "denied":
            return _entries(authorizer, given, denied=True)
        case "unused":
            return unused(authorizer, _needed(given, "as"))
        case "explain":
            keys = {key: value for key, value in given.items() if ":" in key}
            who, action = _needed(given, "as"), _needed(given, "action")
            return explain(authorizer, who, action, given.get("resource", "*"), keys)
        case _:
            raise QuestionError(f"no question {question!r}: ask for log, denied, unused or explain")


def _needed(given: Mapping[str, str], name: str) -> str:
    if not given.get(name):
        raise QuestionError(f"{name!r} is missing: give {name}=...")
    return given[name]


def _entries(authorizer: Authorizer, given: Mapping[str, str], *, denied: bool) -> list[dict[str, Any]]:
    """The entries, oldest first; `as` names a principal or the user or role behind it, `action` is an action.

    Only those after `since`, and at most the `last` of them, if given.
    """
    since, last = float(given.get("since", 0)), int(given.get("last", len(authorizer.decisions.entries)))

    def wanted(entry: Entry) -> bool:
        who = given.get("as") in {None, entry.principal, entry.source}
        return who and given.get("action") in {None, entry.action} and not (denied and entry.allowed)

    # The log is long, and repeated questions need only its end.
    late = itertools.takewhile(lambda entry: round(entry.time, 3) > since, reversed(authorizer.decisions.entries))
    return [entry.to_json() for entry in itertools.islice(filter(wanted, late), last)][::-1]


def unused(authorizer: Authorizer, source: str) -> list[dict[str, Any]]:
    """What a role's or user's own policies allow and it has never used since counting began.

    Raises:
        QuestionError: the role or user does not exist.
    """
    key = authorizer.state.holder(source)
    if key is None:
        raise QuestionError(f"{source} is no role or user here: give an ARN of IAM")
    policies, _ = authorizer.state.identity(key.principal)
    return [
        {"policy": statement.policy, "index": statement.index, "sid": statement.sid, "action": action}
        for statement, action in authorizer.decisions.unused(source, policies)
    ]


def explain(authorizer: Authorizer, source: str, action: str, resource: str, keys: Mapping[str, str]) -> dict[str, Any]:
    """IAM's decision and the reason, with the resource's current tags.

    Raises:
        QuestionError: the role or user does not exist, or the sandbox has no rule for the action.
    """
    key = authorizer.state.holder(source)
    if key is None:
        raise QuestionError(f"{source} is no role or user here: give an ARN of IAM")
    service, _, name = action.partition(":")
    if reference.action_types(service, name) is None:
        raise QuestionError(f"the sandbox has no rule for {action}")
    place = authorizer.state.place
    known: Keys = {**request_keys(service, name, {}, place), **{k.lower(): (v,) for k, v in keys.items()}}
    tags = {k.partition("/")[2]: v for k, v in keys.items() if k.lower().startswith("aws:requesttag/")}
    if tags:
        known["aws:tagkeys"] = list(tags)
    target = Target(reference.type_of(service, resource) or "", resource, made=resource.endswith("/*"))
    demand = demand_on(Scene(place, authorizer.state.look), action, target, known, tags)
    try:
        decision = authorizer.decide(key, demand)
    except CannotJudgeError as error:
        return _verdict("refused", f"because {error}", demand.resource, demand.context.values)
    if decision.allowed:
        told = _verdict("allowed", f"by the {decision.kind}", demand.resource, demand.context.values)
    else:
        told = _verdict("denied", reason(action, decision), demand.resource, demand.context.values)
    return told | {"statements": [{"policy": s.policy, "index": s.index, "sid": s.sid} for s in decision.statements]}


def _verdict(verdict: str, why: str, resource: str, keys: Mapping[str, Any]) -> dict[str, Any]:
    listed = {key: list(values) for key, values in keys.items()}
    return {"verdict": verdict, "why": why, "resource": resource, "keys": listed, "statements": []}
