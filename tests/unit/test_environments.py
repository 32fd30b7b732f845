"""`docs/environments.md` against the stacks: the cost table counts what the program declares."""

import re
from decimal import ROUND_HALF_UP, Decimal

import pytest
import yaml

from fixtures.program import ROOT, program

HOURS = Decimal(730)
STACKS = ("dev", "staging", "prod")
TEXT = (ROOT / "docs" / "environments.md").read_text()
LINE = re.compile(
    r"\| (?P<what>[^|]+) \| \$(?P<price>[\d.]+) an? (?P<per>hour|month) \|(?P<cells>(?: \d+: [\d.]+ \|){3})"
)
COSTS = {match["what"]: match for match in LINE.finditer(TEXT)}


def cells(what: str) -> dict[str, tuple[int, Decimal]]:
    """The quantity and the dollars of each stack in one line."""
    found = re.findall(r"(\d+): ([\d.]+)", COSTS[what]["cells"])
    return {stack: (int(count), Decimal(cost)) for stack, (count, cost) in zip(STACKS, found, strict=True)}


@pytest.mark.parametrize("what", COSTS)
def test_a_cost_is_its_price_by_its_quantity(what: str) -> None:
    price = Decimal(COSTS[what]["price"]) * (HOURS if COSTS[what]["per"] == "hour" else 1)

    for count, cost in cells(what).values():
        assert cost == (price * count).quantize(Decimal("0.01"), ROUND_HALF_UP)


def test_the_sum_is_the_lines_sum() -> None:
    row = next(line for line in TEXT.splitlines() if line.startswith("| **sum**"))

    assert [Decimal(one) for one in re.findall(r"\*\*([\d.]+)\*\*", row)] == [
        sum(cells(what)[stack][1] for what in COSTS) for stack in STACKS
    ]


@pytest.mark.parametrize("stack", STACKS)
def test_the_cost_table_counts_what_the_program_declares(stack: str) -> None:
    declared = program(stack)
    nodes = yaml.safe_load((ROOT / f"Pulumi.{stack}.yaml").read_text())["config"]["eks-load-balancing:nodes"]
    annotations = declared.one(":Ingress").inputs["metadata"]["annotations"]

    assert {what: cells(what)[stack][0] for what in COSTS if cells(what)[stack][0]} == {
        "EKS cluster in standard support": len(declared.of("eks:index:Cluster")),
        nodes["instanceTypes"][0]: nodes["desired"],
        "GiB of gp3 disk": nodes["desired"] * nodes.get("diskSize", 30),
        "NAT gateway": len(declared.of(":NatGateway")),
        "public IPv4 address (NAT)": len(declared.of(":Eip")),
        "NLB": len([s for s in declared.of(":Service") if s.inputs["spec"]["type"] == "LoadBalancer"]),
        "ALB": len(declared.of(":Ingress")),
        "KMS key": len(declared.of(":Key")),
        **({"web ACL (yours), without rules": 1} if "alb.ingress.kubernetes.io/wafv2-acl-arn" in annotations else {}),
    }
