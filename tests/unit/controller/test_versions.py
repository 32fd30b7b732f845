from itertools import pairwise
from pathlib import Path

import pytest

from eks_load_balancing.controller.policy import ABSENT
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.versions import (
    CONTROLLER_VERSIONS,
    DEFAULT_CONTROLLER_VERSION,
    KUBERNETES_VERSIONS,
    ControllerVersion,
    controller_version,
    kubernetes_version,
    release,
)
from tests.unit.controller.upstream import CRDS, RELEASES

PAGE = Path(__file__).parents[3] / "docs" / "versions.md"


@pytest.mark.parametrize("version", RELEASES)
def test_a_controller_version_brings_its_chart_and_image(version: str) -> None:
    entry = controller_version(version, "1.36")

    assert (entry.version, entry.chart, entry.image_tag) == (version, RELEASES[version]["chart"], f"v{version}")


def test_the_table_begins_with_the_oldest_and_what_is_installed_untold_is_the_newest() -> None:
    assert list(CONTROLLER_VERSIONS) == sorted(CONTROLLER_VERSIONS, key=release)
    assert list(CONTROLLER_VERSIONS)[-1] == DEFAULT_CONTROLLER_VERSION


@pytest.mark.parametrize("version", CONTROLLER_VERSIONS)
def test_the_crds_of_a_version_are_those_of_its_release(version: str) -> None:
    assert set(CONTROLLER_VERSIONS[version].crds) == CRDS[version]


@pytest.mark.parametrize(("before", "after"), list(pairwise(CONTROLLER_VERSIONS)))
def test_what_a_crd_learns_and_forgets_from_one_version_to_the_next_is_in_the_table(before: str, after: str) -> None:
    for name in CRDS[before] & CRDS[after]:
        had, has = (CONTROLLER_VERSIONS[version].crds[name] for version in (before, after))
        upstream_had, upstream_has = (set(RELEASES[version]["crds"][name]) for version in (before, after))

        assert has - had == upstream_has - upstream_had
        assert had - has == upstream_had - upstream_has


@pytest.mark.parametrize("entry", CONTROLLER_VERSIONS.values(), ids=CONTROLLER_VERSIONS)
def test_the_webhooks_and_defaults_of_a_version_are_those_of_its_release(entry: ControllerVersion) -> None:
    upstream = RELEASES[entry.version]
    keeps_secret = upstream["keepTLSSecret"]

    # The other three come and go with values of the chart.
    assert entry.webhooks == set(upstream["webhooks"]) - {"mpod", "mservice", "vingress"}
    assert entry.defaults == ({} if keeps_secret is None else {"keepTLSSecret": str(keeps_secret).lower()})


@pytest.mark.parametrize("entry", CONTROLLER_VERSIONS.values(), ids=CONTROLLER_VERSIONS)
def test_the_documentation_has_a_version_as_the_table_has_it(entry: ControllerVersion) -> None:
    partitions = ", ".join(f"`{partition}`" for partition in ABSENT[entry.version])
    cells = [entry.version, entry.chart, f"`{entry.image_tag}`", partitions, str(len(entry.crds))]
    cells += [entry.oldest_kubernetes, entry.gateway_api or "none"]

    assert f"| {' | '.join(cells)} |" in PAGE.read_text().splitlines()


def test_an_unknown_controller_version_is_refused_with_the_way_past_it() -> None:
    with pytest.raises(
        InvalidInputError, match=r"'2\.4\.0' is not in this package's table \(2\.8\.0 to 3\.5\.0\): .*like"
    ):
        controller_version("2.4.0")


def test_a_controller_too_new_for_the_cluster_is_refused_by_number_and_not_by_letter() -> None:
    with pytest.raises(InvalidInputError, match=r"needs Kubernetes 1\.22 or later, and the cluster runs 1\.9"):
        controller_version("3.5.0", "1.9")


def test_an_unsupported_kubernetes_version_is_refused_with_those_that_are_supported() -> None:
    with pytest.raises(
        InvalidInputError, match=r"'1\.20' is not in this package's table: give one of .*1\.36, or allow"
    ):
        kubernetes_version("1.20")


@pytest.mark.parametrize("version", KUBERNETES_VERSIONS)
def test_the_documentation_has_a_kubernetes_version_as_the_table_has_it(version: str) -> None:
    support = KUBERNETES_VERSIONS[version]

    assert f"| {version} | {support.standard} | {support.extended} |" in PAGE.read_text().splitlines()
