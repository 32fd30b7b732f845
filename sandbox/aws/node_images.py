"""EKS's node images: the public SSM parameters with their ids."""

import itertools
import json
from typing import Any

from moto.ssm.models import Parameter, ParameterDict

from sandbox.aws.determinism import utcnow
from sandbox.aws.eks.catalog import NODE_IMAGE, SUPPORT, node_release
from sandbox.aws.patching import replace

_IMAGES = "/aws/service/eks/optimized-ami/"


def install() -> None:
    """Add the parameters to an account at its first request for one."""
    check = ParameterDict._check_loading_status  # noqa: SLF001 - moto fills its public parameters here

    def check_loading_status(self: ParameterDict, key: str) -> None:
        check(self, key)
        if str(key).startswith(_IMAGES) and not any(name.startswith(_IMAGES) for name in self):
            load_node_images(self)

    replace(ParameterDict, "_check_loading_status", check_loading_status)


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
