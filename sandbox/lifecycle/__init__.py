"""The life of a sandbox: start, status, use, removal.

Here belong the order in which parts start, the settings that a sandbox keeps, and the environment of its commands.
Output for users belongs in `cli`; how one part works belongs in that part's package.
"""

from sandbox.lifecycle.errors import LifecycleError
from sandbox.lifecycle.settings import Wish
from sandbox.lifecycle.starting import Report, down, up
from sandbox.lifecycle.variables import UNSET, child_environment, environment
from sandbox.lifecycle.with_option import replacements

__all__ = [
    "UNSET",
    "LifecycleError",
    "Report",
    "Wish",
    "child_environment",
    "down",
    "environment",
    "replacements",
    "up",
]
