"""Which creation a resource comes from, so that a creation that was interrupted finds its first result.

An engine that is killed in the middle of a create does not know the resource that its provider still made, and asks
for it again the next time. Each creation therefore has a token that is the same whenever it is asked for again and
another one for each replacement: the hash of the URN and of the token of the creation that it replaces. It stands
among the resource's inputs as `__creation` (the real providers keep their `__defaults` in the same way).
"""

import hashlib
from collections.abc import Mapping
from typing import Any, Final

CREATION: Final = "__creation"
TOKEN_LENGTH: Final = 20
SUFFIX_LENGTH: Final = 7  # of Pulumi's automatic names: https://www.pulumi.com/docs/concepts/resources/names/


class Creations:
    """The tokens of one run of a provider.

    The engine checks a resource's inputs together with the old ones first, and again without them once it wants to
    replace the resource: what the first check showed is what the second one has to build on.
    """

    def __init__(self) -> None:
        self._replaced: dict[str, str] = {}

    def token(self, urn: str, old_inputs: Mapping[str, Any]) -> str:
        """The token of the creation that these inputs belong to.

        Args:
            urn: The resource's.
            old_inputs: Those in the state, plain; empty if there are none or the resource is to be replaced.
        """
        if old_inputs:
            self._replaced[urn] = str(old_inputs.get(CREATION) or "imported")
            if CREATION in old_inputs:
                return self._replaced[urn]
        previous = self._replaced.get(urn, "")
        return hashlib.sha256(f"{urn} {previous}".encode()).hexdigest()[:TOKEN_LENGTH]


def automatic_name(name: str, token: str, longest: int) -> str:
    """A resource's name with the random-looking end that Pulumi gives it, here the start of its creation's token.

    Example:
        >>> automatic_name("controller", "0a1b2c3d4e", 64)
        'controller-0a1b2c3'
    """
    return f"{name[: longest - SUFFIX_LENGTH - 1]}-{token[:SUFFIX_LENGTH]}"
