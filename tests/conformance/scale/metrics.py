"""The controller's own metrics: its calls to AWS as it sees them, and its workers.

https://github.com/kubernetes-sigs/aws-load-balancer-controller/blob/93ff3b5fdaad/pkg/metrics/aws/collector.go: a call
lasts from the controller's code to its answer and includes the controller's own limits on calls; a request is only what
goes over the network, from the end of signing to the answer.
"""

import urllib.request
from collections import defaultdict
from dataclasses import dataclass

from prometheus_client.parser import text_string_to_metric_families

from sandbox.cluster.images import flag_values
from sandbox.run.processes import Process
from tests.conformance.scale.figures import Action, Workers

QUICK = "0.005"
"""The smallest bucket, in seconds."""


@dataclass(frozen=True)
class Metrics:
    """The metrics of one moment."""

    actions: dict[str, Action]
    waited: float
    workers: dict[str, Workers]

    def since(self, before: "Metrics") -> "Metrics":
        """What came after an earlier moment."""
        none = Action(0, 0, 0)
        actions = {
            name: Action(now.calls - old.calls, now.seconds - old.seconds, now.quick - old.quick)
            for name, now in self.actions.items()
            if (old := before.actions.get(name, none)).calls < now.calls
        }
        workers = {
            kind: Workers(now.count, now.busy - old.busy)
            for kind, now in self.workers.items()
            if (old := before.workers.get(kind, Workers(0, 0))).busy < now.busy
        }
        return Metrics(actions, self.waited - before.waited, workers)


def scraped(controller: Process) -> Metrics:
    """The metrics of a running controller."""
    (address,) = flag_values([str(word) for word in controller.argv], "metrics-bind-addr")
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        return parsed(answer.read().decode())


def parsed(text: str) -> Metrics:
    """The metrics in Prometheus's text format."""
    values: defaultdict[str, dict[str, float]] = defaultdict(dict)
    for family in text_string_to_metric_families(text):
        for sample in family.samples:
            labels = sample.labels
            if labels.get("le") in {None, QUICK}:
                name = f"{labels.get('service', '')}:{labels.get('operation', '')}"
                values[sample.name][labels.get("controller", name)] = sample.value
    request, reconcile = "aws_api_request_duration_seconds", "controller_runtime_reconcile_time_seconds"
    quick = values[f"{request}_bucket"]
    actions = {
        name: Action(int(count), values[f"{request}_sum"][name], int(quick[name]))
        for name, count in values[f"{request}_count"].items()
    }
    counts = values["controller_runtime_max_concurrent_reconciles"]
    workers = {kind: Workers(int(counts[kind]), busy) for kind, busy in values[f"{reconcile}_sum"].items()}
    return Metrics(actions, sum(values["aws_api_call_duration_seconds_sum"].values()), workers)
