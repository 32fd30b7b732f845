"""Declares the resources in `resources.json` beside it: `{name: [type, properties]}`, in that order.

`{"$id": NAME}` in the properties is the id of an earlier resource, unknown during preview, and `{"$secret": VALUE}` a
secret value. Kubernetes objects go to a cluster whose kubeconfig is not known during preview.
"""

import json
from pathlib import Path
from typing import Any

import pulumi

made: dict[str, pulumi.CustomResource] = {}


def filled(value: Any) -> Any:
    """Replace references with ids, and mark secrets."""
    if isinstance(value, dict):
        if "$secret" in value:
            return pulumi.Output.secret(value["$secret"])
        return made[value["$id"]].id if "$id" in value else {key: filled(item) for key, item in value.items()}
    return [filled(item) for item in value] if isinstance(value, list) else value


class Declared(pulumi.CustomResource):
    """A resource of any type."""


def declare(name: str, token: str, props: dict[str, Any]) -> None:
    options = pulumi.ResourceOptions(provider=cluster()) if token.startswith("kubernetes:") else None
    made[name] = Declared(token, name, filled(props), options)


def cluster() -> pulumi.ProviderResource:
    """A provider for a cluster that does not exist yet."""
    if "kubernetes" not in made:
        made["kubernetes"] = pulumi.ProviderResource("kubernetes", "kubernetes", {"kubeconfig": made["vpc"].id})
    return made["kubernetes"]  # pyright: ignore[reportReturnType] - put there above


for one, (kind, properties) in json.loads(Path(__file__).with_name("resources.json").read_text()).items():
    declare(one, kind, properties)
