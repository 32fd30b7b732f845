"""A restarted controller finds everything as it should be: our AWS returns all settings.

If Describe omits a setting, the controller sets it again at every comparison. So this test fails if a version of the
controller sets something that our AWS drops.
"""

import json
import time
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from sandbox.plan.scratch.network import self_signed
from sandbox.run.processes import wait_until
from tests.conformance.player import Player
from tests.conformance.stage import ALONE, NAME, Stage
from tests.sandbox.controller.campaign import calls, footprint, written

pytestmark = pytest.mark.sandbox

EVERYTHING = Path(__file__).with_name("everything.yaml")
_FLAGS = (ALONE, "--feature-gates=ALBTargetControlAgent=true")
_QUIET_SECONDS, _PATIENCE_SECONDS = 6.0, 180.0


def _trust_store(stage: Stage) -> str:
    """The name of a trust store."""
    s3, region = stage.sandbox.aws("s3"), stage.sandbox.state.settings().region
    s3.create_bucket(Bucket="bundles", CreateBucketConfiguration={"LocationConstraint": region})
    s3.put_object(Bucket="bundles", Key="ca.pem", Body=self_signed(["ca.example"])[0])
    stage.sandbox.aws("elbv2").create_trust_store(
        Name="clients", CaCertificatesBundleS3Bucket="bundles", CaCertificatesBundleS3Key="ca.pem"
    )
    return "clients"


def _pool(stage: Stage) -> str:
    """The id of a pool of public addresses."""
    ec2, region = stage.sandbox.aws("ec2"), stage.sandbox.state.settings().region
    scope = ec2.create_ipam()["Ipam"]["PublicDefaultScopeId"]
    made = ec2.create_ipam_pool(IpamScopeId=scope, AddressFamily="ipv4", Locale=region, AwsService="ec2")
    return made["IpamPool"]["IpamPoolId"]


def _prefixes(stage: Stage) -> dict[str, str]:
    """Give the public subnets IPv6; `IPV6_A` and `IPV6_B` are their prefixes."""
    ec2 = stage.sandbox.aws("ec2")
    ec2.associate_vpc_cidr_block(VpcId=stage.vpc, AmazonProvidedIpv6CidrBlock=True)
    (vpc,) = ec2.describe_vpcs(VpcIds=[stage.vpc])["Vpcs"]
    whole = vpc["Ipv6CidrBlockAssociationSet"][0]["Ipv6CidrBlock"].removesuffix("00::/56")
    found: dict[str, str] = {}
    for n, zone in enumerate("ab"):
        filters = [{"Name": "vpc-id", "Values": [stage.vpc]}, {"Name": "tag:Name", "Values": [f"public-{zone}"]}]
        (subnet,) = ec2.describe_subnets(Filters=filters)["Subnets"]
        ec2.associate_subnet_cidr_block(SubnetId=subnet["SubnetId"], Ipv6CidrBlock=f"{whole}0{n}::/64")
        found[f"IPV6_{zone.upper()}"] = f"{whole}0{n}"
    return found


class Everything:
    """The objects, and the controller's reports on them."""

    def __init__(self, stage: Stage, player: Player, manifest: str) -> None:
        self.stage, self.player, self.manifest = stage, player, manifest
        objects: list[dict[str, Any]] = list(yaml.safe_load_all(manifest))
        group = "alb.ingress.kubernetes.io/group.name"
        self.stacks = {
            one["metadata"].get("annotations", {}).get(group) or f"{player.namespace}/{one['metadata']['name']}"
            for one in objects
            if one["kind"] in {"Ingress", "Gateway"} or one.get("spec", {}).get("type") == "LoadBalancer"
        }

    @property
    def _log(self) -> Path:
        return self.stage.sandbox.state.log(self.stage.controllers[0].name)

    def deployed(self, since: int) -> set[str]:
        """The stacks that the controller has compared with AWS, from its log after a position."""
        found: set[str] = set()
        for line in self._log.read_text()[since:].splitlines():
            if '"successfully deployed model"' in line and line.startswith("{"):
                told = json.loads(line)
                name = next(told[kind] for kind in ("ingressGroup", "service", "gateway") if kind in told)
                found.add(name if isinstance(name, str) else f"{name['namespace']}/{name['name']}")
        return found

    def settle(self, since: int) -> None:
        """Wait until every stack was compared with AWS and the controller has not called AWS for a while."""
        last, quiet = -1, time.monotonic()

        def settled() -> bool:
            nonlocal last, quiet
            count = sum(calls(self.stage).values())
            if count != last or not self.stacks <= self.deployed(since):
                last, quiet = count, time.monotonic()
            return time.monotonic() - quiet > _QUIET_SECONDS

        done = wait_until(settled, _PATIENCE_SECONDS, 0.3)
        warnings = [e["message"] for e in self.stage.events(self.player.namespace) if e["type"] == "Warning"]
        assert done, f"not deployed: {self.stacks - self.deployed(since)}; {json.dumps(warnings, indent=1)}"


@pytest.fixture
def everything(stage: Stage) -> Iterator[Everything]:
    with pytest.MonkeyPatch.context() as patch, stage.controlled(*_FLAGS):
        player = Player(stage, "everything", patch)
        names = {"TRUST_STORE": _trust_store(stage), "IPAM_POOL": _pool(stage), **_prefixes(stage)}
        text = player.fill_in(EVERYTHING.read_text())
        for name, value in names.items():
            text = text.replace(name, value)
        before = footprint(stage)  # the manifest's resources exist by now
        stage.kubectl("create", "namespace", player.namespace)
        made = Everything(stage, player, text)
        try:
            player.send("apply", text)
            yield made
        finally:
            player.clean()
            stage.kubectl("delete", "gatewayclass", player.own_class, "--wait=false", check=False)
        assert wait_until(lambda: footprint(stage) == before, 180, 0.5), (before, footprint(stage))


def test_a_controller_that_is_started_again_writes_nothing(everything: Everything) -> None:
    stage = everything.stage
    everything.settle(0)
    assert written(stage) > 0
    stage.stop_controllers()
    before, actions = written(stage), calls(stage)
    log = stage.sandbox.state.log(f"{NAME}-controller-0")
    since = len(log.read_text())
    stage.start_controller(*_FLAGS)
    everything.settle(since)
    more: Counter[str] = calls(stage) - actions
    writes = {
        name: count
        for name, count in more.items()
        if not name.partition(":")[2].startswith(("Describe", "Get", "List"))
    }
    assert written(stage) - before == 0, writes
