"""Version numbers, compared as numbers."""

import re
from typing import Any

from pack.values import Unknown

_CHART_1 = 1  # chart 1.N.P of the controller contains 2.N.P; since chart 3 the numbers are the same


def version(value: Any) -> tuple[int, ...]:
    """Read `1.36`, `v3.5.0` or `3.5.0-eks.1` as numbers; anything else is no version: `()`.

    Raises:
        NotYetKnown: it is unknown.
    """
    if isinstance(value, Unknown):
        str(value)
    match = re.match(r"v?(\d+(?:\.\d+)*)", str(value))
    return tuple(int(part) for part in match[1].split(".")) if match else ()


def controller_of_chart(chart: Any) -> str | None:
    """Return the controller's version in a version of its chart (https://github.com/aws/eks-charts)."""
    numbers = version(chart)
    if not numbers:
        return None
    major, *rest = numbers
    return ".".join(str(part) for part in (2 if major == _CHART_1 else major, *rest))
