"""The type of a resource is found from its ARN."""

import pytest

from sandbox.iam.permissions import reference

_HERE = "us-west-2:123456789012"


@pytest.mark.parametrize(
    ("service", "arn", "kind"),
    [
        ("logs", f"arn:aws:logs:{_HERE}:log-group:/aws/eks/sandbox/cluster", "log-group"),
        ("iam", "arn:aws:iam::123456789012:role/teams/web/deployer", "role"),
        ("elasticloadbalancing", f"arn:aws:elasticloadbalancing:{_HERE}:loadbalancer/app/web/1", "loadbalancer/app/"),
        ("elasticloadbalancing", f"arn:aws:elasticloadbalancing:{_HERE}:listener/app/web/1/2", "listener/app"),
        ("logs", f"arn:aws:logs:{_HERE}:nothing:known", None),
    ],
)
def test_an_arn_tells_the_type_also_where_a_name_has_slashes(service: str, arn: str, kind: str | None) -> None:
    assert reference.type_of(service, arn) == kind
