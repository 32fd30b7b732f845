import pytest

from sandbox.controller.endpoints import BackendMissingError, Target, of_nodes, of_pods
from sandbox.controller.model.stack import Json, ModelError
from tests.sandbox.controller.fakes import Cluster, a_service


def binding(target_type: str = "ip", port: int | str = 80, **spec: object) -> Json:
    reference = {"name": "web", "port": port}
    return {
        "kind": "TargetGroupBinding",
        "metadata": {"namespace": "shop", "name": "b"},
        "spec": {"targetType": target_type, "serviceRef": reference, **spec},
    }


def pod(name: str, *, containers_ready: bool = True, node: str = "n1") -> Json:
    status = "True" if containers_ready else "False"
    return {
        "kind": "Pod",
        "metadata": {"namespace": "shop", "name": name},
        "spec": {"nodeName": node},
        "status": {"conditions": [{"type": "ContainersReady", "status": status}]},
    }


def node(name: str = "n1", ready: str = "True", labels: dict[str, str] | None = None, **spec: object) -> Json:
    return {
        "kind": "Node",
        "metadata": {"name": name, "labels": labels or {}},
        "spec": {"providerID": f"aws:///us-west-2a/i-{name}", **spec},
        "status": {"conditions": [{"type": "Ready", "status": ready}]},
    }


def slice_of(*endpoints: Json, port: int = 8080, family: str = "IPv4", name: str | None = None) -> Json:
    return {
        "kind": "EndpointSlice",
        "metadata": {"namespace": "shop", "name": "web-1", "labels": {"kubernetes.io/service-name": "web"}},
        "addressType": family,
        "ports": [{"port": port, **({"name": name} if name else {})}],
        "endpoints": list(endpoints),
    }


def endpoint(name: str, address: str, *, terminating: bool = False, **conditions: bool) -> Json:
    return {
        "addresses": [address],
        "conditions": {**conditions, "terminating": terminating},
        "targetRef": {"kind": "Pod", "name": name},
    }


def pods_of(*objects: Json, fail_open: bool = True) -> list[Target]:
    return sorted(of_pods(binding(), Cluster(a_service(), *objects), fail_open=fail_open).targets)


def test_ready_endpoints_are_targets() -> None:
    found = pods_of(slice_of(endpoint("a", "10.0.0.1", ready=True)), pod("a"), node())
    assert found == [Target("10.0.0.1", 8080)]


def test_a_pod_whose_containers_are_ready_is_a_target_before_its_gate_lets_it_be_ready() -> None:
    waiting = slice_of(endpoint("a", "10.0.0.1", ready=False))
    assert pods_of(waiting, pod("a"), node()) == [Target("10.0.0.1", 8080)]
    assert pods_of(waiting, pod("a", containers_ready=False), node()) == []


def test_a_terminating_pod_is_no_target() -> None:
    assert pods_of(slice_of(endpoint("a", "10.0.0.1", ready=False, terminating=True)), pod("a"), node()) == []


def test_pods_on_nodes_nothing_is_known_of_are_targets_if_there_are_no_others() -> None:
    lost = slice_of(endpoint("a", "10.0.0.1", ready=False))
    assert pods_of(lost, pod("a"), node(ready="Unknown")) == [Target("10.0.0.1", 8080)]
    assert pods_of(lost, pod("a"), node(ready="Unknown"), fail_open=False) == []
    both = slice_of(endpoint("a", "10.0.0.1", ready=False), endpoint("b", "10.0.0.2", ready=True))
    assert pods_of(both, pod("a"), pod("b", node="n2"), node(ready="Unknown"), node("n2")) == [Target("10.0.0.2", 8080)]


def test_an_endpoint_whose_pod_is_not_known_yet_is_waited_for() -> None:
    found = of_pods(binding(), Cluster(a_service(), slice_of(endpoint("a", "10.0.0.1"))), fail_open=True)
    assert found.waiting
    assert not found.targets


def test_a_named_service_port_takes_the_slices_port_of_that_name() -> None:
    ports = [{"name": "http", "port": 80, "targetPort": "http"}]
    one = slice_of(endpoint("a", "10.0.0.1"), port=8081, name="http")
    two = slice_of(endpoint("a", "10.0.0.1"), port=9000, name="metrics")
    cluster = Cluster(a_service(ports=ports), one, two, pod("a"), node())
    assert list(of_pods(binding(port="http"), cluster, fail_open=True).targets) == [Target("10.0.0.1", 8081)]


@pytest.mark.parametrize("objects", [(), (a_service(port=81),)])
def test_a_missing_service_or_port_is_no_backend(objects: tuple[Json, ...]) -> None:
    with pytest.raises(BackendMissingError):
        of_pods(binding(), Cluster(*objects), fail_open=True)


def test_nodes_that_are_ready_and_take_traffic_are_targets() -> None:
    excluded = "node.kubernetes.io/exclude-from-external-load-balancers"
    nodes = [
        node("good"),
        node("bad", ready="False"),
        node("out", labels={excluded: ""}),
        node("fargate", labels={"eks.amazonaws.com/compute-type": "fargate"}),
        node("going", taints=[{"key": "ToBeDeletedByClusterAutoscaler"}]),
    ]
    found = of_nodes(binding("instance"), Cluster(a_service(), *nodes), fail_open=True)
    assert list(found.targets) == [Target("i-good", 31080)]


def test_a_node_selector_narrows_the_nodes() -> None:
    nodes = [node("web", labels={"role": "web"}), node("db", labels={"role": "db"})]
    chosen = binding("instance", nodeSelector={"matchLabels": {"role": "web"}})
    assert list(of_nodes(chosen, Cluster(a_service(), *nodes), fail_open=True).targets) == [Target("i-web", 31080)]


def test_a_service_without_node_ports_has_no_node_targets() -> None:
    with pytest.raises(ModelError, match="'NodePort' or 'LoadBalancer'"):
        of_nodes(binding("instance"), Cluster(a_service(type="ClusterIP"), node()), fail_open=True)
