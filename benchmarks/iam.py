"""The cost of IAM in front of AWS: milliseconds per call, and its share of a `pulumi up` of the whole stack.

    python -m benchmarks.iam [--calls N] [--up]

Two AWS processes get the same calls in turn, from a session of a role with the controller's policy. One is unchanged;
the other's authorizer allows everything without a check. IAM's cost is the difference of the medians. `--up` also runs
`up` for the stack (a minute), counts its calls, and prints IAM's share of the time.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import boto3

from eks_load_balancing.controller.policy import controller_policy
from sandbox.run.ports import free_port
from sandbox.run.processes import wait_until
from sandbox.run.state import State, write_json

REPOSITORY = Path(__file__).parent.parent
SANDBOX = str(Path(sys.executable).with_name("sandbox"))
REGION, ACCOUNT = "us-west-2", "123456789012"
ROOT = {"access_key": "AKIASANDBOXROOT00000", "secret_key": "of-a-benchmark"}
CLUSTER = [{"Key": "elbv2.k8s.aws/cluster", "Value": "benchmark"}]
_WARM_UP = 20


def serve(folder: Path, *, enforced: bool) -> None:
    """Run an AWS process."""
    os.environ |= {"MOTO_ACCOUNT_ID": ACCOUNT, "MOTO_IAM_LOAD_MANAGED_POLICIES": "true"}
    from sandbox.aws.__main__ import run  # noqa: PLC0415 - moto reads its settings when it is imported
    from sandbox.iam.authorizer import Authorizer  # noqa: PLC0415

    if not enforced:
        Authorizer.authorize = lambda *_: None
    run(State.at(folder), ["true"])


@contextmanager
def process(folder: Path, *, enforced: bool) -> Iterator[tuple[str, int]]:
    """An AWS process: its URL and pid."""
    port = free_port()
    settings = {"version": 1, "region": REGION, "account": ACCOUNT, "ports": {"aws": port}, "root_keys": ROOT}
    write_json(State.at(folder).settings_file, settings)
    argv = [sys.executable, "-m", "benchmarks.iam", "--serve", str(folder), *([] if enforced else ["--let-through"])]
    with (folder / "log").open("w") as log, subprocess.Popen(argv, cwd=REPOSITORY, stdout=log, stderr=log) as child:
        try:
            url = f"http://127.0.0.1:{port}"
            if not wait_until(lambda: _answers(url), 90):
                raise SystemExit(f"the AWS process does not answer:\n{(folder / 'log').read_text()[-3000:]}")
            yield url, child.pid
        finally:
            child.terminate()


def _answers(url: str) -> bool:
    try:
        return urllib.request.urlopen(f"{url}/_sandbox/ready", timeout=5).status == 200  # noqa: PLR2004, S310 - ours
    except OSError:
        return False


def calls(url: str) -> dict[str, Callable[[], Any]]:
    """The calls to time, by name, prepared in the AWS at `url`."""
    root = {"aws_access_key_id": ROOT["access_key"], "aws_secret_access_key": ROOT["secret_key"]}

    def client(service: str, keys: dict[str, str]) -> Any:
        return boto3.client(service, endpoint_url=url, region_name=REGION, **keys)  # pyright: ignore[reportCallIssue, reportArgumentType]

    ec2, elb, iam = (client(name, root) for name in ("ec2", "elbv2", "iam"))
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    tags = [{"ResourceType": "security-group", "Tags": CLUSTER}]
    group = ec2.create_security_group(GroupName="g", Description="d", VpcId=vpc, TagSpecifications=tags)["GroupId"]
    made = elb.create_target_group(Name="t", Protocol="TCP", Port=80, VpcId=vpc, TargetType="ip", Tags=CLUSTER)
    target = made["TargetGroups"][0]["TargetGroupArn"]
    trust = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "sts:AssumeRole"}
    document = json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    role = iam.create_role(RoleName="controller", AssumeRolePolicyDocument=document)["Role"]["Arn"]
    policy = controller_policy("3.5.0", "aws", "benchmark", REGION, vpc)
    arn = iam.create_policy(PolicyName="controller", PolicyDocument=policy)["Policy"]["Arn"]
    iam.attach_role_policy(RoleName="controller", PolicyArn=arn)
    session = client("sts", root).assume_role(RoleArn=role, RoleSessionName="benchmark")["Credentials"]
    keys = {
        "aws_access_key_id": session["AccessKeyId"],
        "aws_secret_access_key": session["SecretAccessKey"],
        "aws_session_token": session["SessionToken"],
    }
    ec2, elb = client("ec2", keys), client("elbv2", keys)
    targets = [{"Id": f"10.0.0.{n}", "Port": 80} for n in range(10, 110)]
    team = [{"Key": "team", "Value": "web"}]
    return {
        "ec2:DescribeSecurityGroups": lambda: ec2.describe_security_groups(GroupIds=[group]),
        "ec2:CreateTags": lambda: ec2.create_tags(Resources=[group], Tags=team),
        "elasticloadbalancing:DescribeTargetHealth": lambda: elb.describe_target_health(TargetGroupArn=target),
        "elasticloadbalancing:DescribeTags": lambda: elb.describe_tags(ResourceArns=[target]),
        "elasticloadbalancing:ModifyTargetGroup": lambda: elb.modify_target_group(TargetGroupArn=target),
        "elasticloadbalancing:RegisterTargets (100)": lambda: elb.register_targets(
            TargetGroupArn=target, Targets=targets
        ),
    }


def timed(call: Callable[[], Any]) -> float:
    """Milliseconds that a call takes."""
    begun = time.perf_counter()
    call()
    return (time.perf_counter() - begun) * 1000


def cpu(pid: int) -> float:
    """Milliseconds of processor time that a process has used: its own need, however busy the machine is."""
    user, system = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[11:13]
    return (int(user) + int(system)) * 1000 / os.sysconf("SC_CLK_TCK")


def compare(number: int, folder: Path) -> list[float]:
    """Print a line for each call; return IAM's cost for each, in milliseconds."""
    with ExitStack() as stack:
        prepared: list[dict[str, Callable[[], Any]]] = []
        pids: list[int] = []
        for name in ("with", "without"):
            (folder / name).mkdir()
            url, pid = stack.enter_context(process(folder / name, enforced=name == "with"))
            prepared.append(calls(url))
            pids.append(pid)
        added: list[float] = []
        sys.stdout.write(f"{'medians, ms':46}{'with IAM':>12}{'without':>12}{'added':>12}{'added CPU, mean':>18}\n")
        for name in prepared[0]:
            for _ in range(_WARM_UP):
                for each in prepared:
                    each[name]()
            before = [cpu(pid) for pid in pids]
            rounds = [[timed(each[name]) for each in prepared] for _ in range(number)]
            on, off = (statistics.median(column) for column in zip(*rounds, strict=True))
            added.append(on - off)
            spent = [(cpu(pid) - begun) / number for pid, begun in zip(pids, before, strict=True)]
            sys.stdout.write(f"{name:46}{on:12.2f}{off:12.2f}{on - off:12.2f}{spent[0] - spent[1]:18.2f}\n")
            sys.stdout.flush()
    return added


