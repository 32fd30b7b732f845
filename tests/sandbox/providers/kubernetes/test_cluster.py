"""The provider against a real control plane: the life of objects."""

import asyncio
import threading
from pathlib import Path
from typing import Any

import pytest

from sandbox.providers.common.server import ProviderError, UnfinishedError
from sandbox.providers.common.values import UNKNOWN
from sandbox.providers.kubernetes.chart.crds import definitions
from sandbox.providers.kubernetes.kinds import Kind, is_namespaced
from tests.sandbox.providers.kubernetes.conftest import ControlPlane, Engine, kubeconfig

pytestmark = pytest.mark.sandbox

CONFIG_MAP = "kubernetes:core/v1:ConfigMap"
DEPLOYMENT = "kubernetes:apps/v1:Deployment"
NAMESPACE = "kubernetes:core/v1:Namespace"
SECRET = "kubernetes:core/v1:Secret"
SERVICE = "kubernetes:core/v1:Service"
CRD = "kubernetes:apiextensions.k8s.io/v1:CustomResourceDefinition"


def deployment(namespace: str, *, name: str | None = None, **spec: Any) -> dict[str, Any]:
    container = {"name": "c", "image": "nginx", "resources": {"requests": {"cpu": "0.5"}}}
    return {
        "metadata": {"namespace": namespace, **({"name": name} if name else {})},
        "spec": {
            "replicas": 1,
            "selector": {"matchLabels": {"app": "a"}},
            "template": {"metadata": {"labels": {"app": "a"}}, "spec": {"containers": [container]}},
            **spec,
        },
    }


def unawaited(inputs: dict[str, Any]) -> dict[str, Any]:
    annotations = {**inputs["metadata"].get("annotations", {}), "pulumi.com/skipAwait": "true"}
    return {**inputs, "metadata": {**inputs["metadata"], "annotations": annotations}}


def test_an_object_without_a_name_gets_one_made_of_its_resources(engine: Engine, namespace: str) -> None:
    made = engine.create(CONFIG_MAP, "settings", metadata={"namespace": namespace}, data={"a": "1"})
    name = made["metadata"]["name"]
    assert made.id == f"{namespace}/{name}"
    prefix, _, digits = name.rpartition("-")
    assert prefix == "settings"
    assert len(digits) == 8
    assert made["metadata"]["annotations"] == {"pulumi.com/autonamed": "true"}


def test_a_made_up_name_stays_as_long_as_the_object_does(engine: Engine, namespace: str) -> None:
    made = engine.create(CONFIG_MAP, "settings", metadata={"namespace": namespace}, data={"a": "1"})
    assert engine.diff(made, metadata={"namespace": namespace}, data={"a": "1"}).changes is False
    found = engine.diff(made, metadata={"namespace": namespace}, data={"a": "2"})
    assert found.replaces == ["data.a"]
    assert not found.delete_before_replace


def test_a_given_name_must_be_free_before_the_new_object_takes_it(engine: Engine, namespace: str) -> None:
    metadata = {"namespace": namespace, "name": "x"}
    made = engine.create(CONFIG_MAP, "settings", metadata=metadata, data={"a": "1"})
    assert engine.diff(made, metadata=metadata, data={"a": "2"}).delete_before_replace
    assert not engine.diff(made, metadata={**metadata, "name": "y"}, data={"a": "1"}).delete_before_replace


def test_apply_is_by_a_manager_that_pulumis_state_knows(
    engine: Engine, namespace: str, control_plane: ControlPlane
) -> None:
    made = engine.create(CONFIG_MAP, "settings", metadata={"namespace": namespace}, data={"a": "1"})
    managers = control_plane.kubectl(
        "-n",
        namespace,
        "get",
        "configmap",
        made["metadata"]["name"],
        "-o",
        "jsonpath={.metadata.managedFields[*].manager}",
    )
    assert managers == made["__fieldManager"]
    assert managers.startswith("pulumi-kubernetes-")


def test_an_interrupted_create_can_be_repeated(engine: Engine, namespace: str) -> None:
    inputs = engine.checked(CONFIG_MAP, "settings", metadata={"namespace": namespace, "name": "x"}, data={"a": "1"})
    first = engine.run(engine.creating(CONFIG_MAP, "settings", inputs))
    assert engine.run(engine.creating(CONFIG_MAP, "settings", inputs))["metadata"]["uid"] == first["metadata"]["uid"]


