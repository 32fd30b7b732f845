import pulumi
import pytest

from eks_load_balancing import errors
from eks_load_balancing.errors import InvalidInputError


@pytest.mark.parametrize("name", ["kube-system", "a", "a.b-c", "x" * 253])
def test_a_service_accounts_name_is_taken(name: str) -> None:
    assert errors.service_account(name) == name


@pytest.mark.parametrize("name", ["", "*", "sa*", "Upper", "-a", "a-", "a..b", "a/b", "a:b", "x" * 254])
def test_a_name_that_is_no_service_accounts_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="is not a service account's name"):
        errors.service_account(name)


@pytest.mark.parametrize("name", ["", "*", "a.b", "Upper", "-a", "a-", "x" * 64])
def test_a_name_that_is_no_namespaces_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match=r"namespace .* is not a name that Kubernetes takes"):
        errors.namespace(name)


@pytest.mark.parametrize("name", ["", "-a", "a b", "a.b", "x" * 101])
def test_a_name_that_is_no_clusters_is_refused(name: str) -> None:
    with pytest.raises(InvalidInputError, match="is not one that EKS takes"):
        errors.cluster_name(name)


def test_a_plugins_whole_float_is_a_whole_number() -> None:
    assert errors.at_least(2.0, 2, "replicas") == 2


@pytest.mark.parametrize("value", [1, 2.5])
def test_a_number_too_small_or_not_whole_is_refused(value: float) -> None:
    with pytest.raises(InvalidInputError, match=r"replicas .* give 2 or more"):
        errors.at_least(value, 2, "replicas")


def test_the_engine_shows_the_line_alone() -> None:
    assert issubclass(InvalidInputError, pulumi.RunError)
