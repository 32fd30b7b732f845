"""Item 13: another secrets key replaces no cluster and loses no key; a CLI that is too old is reported."""

from typing import Any

import pulumi
import pytest
import yaml
from pulumi.runtime.mocks import MockEngine

from eks_load_balancing import Cluster
from eks_load_balancing.cli_version import OLDEST_CLI
from fixtures.declared import declare
from fixtures.program import ROOT, program
from tests.unit.cluster.test_cluster import ARGS, cluster

MADE = "arn:aws:kms:us-west-2:123456789012:key/made"
OTHER = "arn:aws:kms:us-west-2:123456789012:key/other"
CLUSTER = "aws:eks/cluster:Cluster"


def test_item_13_another_key_is_refused_before_the_engine_deletes_the_one_in_use() -> None:
    """The engine deletes what the program has not declared once the program has ended without an error."""
    has = {"c-eks-eksCluster": {"encryptionConfig": {"provider": {"keyArn": MADE}, "resources": ["secrets"]}}}

    with pytest.raises(ValueError, match=f"are encrypted with {MADE}, which EKS cannot change to {OTHER}"):
        declare(lambda: Cluster("c", {**ARGS, "secrets_key_arn": OTHER}) and None, made=has)


def test_item_13_the_key_that_is_in_use_is_no_error() -> None:
    assert cluster(secrets_key_arn=OTHER).of(":NodeGroup")


def test_item_13_the_provider_is_never_asked_to_change_the_key() -> None:
    opts = pulumi.ResourceOptions(ignore_changes=["bootstrapSelfManagedAddons"])
    ignored: list[str] = []
    for transform in cluster().one("eks:index:Cluster").transforms:
        args = pulumi.ResourceTransformArgs(custom=True, type_=CLUSTER, name="c", props={}, opts=opts)
        result: Any = transform(args)
        opts = opts if result is None else result.opts
        ignored = [*(opts.ignore_changes or [])]

    assert ignored == ["bootstrapSelfManagedAddons", "encryptionConfig"]


def test_item_13_the_project_says_which_cli_it_needs_and_the_program_checks(monkeypatch: pytest.MonkeyPatch) -> None:
    project = yaml.safe_load((ROOT / "Pulumi.yaml").read_text())

    def older(_: MockEngine, request: Any) -> None:
        raise RuntimeError(
            f"Pulumi CLI version 3.200.0 does not satisfy the version range {request.pulumi_version_range}"
        )

    monkeypatch.setattr(MockEngine, "RequirePulumiVersion", older, raising=False)
    assert project["requiredPulumiVersion"] == f">={OLDEST_CLI}"
    with pytest.raises(pulumi.RunError, match=rf"must be {OLDEST_CLI} or later \(Pulumi CLI version 3.200.0 does not"):
        program("dev")


def test_item_13_the_packages_description_says_it_too() -> None:
    assert OLDEST_CLI in (ROOT / "README.md").read_text()
