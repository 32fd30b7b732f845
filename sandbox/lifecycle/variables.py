"""Environment variables that point a command at a sandbox."""

import os

from sandbox.engine import home
from sandbox.lifecycle.running import aws_identity
from sandbox.run.state import State, StateError

UNSET = ("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN", "AWS_ROLE_ARN")
"""The user's variables that would override the sandbox's."""


def environment(state: State) -> dict[str, str]:
    """The environment that makes a command use this sandbox, and nothing of the user's own AWS.

    Raises:
        StateError: there is no sandbox, or it is not running.
    """
    state.settings()
    if aws_identity(state) is None:
        raise StateError(f"the sandbox in {state.root} is not running: restart it with `sandbox up`")
    return {
        **state.client_environment(),
        **home.environment(state),
        # A user's profile or metadata service would lead to an account outside this sandbox.
        "AWS_CONFIG_FILE": os.devnull,
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "AWS_PAGER": "",
        "KUBECONFIG": str(state.kubeconfig),
        "SANDBOX_STATE_DIR": str(state.root),
        "NO_PROXY": "127.0.0.1,localhost",
        "PATH": f"{home.path_prefix(state)}{os.pathsep}{os.environ.get('PATH', os.defpath)}",
    }


def child_environment(state: State) -> dict[str, str]:
    """The environment of a child process that uses this sandbox: this process's own, pointed at the sandbox.

    Raises:
        StateError: there is no sandbox, or it is not running.
    """
    return {name: value for name, value in os.environ.items() if name not in UNSET} | environment(state)
