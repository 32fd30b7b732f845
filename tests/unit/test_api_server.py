"""The tests' own `kubectl get`."""

import sys
from concurrent.futures import ThreadPoolExecutor

from tests.api_server import parsed


def test_arguments_are_read_in_several_threads_at_once() -> None:
    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    try:
        with ThreadPoolExecutor(6) as pool:
            asked = list(pool.map(parsed, [("ingress", "web", "-n", "shop")] * 2000))
    finally:
        sys.setswitchinterval(before)
    assert {(a.kind, a.name, a.namespace) for a in asked} == {("ingress", "web", "shop")}
