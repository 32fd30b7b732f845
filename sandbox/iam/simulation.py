"""IAM's policy simulator: the decision of a principal's policies on actions that nobody performs.

The simulator does not look at resources: conditions see only the keys in the question.
https://docs.aws.amazon.com/IAM/latest/APIReference/API_SimulatePrincipalPolicy.html
"""

import itertools
from collections.abc import Iterator, Mapping
from typing import Final
from xml.sax.saxutils import escape

from sandbox.iam.authorizer import Authorizer
from sandbox.iam.language.conditions import Context
from sandbox.iam.language.evaluate import Decision
from sandbox.iam.permissions.demands import Demand
from sandbox.iam.questions import QuestionError

ACTION: Final = "SimulatePrincipalPolicy"
_REPLY: Final = (
    '<{action}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/"><{action}Result><IsTruncated>false</IsTruncated>'
    "<EvaluationResults>{results}</EvaluationResults></{action}Result></{action}Response>"
)
_RESULT: Final = (
    "<member><EvalActionName>{action}</EvalActionName><EvalResourceName>{resource}</EvalResourceName>"
    "<EvalDecision>{decision}</EvalDecision><MatchedStatements/><MissingContextValues/></member>"
)


def simulate(authorizer: Authorizer, parameters: Mapping[str, str]) -> str:
    """The answer to SimulatePrincipalPolicy, as XML.

    Args:
        authorizer: has the policies.
        parameters: the call's parameters, flat: `ActionNames.member.1`.

    Raises:
        QuestionError: the principal does not exist.
    """
    keys = {name.lower(): tuple(values) for name, values in _context(parameters) if values}
    source = parameters["PolicySourceArn"]
    holder = authorizer.state.holder(source)
    if holder is None:
        raise QuestionError(f"{source} is no role or user here: give an ARN of IAM")
    asked = itertools.product(_members(parameters, "ActionNames"), _members(parameters, "ResourceArns") or ["*"])
    results = [
        _RESULT.format(
            action=escape(action),
            resource=escape(resource),
            decision=_decision(authorizer.decide(holder, Demand(action, resource, Context(keys)))),
        )
        for action, resource in asked
    ]
    return _REPLY.format(action=ACTION, results="".join(results))


def _decision(decision: Decision) -> str:
    if decision.allowed:
        return "allowed"
    return "explicitDeny" if decision.explicit else "implicitDeny"


def _members(parameters: Mapping[str, str], name: str) -> list[str]:
    found: list[str] = []
    while (value := parameters.get(f"{name}.member.{len(found) + 1}")) is not None:
        found.append(value)
    return found


def _context(parameters: Mapping[str, str]) -> Iterator[tuple[str, list[str]]]:
    for number in itertools.count(1):
        entry = f"ContextEntries.member.{number}"
        name = parameters.get(f"{entry}.ContextKeyName")
        if name is None:
            return
        yield name, _members(parameters, f"{entry}.ContextKeyValues")
