"""The provider: constructs the component, refuses every other."""

import importlib
from typing import Any, Final

import pulumi
from pulumi.provider.provider import ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime import proto

from sandbox.providers.common.server import ProviderError, answer_in_one_line
from sandbox.providers.eks.cluster import Cluster
from sandbox.providers.eks.inputs import CLUSTER

RESOURCES_AS_INPUTS: Final = ("serviceRole",)
"""Inputs that hold a resource: to find its outputs the SDK needs the resource's class."""


class EksProvider(Provider):
    """Components of `eks`, as far as the sandbox's project uses them."""

    def construct(
        self, name: str, resource_type: str, inputs: Any, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Makes a component.

        Raises:
            ProviderError: The stand-in does not know the type or an input.
        """
        if resource_type != CLUSTER:
            raise ProviderError(f"{resource_type} is not one the sandbox's stand-in knows; known: {CLUSTER}")
        cluster = Cluster(name, inputs, options)
        return ConstructResult(cluster.urn, cluster.state)

    def call(self, token: str, args: Any) -> Any:
        """Calls a method of a component: there is none that the stand-in knows.

        Raises:
            ProviderError: Always.
        """
        del args
        raise ProviderError(f"{token} is not one the sandbox's stand-in knows; use the component's `kubeconfig` output")


class EksServicer(ProviderServicer):
    """The SDK's component server with errors of one line.

    It is the older of the SDK's two: the newer one cannot read an output that is not known yet (SDK 3.272.0).
    """

    async def CheckConfig(self, request: Any, context: Any) -> Any:
        """Refuses settings: the stand-in has none."""
        del context
        for name in request.news.fields:
            if name not in ("version", "pluginDownloadURL"):
                raise ProviderError(f"the sandbox's stand-in for eks has no setting {name!r}; remove eks:{name}")
        return proto.CheckResponse(inputs=request.news)

    async def Configure(self, request: Any, context: Any) -> Any:
        """Takes part in everything that the engine offers."""
        del request, context
        return proto.ConfigureResponse(
            acceptSecrets=True, acceptResources=True, acceptOutputs=True, supportsPreview=True
        )

    # What the SDK's own Construct and Call add to these is a traceback behind every message.

    async def Construct(self, request: Any, context: Any) -> Any:
        """Makes a component."""
        if set(RESOURCES_AS_INPUTS) & set(request.inputs.fields):
            importlib.import_module("pulumi_aws")
        return await self._construct(request, context)

    async def Call(self, request: Any, context: Any) -> Any:
        """Calls a method of a component."""
        return await self._call(request, context)


answer_in_one_line(EksServicer, "CheckConfig", "Configure", "Construct", "Call")
