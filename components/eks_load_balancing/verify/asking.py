"""What a report asks: the engine, the listeners, the policy simulator. It changes nothing."""

import http.client
import json
import socket
import ssl
import subprocess
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from eks_load_balancing.controller.policy import controller_statements
from eks_load_balancing.doctor.checks.policy import is_off
from eks_load_balancing.doctor.facts import Facts, Object
from eks_load_balancing.doctor.lookups import flags
from eks_load_balancing.verify.lines import balancers, question

_SECONDS: Final = 5.0
_PREVIEW_SECONDS: Final = 900


class CannotVerifyError(Exception):
    """One line that names the question that failed, and the remedy."""


def operations(stack: str, pulumi: Sequence[str]) -> Mapping[str, int]:
    """Return what a preview of a stack would do, counted by kind.

    Args:
        stack: its name.
        pulumi: the command, such as `["pulumi"]`.

    Raises:
        CannotVerifyError: the preview failed.
    """
    command = [*pulumi, "preview", "--stack", stack, "--json", "--non-interactive"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=_PREVIEW_SECONDS, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise CannotVerifyError(
            f"`{' '.join(command)}` did not run ({error}): is the Pulumi CLI on the PATH?"
        ) from error
    if done.returncode:
        said = " ".join((done.stderr or done.stdout).split())[-300:]
        raise CannotVerifyError(f"`{' '.join(command)}` failed: {said}")
    return Counter(step["op"] for step in json.loads(done.stdout).get("steps", ()))


def answers(facts: Facts) -> Iterator[tuple[Object, Sequence[tuple[str, str]]]]:
    """Yield each load balancer with its listeners' answers."""
    for balancer in balancers(facts):
        listeners = sorted(facts.listeners.get(balancer["LoadBalancerArn"], ()), key=lambda one: one["Port"])
        yield (
            balancer,
            [
                (f"{one['Protocol']}:{one['Port']}", answer(balancer["DNSName"], one["Protocol"], one["Port"]))
                for one in listeners
            ],
        )


def answer(host: str, protocol: str, port: int) -> str:
    """Return what a listener answers, without its name or address.

    Args:
        host: the load balancer's DNS name.
        protocol: of the listener.
        port: of the listener.
    """
    if protocol in ("UDP", "TCP_UDP", "QUIC", "TCP_QUIC"):
        return "is not asked: it takes datagrams"
    anybody = ssl.create_default_context()
    anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE  # the doctor checks whose certificate it is
    try:
        if protocol in ("HTTP", "HTTPS"):
            connection = (
                http.client.HTTPConnection(host, port, timeout=_SECONDS)
                if protocol == "HTTP"
                else http.client.HTTPSConnection(host, port, timeout=_SECONDS, context=anybody)
            )
            connection.request("GET", "/")
            return f"answers {connection.getresponse().status}"
        with socket.create_connection((host, port), timeout=_SECONDS):
            return "answers"
    except socket.gaierror:
        return "does not answer: its name does not resolve"
    except TimeoutError:
        return "does not answer: timed out"
    except OSError as error:
        return f"does not answer: {type(error).__name__}"


def decisions(facts: Facts, version: str, iam: Any) -> dict[str, str]:
    """Return the policy simulator's decision on each action of a controller version, except disabled features.

    Args:
        facts: the cluster's.
        version: of the table of versions.
        iam: a boto3 client.
    """
    if facts.role is None or not facts.deployments:
        return {}
    found, given = dict[str, str](), flags(facts.deployments[0])
    for statement in controller_statements(version, facts.partition, facts.name, facts.region, facts.vpc):
        if is_off(statement, given):
            continue
        asked = question(statement, facts.region, facts.account)
        answered = iam.simulate_principal_policy(PolicySourceArn=facts.role["Arn"], **asked)
        for result in answered["EvaluationResults"]:
            action = result["EvalActionName"]
            # An action that several statements grant is allowed if each of them is.
            if found.get(action, "allowed") == "allowed":
                found[action] = result["EvalDecision"]
    return found
