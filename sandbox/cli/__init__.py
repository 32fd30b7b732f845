"""The command line: `sandbox up`, `down`, `status`, ...; one file per command.

Here belong options, exit codes and how results are printed. What a command does belongs in the layers below:
`lifecycle` for up and down, `observe` for what a running sandbox shows.
"""

from sandbox.cli.commands import main

__all__ = ["main"]
