import pytest

from eks_load_balancing.controller.moves import goes_back, moving


def position(lines: list[str], word: str) -> int:
    (found,) = [number for number, line in enumerate(lines) if word in line]
    return found


def test_nothing_comes_with_the_version_that_is_there() -> None:
    assert moving("3.5.0", "3.5.0") == []


def test_permissions_come_before_crds_and_crds_before_the_pods_that_need_them() -> None:
    lines = moving("2.12.0", "3.5.0")

    assert lines[0] == "the controller moves from 2.12.0 to 3.5.0, in this order:"
    assert [line.partition(".")[0] for line in lines[1:]] == [str(n) for n in range(1, len(lines))]
    order = ["IAM grants ec2:DescribeRouteTables", "new CRDs", "Gateway API's CRDs, release 1.6.0", "image v2.12.0"]
    assert [position(lines, word) for word in order] == sorted(position(lines, word) for word in order)


def test_what_crds_learn_and_which_defaults_change_is_named() -> None:
    lines = "\n".join(moving("2.12.0", "3.5.0"))

    assert "CRD targetgroupbindings.elbv2.k8s.aws learns spec.targetGroupProtocol" in lines
    assert "spec.loadBalancerName, spec.prefixListsIDs, spec.sslRedirectPort" in lines
    assert "the chart's default of keepTLSSecret becomes false, from true" in lines
    assert "new webhooks, which refuse what they are for until a new pod answers: alb-target-control.namespace" in lines


def test_on_the_way_back_it_is_said_what_is_lost() -> None:
    lines = moving("3.5.0", "2.12.0")

    assert "goes BACK" in lines[0]
    assert "IAM takes back ec2:DescribeRouteTables: the pods of 3.5.0 may be refused it" in lines[1]
    assert "AND EVERY OBJECT OF THEIRS WITH THEM: albtargetcontrolconfigs.elbv2.k8s.aws, global" in lines[-1]
    assert position(lines, "Gateways are kept no longer") < position(lines, "webhooks go")
    assert position(lines, "an NLB even in namespaces with elbv2.k8s.aws/service-webhook=disabled")


def test_isolated_partitions_hear_of_what_they_have() -> None:
    assert moving("2.12.0", "3.5.0", "aws-iso") == moving("2.12.0", "3.5.0")


def test_of_a_version_that_has_left_the_table_it_is_said_that_nothing_is_known() -> None:
    (line,) = moving("2.0.0", "3.5.0")

    assert "for want of 2.0.0" in line


@pytest.mark.parametrize(("old", "new", "back"), [("2.12.0", "3.5.0", False), ("3.10.0", "3.9.0", True)])
def test_back_is_told_by_number_and_not_by_letter(old: str, new: str, *, back: bool) -> None:
    assert goes_back(old, new) is back
