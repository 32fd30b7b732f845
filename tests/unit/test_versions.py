import pytest

from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.versions import controller_version, kubernetes_version


def test_a_controller_version_brings_its_chart_and_image() -> None:
    entry = controller_version("3.5.0", "1.36")

    assert (entry.chart, entry.image_tag) == ("3.5.0", "v3.5.0")


def test_an_unknown_controller_version_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(InvalidInputError, match=r"controller version '2\.4\.0' is not supported: give one of 3\.5\.0"):
        controller_version("2.4.0")


def test_a_controller_too_new_for_the_cluster_is_refused_by_number_and_not_by_letter() -> None:
    with pytest.raises(InvalidInputError, match=r"needs Kubernetes 1\.22 or later, and the cluster runs 1\.9"):
        controller_version("3.5.0", "1.9")


def test_an_unsupported_kubernetes_version_is_refused_with_those_that_are_supported() -> None:
    with pytest.raises(InvalidInputError, match=r"Kubernetes version '1\.20' is not supported: give one of .*1\.36"):
        kubernetes_version("1.20")
