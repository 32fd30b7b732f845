"""A Gateway read as a whole: its configuration, who attaches to it, what the routes refer to, and how each fared."""

from collections.abc import Iterator
from dataclasses import dataclass, replace

from sandbox.controller.gateway.attachment import Attachment, Outcome, attach
from sandbox.controller.gateway.backends import Problem, RouteRules, rules
from sandbox.controller.gateway.flavors import Flavor
from sandbox.controller.gateway.parameters import Parameters
from sandbox.controller.model.objects import Objects, key
from sandbox.controller.model.stack import Json
from sandbox.controller.settings import Settings


@dataclass(frozen=True)
class Plan:
    """What is known before AWS is asked anything."""

    parameters: Parameters
    attachment: Attachment
    rules: RouteRules
    outcomes: tuple[Outcome, ...]

    def used(self) -> Iterator[Json]:
        """Every object that the Gateway is made from, beside itself and Services."""
        yield from self.parameters.used
        seen: set[int] = set()
        for outcome in self.outcomes:
            if id(outcome.route) not in seen:
                seen.add(id(outcome.route))
                yield outcome.route
        for several in self.rules.values():
            yield from (rule.configuration for rule in several if rule.configuration)


def plan(gateway: Json, flavor: Flavor, parameters: Parameters, objects: Objects, settings: Settings) -> Plan:
    """Read a Gateway.

    Raises:
        ModelError: a route asks for what no load balancer can do.
    """
    attachment = attach(gateway, flavor, objects, settings)
    routes = {(s.route["kind"], key(s.route)): s.route for served in attachment.routes.values() for s in served}
    loaded: RouteRules = {}
    problems: dict[tuple[str, tuple[str, str]], list[Problem]] = {}
    for identity, route in routes.items():
        loaded[identity], problems[identity] = rules(route, parameters.defaults, objects)
    outcomes = tuple(_with_problems(o, problems.get((o.route["kind"], key(o.route)), [])) for o in attachment.outcomes)
    return Plan(parameters, attachment, loaded, outcomes)


def _with_problems(outcome: Outcome, problems: list[Problem]) -> Outcome:
    if not outcome.accepted or not problems:
        return outcome
    first, accepted = problems[0], problems[0].accepted
    return replace(outcome, accepted=accepted, resolved=not accepted, reason=first.reason, message=first.message)
