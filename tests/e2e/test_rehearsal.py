"""`sandbox rehearse`, run on the project itself, and its report if something was lost."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Generator
from contextlib import contextmanager
from pathlib import Path

import boto3
import pytest
from botocore.exceptions import ClientError

from sandbox.observe.rehearsal import Rehearsal, lost, replaced, watched
from sandbox.run.processes import wait_until
from tests import chart
from tests.conftest import REPOSITORY, Sandbox

pytestmark = pytest.mark.sandbox


_OLD, _NEW = "3.2.2", "3.5.0"


def newer(folder: Path) -> list[str]:
    """The sandbox's release under a newer one's name, because others are not available everywhere."""
    program, mirrored = folder / "newer-controller", folder / "newer-chart"
    shutil.copy(chart.tool("load-balancer-controller"), program)
    with program.open("ab") as file:
        file.write(b"\0")  # a separate program that runs the same
    shutil.copytree(chart.folder(), mirrored)
    about = mirrored / "Chart.yaml"
    about.write_text(about.read_text().replace(_OLD, _NEW))
    return ["--with", f"controller@{_NEW}={program}", "--chart", str(mirrored)]


@contextmanager
def rehearsing(folder: Path, *arguments: str) -> Generator["subprocess.Popen[str]"]:
    command = [sys.executable, "-m", "sandbox.cli", "rehearse", "--from", _OLD, "--to", _NEW, "--json", *arguments]
    own = {k: v for k, v in os.environ.items() if k != "SANDBOX_STATE_DIR"}
    with subprocess.Popen(
        [*command, "--state-dir", str(folder)],
        cwd=REPOSITORY,
        env=own,
        stdout=subprocess.PIPE,
        stderr=folder.with_suffix(".log").open("w"),
        text=True,
    ) as process:
        try:
            yield process
        finally:
            if process.poll() is None:
                process.send_signal(signal.SIGINT)


def processes_of(folder: Path) -> list[str]:
    """The command lines that contain a folder's name."""
    found: list[str] = []
    for line in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            text = line.read_bytes().replace(b"\0", b" ").decode()
        except OSError:  # it ended meanwhile
            continue
        if str(folder) in text:
            found.append(text)
    return found


def test_moving_the_controllers_version_costs_nothing(tmp_path: Path) -> None:
    folder, settings = tmp_path / "rehearsal", REPOSITORY / "Pulumi.sandbox.yaml"
    before = settings.read_text()
    with rehearsing(folder, *newer(tmp_path)) as process:
        said, _ = process.communicate(timeout=400)

    log = folder.with_suffix(".log").read_text()
    assert process.returncode == 0, said + log[-3000:]
    found = json.loads(said)
    assert (found["replaced"], found["lost"], found["denied"]) == ([], [], [])
    assert found["samples"] > 5
    assert found["controller"]["oneBinary"] is False
    assert found["controller"]["executables"][1] == str(tmp_path / "newer-controller")
    assert "the controller moves from 3.2.2 to 3.5.0, in this order:" in log
    assert not folder.exists()
    assert settings.read_text() == before


def test_an_interrupted_rehearsal_leaves_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "rehearsal"
    log = folder.with_suffix(".log")
    with rehearsing(folder, *newer(tmp_path)) as process:
        assert wait_until(lambda: log.exists() and "Updating (sandbox)" in log.read_text(), 120, 0.2)
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=120)

    assert process.returncode == 130
    assert not folder.exists()
    assert processes_of(folder) == []


def test_what_is_taken_away_meanwhile_is_found(stack: Sandbox) -> None:
    rehearsal = Rehearsal(stack.state, "sandbox", "controller.version", lambda _: None)
    elb, iam = stack.aws("elbv2"), stack.aws("iam")
    (subnet, *_) = stack.aws("ec2").describe_subnets()["Subnets"]
    (other,) = elb.create_load_balancer(
        Name="planted", Type="network", Scheme="internal", Subnets=[subnet["SubnetId"]]
    )["LoadBalancers"]
    iam.create_user(UserName="planted")
    key = iam.create_access_key(UserName="planted")["AccessKey"]
    own = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
    stranger = boto3.client("ec2", "us-west-2", endpoint_url=stack.state.aws_endpoint, **own)
    begun = time.time()

    with watched(rehearsal, rehearsal.samples_of_the_program()) as samples:
        group, address = min(samples[0].targets)
        registered = elb.describe_target_health(TargetGroupArn=group)["TargetHealthDescriptions"]
        (target,) = (each["Target"] for each in registered if each["Target"]["Id"] == address)
        elb.deregister_targets(TargetGroupArn=group, Targets=[target])
        elb.delete_load_balancer(LoadBalancerArn=other["LoadBalancerArn"])
        with pytest.raises(ClientError, match="UnauthorizedOperation"):
            stranger.describe_vpcs()
        assert wait_until(lambda: bool(lost(samples) and replaced(samples)), 60, 0.1)
    elb.register_targets(TargetGroupArn=group, Targets=[target])  # other tests use the stack too
    found = rehearsal.findings(samples, begun)
    iam.delete_access_key(UserName="planted", AccessKeyId=key["AccessKeyId"])
    iam.delete_user(UserName="planted")

    assert found.replaced == [other["LoadBalancerArn"]]
    assert [(one["targetGroup"], one["address"]) for one in found.lost] == [(group, address)]
    assert [one["action"] for one in found.denied] == ["ec2:DescribeVpcs"]
    assert not found.clean
