"""`--with NAME=PATH`: the parts that a user may replace."""

import os
import re
from pathlib import Path

from sandbox.cluster.images import IMAGE
from sandbox.lifecycle.errors import LifecycleError

REPLACEABLE = ("pulumi", "kube", "kwok", "helm", "controller")
PLUGIN = "pulumi-resource-"
_PATTERNS = re.compile(rf"controller@\d+\.\d+\.\d+|{PLUGIN}.+|{IMAGE}[\w.-]+")


def replacements(given: tuple[str, ...]) -> dict[str, str]:
    """`--with NAME=PATH` options as a mapping of names to absolute paths.

    Raises:
        LifecycleError: an option is not NAME=PATH, NAME is unknown, or PATH cannot be run.
    """
    found: dict[str, str] = {}
    for word in given:
        name, equals, path = word.partition("=")
        if not equals or not path:
            raise LifecycleError(f"--with {word}: give NAME=PATH, for example --with controller=./manager")
        if name not in REPLACEABLE and not _PATTERNS.fullmatch(name):
            known = f"{', '.join(REPLACEABLE)}, controller@VERSION, {PLUGIN}NAME or {IMAGE}NAME"
            raise LifecycleError(f"--with {word}: {name} is not one of {known}")
        target = Path(path).absolute()
        usable = target.is_dir() if name == "kube" else os.access(target, os.X_OK) and target.is_file()
        if not usable:
            wanted = "a folder with the control plane's executables" if name == "kube" else "an executable file"
            raise LifecycleError(f"--with {word}: {target} is not {wanted}")
        found[name] = str(target)
    return found