def test_an_object_that_another_made_is_not_taken_over_unless_the_provider_may(
    engine: Engine, namespace: str, control_plane: ControlPlane
) -> None:
    control_plane.kubectl("-n", namespace, "create", "configmap", "theirs", "--from-literal=a=1")
    inputs: dict[str, Any] = {"metadata": {"namespace": namespace, "name": "theirs"}, "data": {"b": "2"}}
    with pytest.raises(ProviderError, match="ConfigMap theirs exists and is not this resource's: give another name"):
        engine.create(CONFIG_MAP, "settings", **inputs)
    generous = Engine({**engine.config, "upsertExistingObjects": "true"})
    assert generous.create(CONFIG_MAP, "settings", **inputs)["data"] == {"a": "1", "b": "2"}
    generous.close()


def test_a_preview_shows_the_servers_defaults_and_makes_nothing(
    engine: Engine, namespace: str, control_plane: ControlPlane
) -> None:
    shown = engine.preview(DEPLOYMENT, "d", **deployment(namespace, name="d"))
    assert shown["spec"]["revisionHistoryLimit"] == 10
    assert "status" not in shown
    assert control_plane.kubectl("-n", namespace, "get", "deployments", "-o", "name") == ""


def test_a_preview_reports_what_the_server_would_refuse(engine: Engine, namespace: str) -> None:
    wrong = deployment(namespace, name="d", replicas=-1)
    with pytest.raises(ProviderError, match=r"spec\.replicas: Invalid value: -1"):
        engine.preview(DEPLOYMENT, "d", **wrong)


@pytest.mark.parametrize("missing", ["namespace", "kind", "known value"])
def test_a_preview_shows_the_inputs_where_the_cluster_cannot_say(engine: Engine, namespace: str, missing: str) -> None:
    inputs: dict[str, Any] = {"metadata": {"namespace": namespace, "name": "x"}, "data": {"a": "1"}}
    token = CONFIG_MAP
    if missing == "namespace":
        inputs["metadata"] = {"namespace": "not-yet", "name": "x"}
    elif missing == "kind":
        token = "kubernetes:example.com/v1:Thing"
    else:
        inputs["data"] = {"a": UNKNOWN}
    shown = engine.preview(token, "x", **inputs)
    assert shown["data"] == inputs["data"]
    assert shown["metadata"]["uid"] is UNKNOWN


def test_a_field_that_does_not_exist_is_refused_by_name(engine: Engine, namespace: str) -> None:
    with pytest.raises(ProviderError, match=r"\.spec\.replica: field not declared in schema"):
        engine.create(DEPLOYMENT, "d", **deployment(namespace, replica=1))


