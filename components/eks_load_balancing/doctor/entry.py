"""Where the commands start: they need packages that the components do not, and name a missing one."""

import sys
from collections.abc import Generator
from contextlib import contextmanager
from types import ModuleType


def _cli() -> ModuleType:
    try:
        from eks_load_balancing.doctor import cli  # noqa: PLC0415 - its packages may be missing
    except ModuleNotFoundError as error:
        sys.stderr.write(f"the doctor needs {error.name}: pip install 'eks-load-balancing[doctor]'\n")
        sys.exit(2)
    return cli


@contextmanager
def bugs_to_report() -> Generator[None]:
    """Whatever fails unexpectedly says after its traceback where to report it."""
    try:
        yield
    except Exception as error:
        error.add_note("This is a bug of eks-load-balancing: report it in the project's issues, with the lines above.")
        raise


def doctor() -> None:
    """Run `python -m eks_load_balancing.doctor`."""
    with bugs_to_report():
        _cli().doctor()


def kubectl() -> None:
    """Run `kubectl eks-lb`: kubectl finds this command on the PATH under the name `kubectl-eks_lb`.

    https://kubernetes.io/docs/tasks/extend-kubectl/kubectl-plugins/
    """
    with bugs_to_report():
        _cli().kubectl(prog_name="kubectl eks-lb")
