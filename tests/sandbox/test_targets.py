"""`sandbox targets` for people."""

from typing import Any

from sandbox.observe.targets import tree

HOST = "internal-k8s-samples-webalb-3f1c2d4e5a-1234567890.ap-southeast-2.elb.amazonaws.com"


def row(listener: str, *targets: dict[str, Any]) -> dict[str, Any]:
    return {
        "loadBalancer": "k8s-samples-webalb-3f1c2d4e5a",
        "kind": "ALB",
        "scheme": "internal",
        "hostName": HOST,
        "listener": listener,
        "targetGroup": "k8s-samples-webalb-0123456789",
        "targetType": "ip",
        "targets": list(targets),
    }


def test_the_tree_fits_eighty_columns_but_for_a_host_name_and_names_everything_once() -> None:
    pod = {"pod": f"samples/{'web-alb-7d9f8b6c5d-x2x4z'}", "address": "10.0.0.6", "port": 8080, "health": "healthy"}
    lines = tree([row("HTTP:80", pod), row("HTTPS:443")]).splitlines()

    assert lines == [
        "ALB k8s-samples-webalb-3f1c2d4e5a (internal)",
        f"  {HOST}",
        "  HTTP:80 -> k8s-samples-webalb-0123456789 (ip)",
        "    samples/web-alb-7d9f8b6c5d-x2x4z",
        "      10.0.0.6:8080 healthy",
        "  HTTPS:443 -> k8s-samples-webalb-0123456789 (ip)",
        "    no target",
    ]
    assert max(len(line) for line in lines if HOST not in line) <= 80


def test_without_load_balancers_there_is_a_message() -> None:
    assert tree([]) == "no load balancer forwards to a target group"
