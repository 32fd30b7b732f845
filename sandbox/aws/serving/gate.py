"""The gate: every call is counted, may get a fault, is authorized, journaled if it writes, and answered.

One call at a time: a call sees only what the earlier calls in the journal created.
"""

import json
import logging
import random
import threading
import time
from collections.abc import Callable, Iterable
from typing import Any

from pydantic import ValidationError
from werkzeug.wrappers import Response

from sandbox.aws import determinism
from sandbox.aws.clusters import Observations
from sandbox.aws.eks import settling
from sandbox.aws.emulator import Emulator
from sandbox.aws.identities.identity import caller_of
from sandbox.aws.serving import private
from sandbox.aws.serving.calls import CALLS, Calls
from sandbox.aws.serving.changes import Changes
from sandbox.aws.serving.faults import Faults
from sandbox.aws.serving.hidden import Hidden
from sandbox.aws.serving.journal import Entry, Journal
from sandbox.iam.authorizer import Authorizer
from sandbox.iam.questions import QuestionError, answer
from sandbox.iam.simulation import ACTION, simulate
from sandbox.iam.wire.call import Call
from sandbox.iam.wire.replies import Denial, error_reply, json_reply

log = logging.getLogger(__name__)
CONTROL = "/_sandbox/"
# Agents' reports change the answers of these services, which take the reports before they answer.
# https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DeleteVpc.html: the answer to DryRun is this, or a refusal.
_REHEARSED = Denial("DryRunOperation", "Request would have succeeded, but DryRun flag is set.", 412)
_LOOK_AT_CLUSTERS = {"eks", "eks-auth", "sts"}


class AnswerLostError(Exception):
    """The call was executed, but its answer must not arrive."""


class Gate:
    """Takes calls, one at a time."""

    def __init__(
        self, emulator: Emulator, journal: Journal, observations: Observations, authorizer: Authorizer
    ) -> None:
        self._emulator = emulator
        self._authorizer = authorizer
        self._journal = journal
        self._observations = observations
        self._seeds = random.SystemRandom()
        self.lock = threading.RLock()
        self.calls = Calls()
        self.changes = Changes()
        self.faults = Faults()
        self._hidden = Hidden(emulator.latency)
        self.after_write: Callable[[], None] = lambda: None

    def replay(self, entries: Iterable[Entry]) -> None:
        """Execute journaled calls again."""
        for entry in entries:
            self._carry_out(entry)

    def take(self, call: Call) -> Response:
        """Answer one call.

        Raises:
            AnswerLostError: a fault loses the answer.
        """
        if call.path.startswith(CONTROL):
            return self._control(call)
        reply = self._take(call)
        if pause := self._emulator.latency.answer(f"{call.service}:{call.action}"):
            time.sleep(pause)
        return reply

    def _take(self, call: Call) -> Response:
        with self.lock:
            if call.service in _LOOK_AT_CLUSTERS:
                self.look_at_clusters()
            caller = caller_of(call.access_key, self._emulator.account, self._emulator.region)
            self.calls.add(call, caller.arn)
            strike = self.faults.strike(call, caller.arn)
            if isinstance(strike, Denial):
                return error_reply(call, strike)
            denial = self._authorizer.authorize(call, call.received)
            self.changes.add(CALLS)
            if denial or _is_rehearsal(call):
                return error_reply(call, denial or _REHEARSED)
            if (call.service, call.action) == ("iam", ACTION):
                return self._simulated(call)
            if unknown := self._hidden.refuses(call):
                return error_reply(call, unknown)
            reply = self._write(call) if call.writes else self._emulator.answer(call)
            self._hidden.answered(call, reply)
            if strike:
                raise AnswerLostError(call.action)
            return reply

    def _simulated(self, call: Call) -> Response:
        """IAM's policy simulator, which moto lacks."""
        try:
            return Response(simulate(self._authorizer, call.parameters), content_type="text/xml")
        except QuestionError as error:
            return error_reply(call, Denial("InvalidInput", str(error), 400))

    def look_at_clusters(self) -> None:
        """Take the reports of the clusters' agents since the last time."""
        with self.lock:
            for observation in self._observations.news(self._emulator.eks):
                self.observe(observation)

    def observe(self, observation: dict[str, Any]) -> None:
        """Pass an observation to the model. It is journaled like a call, so that a replay sees it in its place."""
        with self.lock:
            self._write(Call("POST", f"{CONTROL}observe", {}, json.dumps(observation).encode()))

    def _write(self, call: Call) -> Response:
        entry = Entry(call, self._seeds.getrandbits(63), time.time())
        self._journal.append(entry)
        reply = self._carry_out(entry)
        if call.service in {"eks", "ec2"} or call.path.startswith(CONTROL):
            self.after_write()
        return reply

    def _carry_out(self, entry: Entry) -> Response:
        with determinism.under(entry.seed, entry.time):
            if entry.call.path == f"{CONTROL}observe":
                settling.observe(self._emulator.eks, json.loads(entry.call.body))
                reply = json_reply({})
            else:
                reply = self._emulator.answer(entry.call)
        self.changes.add(entry.call.service or "eks")
        return reply

    def _control(self, call: Call) -> Response:
        """The sandbox's own endpoints, which AWS does not have."""
        path = call.path.removeprefix(CONTROL)
        try:
            match call.method, path:
                case "GET", "ready":
                    found: Any = {"ready": True}
                case "GET", "calls":
                    found = self.calls.to_json()
                case "DELETE", "calls":
                    found = self.calls.reset() or {}
                case "GET", "changes":
                    found = self.changes.ask(call.query)
                case _, _ if path in private.QUESTIONS:
                    found = self._private(call, path)
                case "POST", "faults":
                    found = self.faults.replace(json.loads(call.body)) or {}
                case "GET", _ if path.startswith("iam/"):
                    with self.lock:
                        found = answer(self._authorizer, path.removeprefix("iam/"), call.query)
                case _:
                    return json_reply({"error": f"no {call.method} {call.path} here"}, 404)
        except private.NotAllowedError as error:
            return json_reply({"error": str(error)}, 403)
        except (QuestionError, ValidationError, ValueError) as error:
            return json_reply({"error": str(error)}, 400)
        return json_reply(found)

    def _private(self, call: Call, path: str) -> Any:
        """Endpoints that only parts of the sandbox may use."""
        private.check(call, self._authorizer.state.root_keys["secret_key"])
        with self.lock:
            if path == private.CERTIFICATE:
                return private.certificate(call, self._emulator.eks)
            if path == private.TRUST_STORE:
                return private.trust_store(call, self._emulator.eks)
            if private.report(call):
                self.changes.add(private.TARGET_HEALTH)
        return {}


def _is_rehearsal(call: Call) -> bool:
    return call.service == "ec2" and call.parameters.get("DryRun", "").lower() == "true"
