"""Where the commands start: they need packages that the components do not, and name a missing one."""

import sys
from types import ModuleType


def _cli() -> ModuleType:
    try:
        from eks_load_balancing.doctor import cli  # noqa: PLC0415 - its packages may be missing
    except ModuleNotFoundError as error:
        sys.stderr.write(f"the doctor needs {error.name}: pip install 'eks-load-balancing[doctor]'\n")
        sys.exit(2)
    return cli


def doctor() -> None:
    """Run `python -m eks_load_balancing.doctor`."""
    _cli().doctor()


def kubectl() -> None:
    """Run `kubectl eks-lb`: kubectl finds this command on the PATH under the name `kubectl-eks_lb`.

    https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
    """
    _cli().kubectl(prog_name="kubectl eks-lb")
