"""Small things in other services: what EKS nodes and the controller ask of them."""

import itertools
import json
from typing import Any

import moto.kms.utils
from moto.shield.responses import ShieldResponse
from moto.ssm.models import Parameter, ParameterDict

from sandbox.aws.determinism import random_bytes, utcnow
from sandbox.aws.eks import logs
from sandbox.aws.eks.catalog import NODE_IMAGE, SUPPORT, node_release
from sandbox.aws.patching import replace

_IMAGES = "/aws/service/eks/optimized-ami/"


def install() -> None:
    """Put them right."""
    # A key's material comes from os.urandom in moto: after a replay it would not open what it sealed.
    replace(moto.kms.utils, "generate_data_key", random_bytes)
    ShieldResponse.get_subscription_state = get_subscription_state  # pyright: ignore[reportAttributeAccessIssue] - moto lacks the action
    check = ParameterDict._check_loading_status

    def check_loading_status(self: ParameterDict, key: str) -> None:
        check(self, key)
        if str(key).startswith(_IMAGES) and not any(name.startswith(_IMAGES) for name in self):
            load_node_images(self)

    replace(ParameterDict, "_check_loading_status", check_loading_status)
    logs.install()


def get_subscription_state(_self: ShieldResponse) -> str:
    """GetSubscriptionState: nobody pays for Shield Advanced here."""
    return json.dumps({"SubscriptionState": "INACTIVE"})


def load_node_images(parameters: ParameterDict) -> None:
    """The public parameters that name EKS's node images.

    https://docs.aws.amazon.com/eks/latest/userguide/retrieve-ami-id.html
    """
    for version, kind in itertools.product(SUPPORT, ("x86_64", "arm64")):
        folder = f"{_IMAGES}{version}/amazon-linux-2023/{kind}/standard/recommended"
        release = node_release(version)
        whole = json.dumps({"image_id": NODE_IMAGE, "release_version": release})
        values = {"": whole, "/image_id": NODE_IMAGE, "/release_version": release}
        for name, value in values.items():
            more: dict[str, Any] = {"description": None, "allowed_pattern": None, "keyid": None, "data_type": "text"}
            made = Parameter(
                account_id=parameters.account_id, name=folder + name, value=value, parameter_type="String",
                last_modified_date=utcnow(), version=1, **more,
            )  # fmt: skip
            dict.setdefault(parameters, folder + name, [made])  # pyright: ignore[reportArgumentType] - moto's classes lose their type when made
