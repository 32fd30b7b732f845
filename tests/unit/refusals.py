"""What a component does with arguments that cannot work."""

from collections.abc import Callable

import pytest

from eks_load_balancing.errors import InvalidInputError
from fixtures.declared import declare


def declares_nothing(component: Callable[[], object], says: str) -> None:
    """Check that a component refuses its arguments with a message that matches, before it declares anything."""

    def program() -> None:
        with pytest.raises(InvalidInputError, match=says):
            component()

    assert declare(program).resources == []
