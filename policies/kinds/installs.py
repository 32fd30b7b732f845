"""The installation of the load balancer controller.

It is a Deployment (the rendered chart, or plain YAML) or a Helm release with its values. Both answer the same
questions.

Flags: https://kubernetes-sigs.github.io/aws-load-balancer-controller/latest/deploy/configurations/
"""

from collections.abc import Iterable, Mapping
from itertools import zip_longest
from typing import Any, Final

from kinds.kubernetes import KubernetesView, containers, objects, pod_spec
from kinds.versions import controller_of_chart
from pack.properties import Edit
from pack.resources import Resource
from pack.values import UNKNOWN, NotYetKnown, Unknown, count, dig, items, known, truth

CHART: Final = "aws-load-balancer-controller"
RELEASE: Final = "kubernetes:helm.sh/v3:Release"
_CHART_IMAGE: Final = "public.ecr.aws/eks/aws-load-balancer-controller"

# flag of the process -> value of the chart
FLAGS: Final = {
    "aws-region": "region",
    "aws-vpc-id": "vpcId",
    "aws-vpc-tags": "vpcTags",
    "cluster-name": "clusterName",
    "disable-ingress-class-annotation": "disableIngressClassAnnotation",
    "disable-ingress-group-name-annotation": "disableIngressGroupNameAnnotation",
    "default-load-balancer-scheme": "defaultLoadBalancerScheme",
    "load-balancer-class": "loadBalancerClass",
    "ingress-class": "ingressClass",
    "disable-restricted-sg-rules": "disableRestrictedSecurityGroupRules",
}


class DeployedController(KubernetesView):
    """The controller's Deployment."""

    called = "the controller's Deployment"

    @property
    def index(self) -> int:
        """Return which container is the controller's: the one with its image, otherwise the first."""
        images = [dig(one, ["image"]) for one in items(dig(pod_spec(self), ["containers"]))]
        return next((index for index, image in enumerate(images) if _is_image(image)), 0)

    @property
    def container(self) -> Any:
        """Return the controller's container."""
        candidates = items(dig(pod_spec(self), ["containers"]))
        return candidates[self.index] if candidates else None

    def flag(self, name: str) -> Any:
        """Return a flag's last value as text; unknown if it is missing and an argument is not known yet."""
        arguments = items(dig(self.container, ["command"])) + items(dig(self.container, ["args"]))
        texts = [UNKNOWN if isinstance(one, Unknown) else str(one) for one in arguments]
        for one, following in reversed(list(zip_longest(texts, texts[1:], fillvalue="-"))):
            if isinstance(one, Unknown):
                continue
            key, equals, value = one.lstrip("-").partition("=")
            if one.startswith("-") and key == name:
                bare = not isinstance(following, Unknown) and following.startswith("-")
                return value if equals else "true" if bare else following
        return UNKNOWN if len(known(texts)) < len(texts) else None

    def variable(self, name: str) -> Any:
        """Return an environment variable's value, or its source."""
        given = dig(self.container, ["env"])
        entries = [one for one in known(items(given)) if not isinstance(dig(one, ["name"]), Unknown)]
        found = (one for one in entries if dig(one, ["name"]) == name)
        entry = next(found, None)
        return dig(entry, ["value"]) or dig(entry, ["valueFrom"])

    def set_flags(self, flags: Mapping[str, str]) -> Iterable[Edit]:
        """Set flags of the process, replacing existing ones."""
        arguments = items(dig(self.container, ["args"]))
        if len(known(arguments)) < len(arguments):
            raise NotYetKnown  # an unknown value cannot be written back as it was sent
        kept = [one for one in arguments if str(one).lstrip("-").partition("=")[0] not in flags]
        place = ("spec", "template", "spec", "containers", self.index, "args")
        yield Edit(place, [*kept, *(f"--{name}={value}" for name, value in flags.items())])

    @property
    def image(self) -> Any:
        """Return the image with its tag or digest."""
        return dig(self.container, ["image"])

    @property
    def replicas(self) -> Any:
        """Return the number of replicas; Kubernetes' default is 1."""
        replicas = count(dig(self.props, ["spec", "replicas"]))
        return 1 if replicas is None else replicas

    def set_replicas(self, number: float) -> Edit:
        """Change the number of replicas."""
        return Edit(("spec", "replicas"), number)

    @property
    def spread(self) -> bool:
        """Whether anti-affinity or topology spread separates the pods."""
        spec = pod_spec(self)
        return bool(dig(spec, ["topologySpreadConstraints"]) or dig(spec, ["affinity", "podAntiAffinity"]))

    @property
    def resources(self) -> Any:
        """Return the container's requests and limits."""
        return dig(self.container, ["resources"])

    @property
    def security(self) -> dict[str, Any]:
        """Return the container's security settings, by default the pod's."""
        pod, own = (dig(one, ["securityContext"]) for one in (pod_spec(self), self.container))
        return {**_known_map(pod), **_known_map(own)}

    def set_security(self, name: str, value: Any) -> Edit:
        """Change one of the container's security settings."""
        return Edit(("spec", "template", "spec", "containers", self.index, "securityContext", name), value)

    @property
    def added_capabilities(self) -> list[Any]:
        """Return the capabilities that are added to the runtime's."""
        return items(dig(self.container, ["securityContext", "capabilities", "add"]))

    @property
    def host_network(self) -> Any:
        """Whether the pods share the node's network."""
        return truth(dig(pod_spec(self), ["hostNetwork"]))

    def leave_host_network(self) -> Edit:
        """Give the pods a network of their own."""
        return Edit(("spec", "template", "spec", "hostNetwork"), value=False)

    @property
    def selector(self) -> Any:
        """Return the pods' labels."""
        return dig(self.props, ["spec", "template", "metadata", "labels"])

    @property
    def cluster_secrets(self) -> Any:
        """Whether it may read all Secrets: a Deployment does not tell, its ClusterRole does."""
        return None


