"""Clusters that no program of ours made, in a VPC that none made: what the examples run on, and how they are run."""

import json
import threading
from collections.abc import Generator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any

from sandbox.run.processes import wait_until
from tests.conformance.stage import _ASSUME, _network
from tests.conftest import REPOSITORY, Sandbox
from tests.e2e.test_stack import endpoints

EXAMPLES = REPOSITORY / "examples"
_NAMESPACES = ("default", "in-tree", "services", "shop")
"""Where the examples' workloads are."""
NAMES = ("blue", "green")
_POLICIES = {"eks": ("AmazonEKSClusterPolicy",), "ec2": ("AmazonEKSWorkerNodePolicy",)}


def _role(sandbox: Sandbox, service: str) -> str:
    iam, name = sandbox.aws("iam"), f"existing-{service}"
    made = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_ASSUME % f"{service}.amazonaws.com")
    for policy in _POLICIES[service]:
        iam.attach_role_policy(RoleName=name, PolicyArn=f"arn:aws:iam::aws:policy/{policy}")
    return made["Role"]["Arn"]


@contextmanager
def existing_clusters(sandbox: Sandbox) -> Generator[dict[str, Sandbox], None, None]:
    """Two clusters of two nodes each in one VPC, without a controller; all of it is gone at the end."""
    eks = sandbox.aws("eks")
    _, subnets = _network(sandbox.aws("ec2"), sandbox.state.settings().region)
    control_plane, nodes = _role(sandbox, "eks"), _role(sandbox, "ec2")
    access = {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True}
    scaling = {"minSize": 2, "maxSize": 2, "desiredSize": 2}
    for name in NAMES:
        eks.create_cluster(
            name=name, roleArn=control_plane, resourcesVpcConfig={"subnetIds": subnets}, accessConfig=access
        )
    for name in NAMES:
        assert wait_until(lambda name=name: eks.describe_cluster(name=name)["cluster"]["status"] == "ACTIVE", 180, 0.5)
        eks.create_nodegroup(
            clusterName=name, nodegroupName="main", subnets=subnets, nodeRole=nodes, scalingConfig=scaling
        )

    def ready(name: str) -> bool:
        return eks.describe_nodegroup(clusterName=name, nodegroupName="main")["nodegroup"]["status"] == "ACTIVE"

    try:
        assert wait_until(lambda: all(map(ready, NAMES)), 180, 0.5)
        yield {name: replace(sandbox, cluster=name) for name in NAMES}
    finally:
        for name in NAMES:
            eks.delete_nodegroup(clusterName=name, nodegroupName="main")
        for name in NAMES:
            wait_until(lambda name=name: not eks.list_nodegroups(clusterName=name)["nodegroups"], 60, 0.5)
            eks.delete_cluster(name=name)
        wait_until(lambda: not set(NAMES) & set(eks.list_clusters()["clusters"]), 60, 0.5)


class Example:
    """One example's stack in the shared sandbox."""

    def __init__(self, sandbox: Sandbox, name: str) -> None:
        self.name, self._sandbox = name, sandbox

    def pulumi(self, *arguments: str, **config: str) -> str:
        """Run a command with values over those of the stack's file."""
        given = [word for key, value in config.items() for word in ("-c", f"{key}={value}")]
        command = ("pulumi", *arguments, "--stack", "sandbox", "--non-interactive", *given)
        return self._sandbox.run(*command, cwd=EXAMPLES / self.name, timeout=400)

    def up(self, *arguments: str, **config: str) -> dict[str, Any]:
        """Bring it up, and give its outputs."""
        self.pulumi("up", "--yes", "--skip-preview", *arguments, **config)
        return json.loads(self.pulumi("stack", "output", "--json"))

    def unchanged(self, *arguments: str, **config: str) -> None:
        """A preview that finds nothing to do."""
        self.pulumi("preview", "--expect-no-changes", *arguments, **config)


class Existing:
    """The clusters, and what is registered in target groups."""

    def __init__(self, sandbox: Sandbox, clusters: dict[str, Sandbox]) -> None:
        self.sandbox, self.clusters = sandbox, clusters
        self.elb = sandbox.aws("elbv2")  # made once: it is asked many times a second

    def registered(self, group: str) -> set[str]:
        """The addresses in a target group that are not on their way out."""
        health = self.elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        return {h["Target"]["Id"] for h in health if h["TargetHealth"]["State"] != "draining"}

    def serve(self, cluster: str, group: str, service: str, count: int, namespace: str = "default") -> bool:
        """Wait until exactly the Service's ready pods are registered, so many; whether it comes to that."""

        def so_far() -> bool:
            wanted = endpoints(self.clusters[cluster], namespace, service)
            return len(wanted) == count and self.registered(group) == wanted

        return wait_until(so_far, 60, 0.3)

    def end_pods(self) -> None:
        """End the workloads at once: nobody is connected whom their deregistration delay could serve."""
        for cluster in self.clusters.values():
            for namespace in _NAMESPACES:
                kinds = "deployment,replicaset,pod"
                cluster.run("kubectl", "delete", kinds, "--all", "-n", namespace, "--grace-period=1", "--wait=false")

    def refused(self, role: str) -> list[Any]:
        """The calls of a role that IAM refused, of those that it did make."""
        asked = ("--as", role, "--json")
        assert json.loads(self.sandbox.run("sandbox", "iam", "log", *asked)), f"{role} never asked for anything"
        return json.loads(self.sandbox.run("sandbox", "iam", "denied", *asked))

    def balancer(self, group: str) -> str:
        """The ARN of the load balancer of a target group."""
        (arn,) = self.elb.describe_target_groups(TargetGroupArns=[group])["TargetGroups"][0]["LoadBalancerArns"]
        return arn


@contextmanager
def running(existing: Existing, name: str, *destroy: str) -> Generator[Example, None, None]:
    """An example's stack; destroyed at the end."""
    existing.sandbox.run("pulumi", "stack", "init", "sandbox", cwd=EXAMPLES / name)
    example = Example(existing.sandbox, name)
    yield example
    existing.end_pods()
    example.pulumi("destroy", "--yes", "--skip-preview", *destroy)


@contextmanager
def sampled(existing: Existing, group: str) -> Generator[list[set[str]], None, None]:
    """What is registered in a target group, looked at again and again from another thread."""
    samples, over = list[set[str]](), threading.Event()

    def look() -> None:
        while not over.wait(0.1):
            samples.append(existing.registered(group))

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield samples
    finally:
        over.set()
        thread.join()
