"""The provider: constructs the component, refuses all others."""

import importlib
import json
from typing import Any, Final

import pulumi
from pulumi.provider.provider import CallResult, ConstructResult, Provider
from pulumi.provider.server import ProviderServicer
from pulumi.runtime import proto

from sandbox.providers.common.server import ProviderError, answer_in_one_line
from sandbox.providers.eks.cluster import Cluster
from sandbox.providers.eks.inputs import CLUSTER
from sandbox.providers.eks.kubeconfig import rescoped

GET_KUBECONFIG: Final = f"{CLUSTER}/getKubeconfig"

RESOURCES_AS_INPUTS: Final = ("serviceRole",)
"""Inputs that are resources: to find their outputs, the SDK needs the resource's class."""


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
            raise ProviderError(f"{resource_type} is not supported by the sandbox's stand-in, which supports {CLUSTER}")
        cluster = Cluster(name, inputs, options)
        return ConstructResult(cluster.urn, cluster.state)

    def call(self, token: str, args: Any) -> CallResult:
        """Calls a method of a component.

        Raises:
            ProviderError: The stand-in does not know the method.
        """
        if token != GET_KUBECONFIG:
            raise ProviderError(f"{token} is not supported by the sandbox's stand-in, which supports {GET_KUBECONFIG}")
        return CallResult({"result": get_kubeconfig(args["__self__"], args.get("profileName"), args.get("roleArn"))})


def get_kubeconfig(urn: Any, profile: Any, role_arn: Any) -> pulumi.Output[str]:
    """A cluster's kubeconfig with other credentials, as text.

    Args:
        urn: Of the component; its state has a kubeconfig, whose server, authority and name stay.
        profile: Of the AWS CLI, if any.
        role_arn: The role to assume, if any.
    """
    found = pulumi.runtime.invoke_output("pulumi:pulumi:getResource", {"urn": urn})
    return pulumi.Output.all(found, profile, role_arn).apply(
        lambda known: json.dumps(rescoped(known[0]["state"]["kubeconfig"], known[1], known[2]), separators=(",", ":"))
    )


class EksServicer(ProviderServicer):
    """The SDK's component server with one-line errors.

    It is the older of the SDK's two servers, because the newer one cannot read an unknown output (SDK 3.272.0).
    """

    async def CheckConfig(self, request: Any, context: Any) -> Any:
        """Refuses settings: the stand-in has none."""
        del context
        for name in request.news.fields:
            if name not in ("version", "pluginDownloadURL"):
                raise ProviderError(f"the sandbox's stand-in for eks has no setting {name!r}; remove eks:{name}")
        return proto.CheckResponse(inputs=request.news)

    async def Configure(self, request: Any, context: Any) -> Any:
        """Supports everything that the engine offers."""
        del request, context
        return proto.ConfigureResponse(
            acceptSecrets=True, acceptResources=True, acceptOutputs=True, supportsPreview=True
        )

    # The SDK's own Construct and Call only add a traceback to every message.

    async def Construct(self, request: Any, context: Any) -> Any:
        """Makes a component."""
        if set(RESOURCES_AS_INPUTS) & set(request.inputs.fields):
            importlib.import_module("pulumi_aws")
        return await self._construct(request, context)

    async def Call(self, request: Any, context: Any) -> Any:
        """Calls a method of a component."""
        return await self._call(request, context)


answer_in_one_line(EksServicer, "CheckConfig", "Configure", "Construct", "Call")