def test_another_spelling_of_the_same_value_is_no_change(engine: Engine, namespace: str) -> None:
    inputs = unawaited(deployment(namespace, name="d"))
    made = engine.create(DEPLOYMENT, "d", **inputs)
    assert made["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] == "500m"
    assert engine.diff(made, **inputs).changes is False
    respelled = unawaited(deployment(namespace, name="d"))
    respelled["spec"]["template"]["spec"]["containers"][0]["resources"]["requests"]["cpu"] = "500m"
    assert engine.diff(made, **respelled).changes is False
    more = unawaited(deployment(namespace, name="d", replicas=2))
    found = engine.diff(made, **more)
    assert (found.changes, found.replaces, list(found.detailed_diff)) == (True, [], ["spec.replicas"])


def test_a_selector_cannot_change_in_place(engine: Engine, namespace: str) -> None:
    made = engine.create(DEPLOYMENT, "d", **unawaited(deployment(namespace, name="d")))
    other = unawaited(deployment(namespace, name="d", selector={"matchLabels": {"app": "a", "b": "c"}}))
    found = engine.diff(made, **other)
    assert found.replaces == ["spec.selector.matchLabels.b"]
    assert found.delete_before_replace


def test_what_leaves_the_program_leaves_the_object(engine: Engine, namespace: str) -> None:
    metadata = {"namespace": namespace, "name": "s"}
    spec = {"ports": [{"port": 80}], "clusterIP": "None"}
    made = engine.create(SERVICE, "s", metadata={**metadata, "labels": {"a": "1", "b": "2"}}, spec=spec)
    changed = engine.update(made, metadata={**metadata, "labels": {"b": "2"}}, spec=spec)
    assert changed["metadata"]["labels"] == {"b": "2"}


def test_the_default_namespace_said_aloud_is_no_change(engine: Engine, control_plane: ControlPlane) -> None:
    made = engine.create(CONFIG_MAP, "aloud", data={"a": "1"})
    try:
        assert made["metadata"]["namespace"] == "default"
        assert engine.diff(made, metadata={"namespace": "default"}, data={"a": "1"}).changes is False
    finally:
        engine.delete(made)
    assert control_plane.kubectl("get", "configmap", made["metadata"]["name"], "--ignore-not-found") == ""


def test_the_providers_namespace_is_for_what_names_none_and_has_one(engine: Engine, namespace: str) -> None:
    placed = Engine({**engine.config, "namespace": namespace})
    made = placed.create(CONFIG_MAP, "x", data={"a": "1"})
    assert made["metadata"]["namespace"] == namespace
    everywhere = placed.create("kubernetes:rbac.authorization.k8s.io/v1:ClusterRole", "x", rules=[])
    assert "namespace" not in everywhere["metadata"]
    placed.delete(everywhere)
    placed.close()


def test_a_conflict_names_field_and_manager_and_the_way_out(
    engine: Engine, namespace: str, control_plane: ControlPlane
) -> None:
    made = engine.create(DEPLOYMENT, "d", **unawaited(deployment(namespace, name="d")))
    patch = ("-n", namespace, "patch", "deployment", "d", "--field-manager=autoscaler", "-p")
    control_plane.kubectl(*patch, '{"spec": {"replicas": 3}}')
    with pytest.raises(ProviderError) as found:
        engine.update(made, **unawaited(deployment(namespace, name="d", replicas=2)))
    said = str(found.value)
    assert 'conflict with "autoscaler"' in said
    assert ".spec.replicas" in said
    assert 'pulumi.com/patchForce: "true"' in said
    assert "\n" not in said
    forced = unawaited(deployment(namespace, name="d", replicas=2))
    forced["metadata"]["annotations"]["pulumi.com/patchForce"] = "true"
    assert engine.update(made, **forced)["spec"]["replicas"] == 2


def test_what_kubectl_scaled_is_taken_back_with_a_warning(
    engine: Engine, namespace: str, control_plane: ControlPlane
) -> None:
    made = engine.create(DEPLOYMENT, "d", **unawaited(deployment(namespace, name="d")))
    control_plane.kubectl("-n", namespace, "scale", "deployment", "d", "--replicas=3")
    assert engine.update(made, **unawaited(deployment(namespace, name="d", replicas=2)))["spec"]["replicas"] == 2
    assert ["which pulumi-kubernetes would refuse" in line for line in engine.log.lines] == [True]


def test_what_kubectl_edited_is_taken_back(engine: Engine, namespace: str, control_plane: ControlPlane) -> None:
    made = engine.create(DEPLOYMENT, "d", **unawaited(deployment(namespace, name="d")))
    control_plane.kubectl("-n", namespace, "patch", "deployment", "d", "-p", '{"spec": {"replicas": 3}}')
    assert engine.update(made, **unawaited(deployment(namespace, name="d", replicas=2)))["spec"]["replicas"] == 2


def test_an_ignored_field_is_left_to_its_manager(engine: Engine, namespace: str, control_plane: ControlPlane) -> None:
    made = engine.create(DEPLOYMENT, "d", **unawaited(deployment(namespace, name="d")))
    control_plane.kubectl("-n", namespace, "scale", "deployment", "d", "--replicas=3")
    inputs = unawaited(deployment(namespace, name="d", replicas=1, minReadySeconds=5))
    assert list(engine.diff(made, ignore=("spec.replicas",), **inputs).detailed_diff) == ["spec.minReadySeconds"]
    changed = engine.update(made, ignore=("spec.replicas",), **inputs)
    assert (changed["spec"]["replicas"], changed["spec"]["minReadySeconds"]) == (3, 5)


def test_a_refresh_finds_drift_in_what_the_program_set_and_only_there(
    engine: Engine, namespace: str, control_plane: ControlPlane
) -> None:
    inputs = unawaited(deployment(namespace, name="d"))
    made = engine.create(DEPLOYMENT, "d", **inputs)
    assert engine.read(made).inputs == made.inputs
    control_plane.kubectl("-n", namespace, "label", "deployment", "d", "not=ours")
    control_plane.kubectl("-n", namespace, "scale", "deployment", "d", "--replicas=3")
    now = engine.read(made)
    assert list(engine.diff(now, **inputs).detailed_diff) == ["spec.replicas"]


def test_an_object_that_is_gone_has_no_id(engine: Engine, namespace: str, control_plane: ControlPlane) -> None:
    made = engine.create(CONFIG_MAP, "x", metadata={"namespace": namespace}, data={"a": "1"})
    control_plane.kubectl("-n", namespace, "delete", "configmap", made["metadata"]["name"])
    assert engine.read(made).id == ""
    with pytest.raises(ProviderError, match="is gone: run `pulumi refresh`"):
        engine.update(made, metadata={"namespace": namespace, "labels": {"a": "b"}}, data={"a": "1"})
    engine.delete(made)


def test_an_imported_object_has_no_changes(engine: Engine, namespace: str, control_plane: ControlPlane) -> None:
    control_plane.kubectl("-n", namespace, "create", "service", "clusterip", "s", "--tcp=80:8080")
    found = engine.get(SERVICE, f"{namespace}/s")
    inputs = {key: engine.get(SERVICE, f"{namespace}/s")[key] for key in ("spec",)}
    assert (
        engine.diff(found, metadata={"namespace": namespace, "name": "s", "labels": {"app": "s"}}, **inputs).changes
        is False
    )


def test_a_deletion_ends_when_the_object_is_gone(engine: Engine, namespace: str, control_plane: ControlPlane) -> None:
    made = engine.create(CONFIG_MAP, "x", metadata={"namespace": namespace, "name": "x"}, data={"a": "1"})
    finalizers = ("-n", namespace, "patch", "configmap", "x", "-p")
    control_plane.kubectl(*finalizers, '{"metadata": {"finalizers": ["example.com/hold"]}}')
    released = threading.Event()

    def release() -> None:
        control_plane.kubectl("-n", namespace, "wait", "configmap/x", "--for=jsonpath={.metadata.deletionTimestamp}")
        released.set()
        control_plane.kubectl(*finalizers, '{"metadata": {"finalizers": null}}')

    releasing = threading.Thread(target=release)
    releasing.start()
    engine.delete(made)
    assert released.is_set()
    releasing.join()
    assert control_plane.kubectl("-n", namespace, "get", "configmap", "x", "--ignore-not-found") == ""


def test_a_deletion_that_hangs_names_the_finalizers(
    engine: Engine, namespace: str, control_plane: ControlPlane
) -> None:
    made = engine.create(CONFIG_MAP, "x", metadata={"namespace": namespace, "name": "x"}, data={"a": "1"})
    control_plane.kubectl(
        "-n", namespace, "patch", "configmap", "x", "-p", '{"metadata": {"finalizers": ["example.com/hold"]}}'
    )
    with pytest.raises(
        ProviderError, match=r"was not deleted: not within 1 s: x is still there, held by .*example\.com/hold"
    ):
        engine.delete(made, timeout=1)
    control_plane.kubectl("-n", namespace, "patch", "configmap", "x", "-p", '{"metadata": {"finalizers": null}}')
    engine.delete(made)


def test_a_recreated_object_waits_until_its_predecessor_is_gone(
    engine: Engine, namespace: str, control_plane: ControlPlane
) -> None:
    metadata = {"namespace": namespace, "name": "x"}
    first = engine.create(CONFIG_MAP, "x", metadata=metadata, data={"a": "1"})
    hold = ("-n", namespace, "patch", "configmap", "x", "-p")
    control_plane.kubectl(*hold, '{"metadata": {"finalizers": ["example.com/hold"]}}')
    control_plane.kubectl("-n", namespace, "delete", "configmap", "x", "--wait=false")
    inputs = engine.checked(CONFIG_MAP, "x", metadata=metadata, data={"a": "2"})

    async def both() -> Any:
        creating = asyncio.create_task(engine.creating(CONFIG_MAP, "x", inputs))
        await engine.log.said("x is still there")
        assert not creating.done()
        await asyncio.to_thread(control_plane.kubectl, *hold, '{"metadata": {"finalizers": null}}')
        return await creating

    second = engine.run(both())
    assert second["data"] == {"a": "2"}
    assert second["metadata"]["uid"] != first["metadata"]["uid"]


def test_a_deployment_is_awaited_until_its_pods_are_ready(
    engine: Engine, namespace: str, control_plane: ControlPlane
) -> None:
    # The endpoint slice controller leaves out pods of nodes that do not exist.
    control_plane.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node"}})
    on_it = deployment(namespace, name="d")
    on_it["spec"]["template"]["spec"]["nodeName"] = "node"
    inputs = engine.checked(DEPLOYMENT, "d", **on_it)
    service = engine.checked(
        SERVICE,
        "s",
        metadata={"namespace": namespace, "name": "s"},
        spec={"selector": {"app": "a"}, "ports": [{"port": 80}]},
    )

    async def both() -> Any:
        work = [
            asyncio.create_task(engine.creating(DEPLOYMENT, "d", inputs)),
            asyncio.create_task(engine.creating(SERVICE, "s", service)),
        ]
        await asyncio.to_thread(_run_the_pods, control_plane, namespace, work)
        return await asyncio.gather(*work)

    made, served = engine.run(both())
    assert made["status"]["availableReplicas"] == 1
    assert served["spec"]["clusterIP"]


def _run_the_pods(control_plane: ControlPlane, namespace: str, work: list[Any]) -> None:
    """Does what a kubelet does, once there are pods; nothing that is awaited may have come to its end before."""
    pods: list[str] = []
    while not pods:
        pods = control_plane.kubectl("-n", namespace, "get", "pods", "-o", "jsonpath={.items[*].metadata.name}").split()
    assert not any(task.done() for task in work)
    for number, pod in enumerate(pods):
        ready = [{"type": "Ready", "status": "True"}]
        status = {"phase": "Running", "podIP": f"10.0.0.{number + 1}", "podIPs": [{"ip": f"10.0.0.{number + 1}"}]}
        control_plane.status("pod", pod, namespace, {**status, "conditions": ready})


def test_what_is_not_ready_in_time_is_kept_with_what_it_lacks(engine: Engine, namespace: str) -> None:
    with pytest.raises(UnfinishedError) as found:
        engine.create(DEPLOYMENT, "d", 1, **deployment(namespace, name="d"))
    assert str(found.value).startswith(f"Deployment {namespace}/d exists and is not ready, not within 1 s: ")
    assert "0 of 1 replicas are available" in str(found.value)
    assert found.value.resource_id == f"{namespace}/d"
    assert "spec" in found.value.state


def test_the_engines_cancel_ends_what_waits(engine: Engine, namespace: str) -> None:
    inputs = engine.checked(DEPLOYMENT, "d", **deployment(namespace, name="d"))

    async def cancelled() -> None:
        creating = asyncio.create_task(engine.creating(DEPLOYMENT, "d", inputs))
        await engine.log.said("replicas are available")
        await engine.provider.cancel()
        await creating

    with pytest.raises(UnfinishedError, match="interrupted: "):
        engine.run(cancelled())


def test_an_object_waits_for_the_crd_that_the_same_update_makes(engine: Engine, control_plane: ControlPlane) -> None:
    binding = next(one for one in definitions() if one["spec"]["names"]["kind"] == "IngressClassParams")
    crd = engine.checked(CRD, "crd", **binding)
    token = "kubernetes:elbv2.k8s.aws/v1beta1:IngressClassParams"
    params = engine.checked(token, "params", metadata={"name": "x"}, spec={"scheme": "internal"})

    async def both() -> Any:
        first = asyncio.create_task(engine.creating(token, "params", params))
        await engine.log.said("no CRD makes")
        await engine.creating(CRD, "crd", crd)
        return await first

    made = engine.run(both())
    assert made["spec"] == {"scheme": "internal"}
    assert engine.preview(token, "other", metadata={"name": "y"})["metadata"]["uid"]
    with pytest.raises(ProviderError, match='Unsupported value: "sideways"'):
        engine.preview(token, "other", metadata={"name": "y"}, spec={"scheme": "sideways"})
    control_plane.kubectl("delete", "crd", "ingressclassparams.elbv2.k8s.aws")
    assert engine.read(made).id == ""
    engine.delete(made)


def test_the_charts_crds_are_ones_that_the_api_server_takes_and_establishes(engine: Engine) -> None:
    made = [engine.create(CRD, one["metadata"]["name"], **one) for one in definitions()]
    for one in made:
        assert not [entry for entry in one["status"]["conditions"] if entry["type"] == "NonStructuralSchema"]
        engine.delete(one)


def test_a_namespace_that_is_made_meanwhile_is_waited_for(engine: Engine, control_plane: ControlPlane) -> None:
    inputs = engine.checked(CONFIG_MAP, "x", metadata={"namespace": "meanwhile", "name": "x"}, data={"a": "1"})

    async def both() -> Any:
        first = asyncio.create_task(engine.creating(CONFIG_MAP, "x", inputs))
        await engine.log.said("no namespace meanwhile")
        await asyncio.to_thread(control_plane.kubectl, "create", "namespace", "meanwhile")
        return await first

    assert engine.run(both()).id == "meanwhile/x"
    control_plane.kubectl("delete", "namespace", "meanwhile", "--wait=false")


def test_a_secrets_data_is_secret_in_the_state(engine: Engine, namespace: str) -> None:
    made = engine.create(SECRET, "s", metadata={"namespace": namespace}, stringData={"a": "x"})
    assert made.state["data"].is_secret
    assert made["data"] == {"a": "eA=="}
    assert engine.diff(engine.read(made), metadata={"namespace": namespace}, stringData={"a": "x"}).changes is False


def test_a_field_manager_that_is_given_replaces_the_one_before(
    engine: Engine, namespace: str, control_plane: ControlPlane
) -> None:
    metadata = {"namespace": namespace, "name": "x"}
    made = engine.create(CONFIG_MAP, "x", metadata=metadata, data={"a": "1"})
    named = {**metadata, "annotations": {"pulumi.com/patchFieldManager": "me"}}
    engine.update(made, metadata=named, data={"a": "1"})
    managers = control_plane.kubectl(
        "-n", namespace, "get", "configmap", "x", "-o", "jsonpath={.metadata.managedFields[*].manager}"
    )
    assert managers == "me"


def test_wrong_inputs_are_refused_before_anything_is_made(engine: Engine, namespace: str) -> None:
    response = engine.check(
        CONFIG_MAP,
        "x",
        kind="Secret",
        metadata={"namespace": namespace, "generateName": "x-", "annotations": {"pulumi.com/skipAwayt": "true"}},
    )
    assert {failure.property for failure in response.failures or ()} == {
        'metadata.annotations["pulumi.com/skipAwayt"]',
        "kind",
        "metadata.generateName",
    }


def test_one_who_may_not_is_told_so_in_one_line(control_plane: ControlPlane, namespace: str) -> None:
    port = int(control_plane.kubeconfig.read_text().split("127.0.0.1:")[1].split("\n")[0])
    guest = Engine({"kubeconfig": kubeconfig(port, "guest")})
    with pytest.raises(ProviderError, match=r"configmaps .* is forbidden") as found:
        guest.create(CONFIG_MAP, "x", metadata={"namespace": namespace, "name": "x"}, data={"a": "1"})
    assert "\n" not in str(found.value)
    guest.close()


def test_a_cluster_that_is_gone_is_said_to_be_and_can_be_forgotten(engine: Engine, namespace: str) -> None:
    made = engine.create(CONFIG_MAP, "x", metadata={"namespace": namespace, "name": "x"}, data={"a": "1"})
    gone = Engine({"kubeconfig": kubeconfig(1)})
    for ask in (gone.read, gone.delete):
        with pytest.raises(ProviderError, match=r"does not answer: .*PULUMI_K8S_DELETE_UNREACHABLE=true"):
            ask(made)
    assert gone.preview(CONFIG_MAP, "y", data={"a": "1"})["data"] == {"a": "1"}
    gone.close()
    forgetful = Engine({"kubeconfig": kubeconfig(1), "deleteUnreachable": "true"})
    assert forgetful.read(made).id == ""
    forgetful.delete(made)
    forgetful.close()
    patient = Engine({"kubeconfig": kubeconfig(1), "skipUpdateUnreachable": "true"})
    assert patient.read(made).id == made.id
    patient.close()


def test_credentials_come_from_a_command_and_are_asked_for_once(
    control_plane: ControlPlane, namespace: str, tmp_path: Path
) -> None:
    calls, script = tmp_path / "calls", tmp_path / "token"
    script.write_text(
        f"#!/bin/sh\necho called >> {calls}\n"
        'echo \'{"apiVersion": "client.authentication.k8s.io/v1", "kind": "ExecCredential",'
        ' "status": {"token": "admin-token", "expirationTimestamp": "2099-01-01T00:00:00Z"}}\'\n'
    )
    script.chmod(0o755)
    text = control_plane.kubeconfig.read_text().replace("token: admin-token", f"exec: {{command: {script}}}")
    engine = Engine({"kubeconfig": text})
    metadata = {"namespace": namespace, "name": "x"}
    engine.delete(engine.create(CONFIG_MAP, "x", metadata=metadata, data={"a": "1"}))
    assert calls.read_text().split() == ["called"]
    engine.close()


def test_what_is_known_of_built_in_kinds_is_what_the_cluster_says(control_plane: ControlPlane) -> None:
    listed = control_plane.kubectl("api-resources", "--no-headers", "--verbs=get")
    for line in listed.splitlines():
        *_, api_version, namespaced, name = line.split()
        group, _, version = api_version.rpartition("/")
        assert is_namespaced(Kind(group, version, name)) in (None, namespaced == "true"), line


def test_what_the_server_warns_of_is_said_once_and_can_be_silenced(engine: Engine, namespace: str) -> None:
    old = "kubernetes:core/v1:Endpoints"
    engine.create(old, "a", metadata={"namespace": namespace})
    engine.create(old, "b", metadata={"namespace": namespace})
    assert ["Endpoints is deprecated" in line for line in engine.log.lines] == [True]
    silent = Engine({**engine.config, "suppressDeprecationWarnings": "true"})
    silent.create(old, "c", metadata={"namespace": namespace})
    assert silent.log.lines == []
    silent.close()


def test_a_hook_is_made_with_a_warning(engine: Engine, namespace: str) -> None:
    hook = {"namespace": namespace, "annotations": {"helm.sh/hook": "pre-install"}}
    engine.create(CONFIG_MAP, "a", metadata=hook, data={"a": "1"})
    assert ["is a Helm hook" in line for line in engine.log.lines] == [True]


def test_a_job_that_did_not_end_well_is_replaced_where_it_asks_for_that(engine: Engine, namespace: str) -> None:
    job = "kubernetes:batch/v1:Job"
    metadata = {
        "namespace": namespace,
        "annotations": {"pulumi.com/replaceUnready": "true", "pulumi.com/skipAwait": "true"},
    }
    pod = {"restartPolicy": "Never", "containers": [{"name": "c", "image": "i"}]}
    made = engine.create(job, "j", metadata=metadata, spec={"template": {"spec": pod}})
    found = engine.diff(made, metadata=metadata, spec={"template": {"spec": pod}})
    assert found.replaces == ['metadata.annotations["pulumi.com/replaceUnready"]']
    plain = {"namespace": namespace, "annotations": {"pulumi.com/skipAwait": "true"}}
    other = engine.create(job, "other", metadata=plain, spec={"template": {"spec": pod}})
    assert engine.diff(other, metadata=plain, spec={"template": {"spec": pod}}).changes is False


def test_a_built_in_kind_that_there_is_not_is_not_waited_for(engine: Engine, namespace: str) -> None:
    with pytest.raises(ProviderError, match="the cluster does not know apps/v1 Deploymnt: look for a misspelling"):
        engine.create("kubernetes:apps/v1:Deploymnt", "d", **deployment(namespace))
    assert engine.log.lines == []
