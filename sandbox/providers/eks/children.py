"""Resources of other providers, declared by type name.

Importing pulumi_aws for four resources would cost half a second in every run.
"""

from collections.abc import Mapping
from importlib.metadata import version
from typing import Any

import pulumi


class Child(pulumi.CustomResource):
    """A resource of `aws` whose outputs are accessed by name."""

    def __init__(
        self,
        kind: str,
        name: str,
        inputs: Mapping[str, Any],
        outputs: tuple[str, ...],
        opts: pulumi.ResourceOptions,
    ) -> None:
        """Registers the resource.

        Args:
            kind: Its type, such as `aws:eks/cluster:Cluster`.
            name: Its logical name.
            inputs: By camelCase name; None is left out.
            outputs: The outputs that are used.
            opts: Its options; the version is the installed SDK's.
        """
        given = {key: value for key, value in inputs.items() if value is not None}
        properties = {**dict.fromkeys(outputs), **given}
        super().__init__(kind, name, properties, pulumi.ResourceOptions.merge(opts, _of("pulumi_aws")))

    def __getitem__(self, name: str) -> pulumi.Output[Any]:
        return self.__dict__[name]


class KubernetesProvider(pulumi.ProviderResource):
    """A provider for the cluster."""

    def __init__(self, name: str, kubeconfig: pulumi.Input[str], opts: pulumi.ResourceOptions) -> None:
        """Registers the provider with a kubeconfig as JSON."""
        options = pulumi.ResourceOptions.merge(opts, _of("pulumi_kubernetes"))
        super().__init__("kubernetes", name, {"kubeconfig": kubeconfig}, options)


def _of(sdk: str) -> pulumi.ResourceOptions:
    return pulumi.ResourceOptions(version=version(sdk))
