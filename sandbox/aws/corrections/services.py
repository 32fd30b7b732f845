"""Small things in other services."""

import moto.kms.utils

from sandbox.aws.determinism import random_bytes
from sandbox.aws.patching import replace


def install() -> None:
    """Put them right."""
    # A key's material comes from os.urandom in moto: after a replay it would not open what it sealed.
    replace(moto.kms.utils, "generate_data_key", random_bytes)
