"""Gateways, GatewayClasses and configurations: from an object that changed to AWS and back to its status."""

from collections.abc import Callable, Collection

from botocore.exceptions import ClientError

from sandbox.controller.gateway import status
from sandbox.controller.gateway.attachment import Attachment
from sandbox.controller.gateway.balancer import WEB_ACL, build, stack_id
from sandbox.controller.gateway.flavors import CLASS_FINALIZER, CONFIGURATION_FINALIZERS, Flavor
from sandbox.controller.gateway.listeners import ports
from sandbox.controller.gateway.parameters import Parameters, of_gateway, referenced
from sandbox.controller.gateway.plan import Plan, plan
from sandbox.controller.gateway.unsupported import idle_fields, idle_parameters
from sandbox.controller.gateway.users import users
from sandbox.controller.kube import Kube, KubeError
from sandbox.controller.model.objects import Key, annotations, deleting, finalizers, key, name_of
from sandbox.controller.model.stack import Json, ModelError, Stack, StackId
from sandbox.controller.queue import Later
from sandbox.controller.reconcilers import Shared
from sandbox.controller.settings import Settings

_PROVISIONING_SECONDS, _SECRET_SECONDS = 5.0, 30.0
_SEE_EVENTS = "the Gateway's Events say why"
Work = tuple[str, str, str]
"""Kind, namespace and name of a class or configuration."""


def write_status(kube: Kube, obj: Json, make: Callable[[Json], Json]) -> None:
    """Write a status made from the object, if it is not there yet; several may write one route's at once."""
    while True:
        current = obj.get("status") or {}
        wanted = status.dated(make(obj), current)
        if all(current.get(field) == value for field, value in wanted.items()):
            return
        body = {"metadata": {"resourceVersion": obj["metadata"]["resourceVersion"]}, "status": wanted}
        try:
            kube.patch(obj["kind"], *key(obj), body, "status")
        except KubeError as error:
            if error.missing:
                return
            if not error.conflict:
                raise
            try:
                obj = kube.get(obj["kind"], *key(obj))
            except KubeError as gone:
                if gone.missing:
                    return
                raise
        else:
            return


class GatewayReconciler:
    """Brings one Gateway after the other of one flavor up to date."""

    def __init__(
        self,
        flavor: Flavor,
        shared: Shared,
        settings: Settings,
        watch_secrets: Callable[[StackId, frozenset[Key]], None],
    ) -> None:
        """`watch_secrets(stack, names)` keeps an eye on the Secrets that a Gateway was made with."""
        self._flavor, self._shared, self._settings = flavor, shared, settings
        self._watch_secrets = watch_secrets

    def reconcile(self, where: Key) -> None:
        """Bring a Gateway up to date."""
        store = self._shared.store
        gateway = store.get("Gateway", *where)
        if gateway is None:
            return
        gateway_class = store.get("GatewayClass", "", gateway["spec"]["gatewayClassName"])
        if deleting(gateway):
            self._leave(gateway, gateway_class)
            return
        if gateway_class is None or gateway_class["spec"]["controllerName"] != self._flavor.controller:
            return
        try:
            parameters = of_gateway(gateway, gateway_class, store)
        except ModelError as error:
            # What is missing asks for work when it comes: there is nothing to try again.
            self._failed(gateway, str(error))
            return
        try:
            self._update(gateway, parameters)
        except (ModelError, ClientError):
            self._failed(gateway, _SEE_EVENTS)
            raise

    def _update(self, gateway: Json, parameters: Parameters) -> None:
        shared, identity = self._shared, stack_id(self._flavor, key(gateway))
        read = self._read(gateway, parameters)
        self._tell_routes(read)
        self._report_unused(gateway, read)
        stack = self._build(gateway, read)
        shared.finalizer("Gateway", [gateway], self._flavor.finalizer, present=True)
        shared.backend.note("Gateway", [gateway], uses=stack.backend_group)
        if stack.web_acl not in (None, "none"):
            self._remember_web_acl(gateway, on=True)  # before it is there: it has to be found again
        host = shared.deploy("Gateway", [gateway], stack)
        if stack.web_acl == "none":
            self._remember_web_acl(gateway, on=False)
        self._watch_secrets(identity, stack.secrets)
        if not stack.backend_group:
            shared.backend.release("Gateway", [gateway])
        active = self._tell(gateway, read, host or "")
        shared.well("Gateway", [gateway])
        if not active:
            raise Later(f"the load balancer of Gateway {name_of(gateway)} is not active yet", _PROVISIONING_SECONDS)

    def _leave(self, gateway: Json, gateway_class: Json | None) -> None:
        """A Gateway that is going: take everything away."""
        shared = self._shared
        if self._flavor.finalizer not in finalizers(gateway):
            return
        try:
            parameters = of_gateway(gateway, gateway_class, shared.store) if gateway_class else Parameters()
        except ModelError:
            parameters = Parameters()  # what it was made with is gone: that does not keep it
        stack = self._build(gateway, Plan(parameters, Attachment(), {}, ()))
        shared.deploy("Gateway", [gateway], stack)
        self._watch_secrets(stack.id, frozenset())
        shared.backend.release("Gateway", [gateway])
        shared.finalizer("Gateway", [gateway], self._flavor.finalizer, present=False)

    def _read(self, gateway: Json, parameters: Parameters) -> Plan:
        try:
            return plan(gateway, self._flavor, parameters, self._shared.store, self._settings)
        except ModelError as error:
            message = f"Failed build model due to {error}"
            self._shared.events.warning("Gateway", gateway, "FailedBuildModel", message)
            raise

    def _build(self, gateway: Json, read: Plan) -> Stack:
        shared = self._shared
        existing = shared.deployer.existing(stack_id(self._flavor, key(gateway)))
        return shared.build(
            "Gateway",
            [gateway],
            lambda: build(gateway, self._flavor, read, shared.lookup, self._settings, existing=existing),
        )

    def _failed(self, gateway: Json, message: str) -> None:
        write_status(self._shared.kube, gateway, lambda current: status.of_failed_gateway(current, message))

    def _tell_routes(self, read: Plan) -> None:
        routes = {id(outcome.route): outcome.route for outcome in read.outcomes}
        for identity, route in routes.items():
            mine = [outcome for outcome in read.outcomes if id(outcome.route) == identity]
            write_status(self._shared.kube, route, lambda now, mine=mine: status.of_route(now, mine, self._flavor))

    def _tell(self, gateway: Json, read: Plan, host: str) -> bool:
        """Write the statuses of Gateway and ListenerSets; whether the load balancer is active."""
        kube, attachment = self._shared.kube, read.attachment
        found = self._shared.deployer.balancer(stack_id(self._flavor, key(gateway))) or {}
        active = (found.get("State") or {}).get("Code") == "active"
        balancer = status.Balancer(found.get("LoadBalancerArn", ""), host, active)
        write_status(kube, gateway, lambda _: status.of_gateway(gateway, attachment, balancer, self._settings))
        for owner in attachment.owners:
            if owner is not gateway:
                listeners = attachment.of(owner)
                write_status(kube, owner, lambda o, ls=listeners: status.of_listener_set(o, ls, active=active))
        for one in attachment.rejected:
            write_status(kube, one, status.of_rejected_set)
        return active

    def _remember_web_acl(self, gateway: Json, *, on: bool) -> None:
        if (annotations(gateway).get(WEB_ACL) == "true") != on:
            body = {"metadata": {"annotations": {WEB_ACL: str(on).lower()}}}
            self._shared.kube.patch("Gateway", *key(gateway), body)

    def _report_unused(self, gateway: Json, read: Plan) -> None:
        """Say on the Gateway which fields, its own and of what it is made from, change nothing."""
        for obj in (gateway, *read.attachment.owners[1:], *read.used()):
            for field in idle_fields(obj):
                self._unused(gateway, f"{obj['kind']} {name_of(obj)}: {field}")
        for field in idle_parameters(read.parameters.spec, self._flavor, ports(read.attachment)):
            self._unused(gateway, f"LoadBalancerConfiguration of {name_of(gateway)}: {field}")

    def _unused(self, gateway: Json, field: str) -> None:
        self._shared.events.warning("Gateway", gateway, "UnsupportedField", f"{field} changes nothing")


