"""The components as a plugin of the engine: what other languages see of them.

The SDK's own host drops unknown inputs, shows a component's own error with a traceback, serves version 0.0.0 and marks
no secrets in the schema.
"""

import json
import sys
from importlib.metadata import version
from typing import Any, Final

import pulumi
from pulumi import Inputs
from pulumi.errors import InputPropertiesError, InputPropertyErrorDetails
from pulumi.provider import ConstructResult
from pulumi.provider import main as serve
from pulumi.provider.experimental.analyzer import PropertyDefinition
from pulumi.provider.experimental.component import ComponentProvider
from pulumi.provider.experimental.host import components_from_module
from pulumi.provider.server import ComponentInitError

from eks_load_balancing import components
from eks_load_balancing.arguments import refuse_keys
from eks_load_balancing.errors import InvalidInputError

NAME: Final = "eks-load-balancing"
BUG: Final = "this is a bug of eks-load-balancing: report it in the project's issues, with the lines that follow"
NO_DETAILS: Final[list[InputPropertyErrorDetails]] = []
"""Without such a list the SDK (3.272.0) fails to hand the error on."""
SECRETS: Final = ("kubeconfig",)
"""Outputs that are secrets in every component that has them."""


class Plugin(ComponentProvider):
    """Hosts every component of the package."""

    def __init__(self) -> None:
        hosted = sorted(components_from_module(components), key=lambda component: component.__name__)
        super().__init__(hosted, NAME, None, version(NAME))
        schema: dict[str, Any] = json.loads(self.schema or "{}")
        for made in schema["resources"].values():
            for key in SECRETS:
                if key in made["properties"]:
                    made["properties"][key]["secret"] = True
        self.schema = json.dumps(schema)

    def construct(
        self, name: str, resource_type: str, inputs: Inputs, options: pulumi.ResourceOptions | None = None
    ) -> ConstructResult:
        """Declare a component; an error in its inputs is one line, without a traceback."""
        try:
            return super().construct(name, resource_type, inputs, options)
        except InvalidInputError as error:
            component = resource_type.rpartition(":")[2]
            raise InputPropertiesError(f"{component} {name!r}: {error}", NO_DETAILS) from None
        except ComponentInitError as error:
            if isinstance(error.inner, InvalidInputError):
                raise InputPropertiesError(str(error.inner), NO_DETAILS) from None
            bug = RuntimeError(f"{type(error.inner).__name__}: {error.inner}: {BUG}")
            raise ComponentInitError(bug.with_traceback(error.inner.__traceback__)) from error.inner

    def map_input_properties(
        self,
        inputs: Inputs,
        properties: dict[str, PropertyDefinition],
        mapping: dict[str, str],
        component_name: str,
        property_path: str,
    ) -> Inputs:
        """Return the inputs by their Python names, and refuse unknown or missing ones."""
        required = [key for key, definition in properties.items() if not definition.optional]
        present = [key for key, value in inputs.items() if value is not None]
        refuse_keys(list(inputs), present, properties, required, f"{property_path}." if property_path else "")
        return super().map_input_properties(inputs, properties, mapping, component_name, property_path)


def main() -> None:
    """Serve the engine that starts the plugin."""
    serve(Plugin(), sys.argv[1:])