def bring_up(folder: Path) -> tuple[float, int]:
    """Seconds of a `sandbox up` and `pulumi up` of the whole stack, and how many calls AWS took."""
    environment = {**os.environ, "SANDBOX_STATE_DIR": str(folder)}

    def run(*command: str) -> None:
        done = subprocess.run(
            [SANDBOX, *command], env=environment, cwd=REPOSITORY, capture_output=True, text=True, check=False
        )
        if done.returncode:
            raise SystemExit(
                f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout[-3000:]}{done.stderr[-3000:]}"
            )

    try:
        begun = time.monotonic()
        run("up")
        run("exec", "--", "pulumi", "stack", "init", "sandbox")
        run("exec", "--", "pulumi", "up", "--stack", "sandbox", "--yes", "--skip-preview", "--non-interactive")
        seconds = time.monotonic() - begun
        asked = urllib.request.urlopen(f"{State.at(folder).aws_endpoint}/_sandbox/calls", timeout=30)  # noqa: S310 - ours
        return seconds, json.load(asked)["all"]
    finally:
        run("down")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--calls", type=int, default=300, help="how often each call is timed")
    parser.add_argument("--up", action="store_true", help="also the share of a whole stack's up")
    parser.add_argument("--serve", type=Path, help=argparse.SUPPRESS)
    parser.add_argument("--let-through", action="store_true", help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.serve:
        serve(arguments.serve, enforced=not arguments.let_through)
        return
    with tempfile.TemporaryDirectory() as folder:
        added = compare(arguments.calls, Path(folder))
        median, most = statistics.median(added), max(added)
        sys.stdout.write(f"added to a call: {median:.2f} ms at the median of these, {most:.2f} ms at most\n")
        if arguments.up:
            seconds, count = bring_up(Path(folder) / "stack")
            share = count * most / 1000 / seconds
            sys.stdout.write(
                f"up: {seconds:.1f} s, {count} calls: {share:.1%} of it is IAM's, by the dearest of the above\n"
            )


if __name__ == "__main__":
    main()