class ConfigurationReconciler:
    """Keeps GatewayClasses and configurations: finalizers while they are used, and whether they are accepted."""

    def __init__(self, shared: Shared, controllers: Collection[str]) -> None:
        """`controllers` are the names of the flavors that run."""
        self._shared, self._controllers = shared, controllers

    def reconcile(self, work: Work) -> None:
        """Bring one up to date."""
        kind, *where = work
        obj = self._shared.store.get(kind, *where)
        if obj is None:
            return
        is_class = kind == "GatewayClass"
        if is_class and obj["spec"]["controllerName"] not in self._controllers:
            return
        finalizer = CLASS_FINALIZER if is_class else CONFIGURATION_FINALIZERS[kind]
        if deleting(obj):
            if not users(obj, self._shared.store):
                self._shared.kube.set_finalizer(kind, obj, finalizer, present=False)
            return
        self._shared.kube.set_finalizer(kind, obj, finalizer, present=True)
        if is_class:
            problem = self._class_problem(obj)
            write_status(self._shared.kube, obj, lambda current: status.of_class(current, problem))
        elif kind == "ListenerRuleConfiguration":
            self._accept(obj)

    def _class_problem(self, gateway_class: Json) -> tuple[str, str] | None:
        reference = gateway_class["spec"].get("parametersRef")
        if reference and not reference.get("namespace"):
            return "InvalidParametersRef", "parametersRef needs the namespace of the LoadBalancerConfiguration"
        try:
            referenced(reference, self._shared.store)
        except ModelError as error:
            return "NotFound", str(error)
        return None

    def _accept(self, obj: Json) -> None:
        problem = self._missing_secret(obj)
        generation = obj["metadata"].get("generation", 0)
        wanted = {"accepted": not problem, "message": problem or "Accepted", "observedGeneration": generation}
        write_status(self._shared.kube, obj, lambda _: wanted)
        if problem:
            raise Later(problem, _SECRET_SECONDS)

    def _missing_secret(self, obj: Json) -> str:
        for action in obj["spec"].get("actions") or []:
            secret = (action.get("authenticateOIDCConfig") or {}).get("secret")
            if secret:
                try:
                    self._shared.lookup.secret(key(obj)[0], secret["name"])
                except ModelError as error:
                    return str(error)
        return ""
