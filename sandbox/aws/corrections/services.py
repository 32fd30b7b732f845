"""Small corrections of other services: KMS and Shield."""

import json

import moto.kms.utils
from moto.shield.responses import ShieldResponse

from sandbox.aws.determinism import random_bytes
from sandbox.aws.patching import replace


def install() -> None:
    """Install them."""
    # In moto a key's material comes from os.urandom: after a replay it could not decrypt its own ciphertexts.
    replace(moto.kms.utils, "generate_data_key", random_bytes)
    ShieldResponse.get_subscription_state = get_subscription_state  # pyright: ignore[reportAttributeAccessIssue] - moto lacks the action


def get_subscription_state(_self: ShieldResponse) -> str:
    """GetSubscriptionState: this account has no Shield Advanced."""
    return json.dumps({"SubscriptionState": "INACTIVE"})
