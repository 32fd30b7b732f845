"""`python -m sandbox.tools NAME`: build a tool of the catalog on its first use, and print its path."""

import sys

from sandbox.tools import build, catalog


def main() -> None:
    """Build it; progress goes to stderr."""
    try:
        executable = build.ensure(catalog.by_name(sys.argv[1]), lambda line: sys.stderr.write(f"{line}\n"))
    except build.BuildError as error:
        sys.exit(f"Error: {error}")
    sys.stdout.write(f"{executable}\n")


if __name__ == "__main__":
    main()