class ReleasedController(KubernetesView):
    """A Helm release of the controller's chart: its values and the chart's defaults."""

    called = "the controller's Helm release"

    @property
    def namespace(self) -> Any:
        """Return the release's namespace."""
        own = dig(self.props, ["namespace"])
        return own if isinstance(own, Unknown) else own or "default"

    def value(self, *path: str) -> Any:
        """Return one of the chart's values."""
        return dig(self.props, ["values", *path])

    def set_value(self, path: Iterable[str], value: Any) -> Edit:
        """Change one of the chart's values."""
        return Edit(("values", *path), value)

    def flag(self, name: str) -> Any:
        """Return the chart's value for a flag; values files are not read."""
        value = self.value(FLAGS[name])
        return UNKNOWN if value is None and dig(self.props, ["valueYamlFiles"]) else value

    def variable(self, name: str) -> Any:
        """Return an environment variable's value."""
        return self.value("env", name)

    def set_flags(self, flags: Mapping[str, str]) -> Iterable[Edit]:
        """Set the chart's values for flags."""
        for name, value in flags.items():
            yield self.set_value([FLAGS[name]], {"true": True, "false": False}.get(value, value))

    @property
    def image(self) -> Any:
        """Return the image; the chart's version gives the default tag."""
        repository, tag = self.value("image", "repository"), self.value("image", "tag")
        if tag is None:
            chart = dig(self.props, ["version"])
            tag = chart if isinstance(chart, Unknown) else controller_of_chart(chart)
        if isinstance(repository, Unknown) or isinstance(tag, Unknown):
            return UNKNOWN
        return str(repository or _CHART_IMAGE) + (":" + str(tag) if tag else "")

    @property
    def replicas(self) -> Any:
        """Return the number of replicas; the chart's default is 2."""
        if truth(self.value("autoscaling", "enabled")):
            return count(self.value("autoscaling", "minReplicas")) or 1
        replicas = count(self.value("replicaCount"))
        return 2 if replicas is None else replicas

    def set_replicas(self, number: float) -> Edit:
        """Change the number of replicas."""
        scaled = truth(self.value("autoscaling", "enabled"))
        return self.set_value(["autoscaling", "minReplicas"] if scaled else ["replicaCount"], number)

    @property
    def spread(self) -> bool:
        """Whether anti-affinity or topology spread separates the pods; the chart's default does."""
        own = self.value("topologySpreadConstraints") or dig(self.value("affinity"), ["podAntiAffinity"])
        return bool(own) or (not self.value("affinity") and truth(self.value("configureDefaultAffinity")) is not False)

    @property
    def resources(self) -> Any:
        """Return the container's requests and limits."""
        return self.value("resources")

    @property
    def security(self) -> dict[str, Any]:
        """Return the security settings; by default the chart hardens the container."""
        given = self.value("securityContext")
        default = {"readOnlyRootFilesystem": True, "runAsNonRoot": True, "allowPrivilegeEscalation": False}
        return {**default, **_known_map(given)}

    def set_security(self, name: str, value: Any) -> Edit:
        """Change one of the container's security settings."""
        return self.set_value(["securityContext", name], value)

    @property
    def added_capabilities(self) -> list[Any]:
        """Return the capabilities that are added to the runtime's."""
        return items(self.value("securityContext", "capabilities", "add"))

    @property
    def host_network(self) -> Any:
        """Whether the pods share the node's network."""
        return truth(self.value("hostNetwork"))

    def leave_host_network(self) -> Edit:
        """Give the pods a network of their own."""
        return self.set_value(["hostNetwork"], value=False)

    @property
    def cluster_secrets(self) -> Any:
        """Whether it may read all Secrets of the cluster."""
        return truth(self.value("clusterSecretsPermissions", "allowAllSecrets"))


def _known_map(value: Any) -> dict[str, Any]:
    if isinstance(value, Unknown):
        str(value)
    return value if isinstance(value, dict) else {}


def _is_image(image: Any) -> bool:
    return isinstance(image, str) and image.rpartition("/")[2].partition("@")[0].partition(":")[0] == CHART


def _deployment(seen: Resource) -> DeployedController | None:
    view = DeployedController(seen)
    spec = pod_spec(view)
    if isinstance(spec, Unknown):
        return None
    labels = dig(view.props, ["metadata", "labels"])
    name = dig(labels, ["app.kubernetes.io/name"])
    labelled = isinstance(name, str) and name == CHART
    return view if labelled or any(_is_image(dig(one, ["image"])) for one in containers(spec)) else None


def _release(seen: Resource) -> ReleasedController | None:
    view = ReleasedController(seen)
    chart = dig(view.props, ["chart"])
    return view if isinstance(chart, str) and chart.rstrip("/").rpartition("/")[2].startswith(CHART) else None


CONTROLLER: Final = objects("load balancer controller", [("apps", "Deployment")], _deployment, {RELEASE: _release})
