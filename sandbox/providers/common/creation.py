"""Identifies the creation of a resource, so that a repeated creation finds the result of an interrupted one.

If an engine is killed during a create, it does not know the resource that its provider still created, and asks for it
again the next time. So each creation has a token: the hash of the URN and of the token of the creation that it
replaces. It is the same for every repetition, and different for each replacement. It is in the resource's inputs as
`__creation` (the real providers store their `__defaults` in the same way).
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

CREATION: Final = "__creation"
TOKEN_LENGTH: Final = 20
SUFFIX_LENGTH: Final = 7  # of Pulumi's automatic names: https://www.pulumi.com/docs/concepts/resources/names/


class Creations:
    """The tokens of one run of a provider.

    The engine first checks a resource's inputs together with the old ones, and again without them if it wants to
    replace the resource. The second check uses what the first one has seen.
    """

    def __init__(self) -> None:
        self._replaced: dict[str, str] = {}

    def token(self, urn: str, old_inputs: Mapping[str, Any]) -> str:
        """The token of the creation that these inputs belong to.

        Args:
            urn: The resource's.
            old_inputs: Those in the state, plain; empty if there are none or the resource will be replaced.
        """
        if old_inputs:
            self._replaced[urn] = str(old_inputs.get(CREATION) or "imported")
            if CREATION in old_inputs:
                return self._replaced[urn]
        previous = self._replaced.get(urn, "")
        return hashlib.sha256(f"{urn} {previous}".encode()).hexdigest()[:TOKEN_LENGTH]


def automatic_name(name: str, token: str, longest: int) -> str:
    """A resource's name with the random-looking suffix that Pulumi adds, here the start of its creation's token.

    Example:
        >>> automatic_name("controller", "0a1b2c3d4e", 64)
        'controller-0a1b2c3'
    """
    return f"{name[: longest - SUFFIX_LENGTH - 1]}-{token[:SUFFIX_LENGTH]}"
