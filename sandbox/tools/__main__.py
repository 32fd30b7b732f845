"""`python -m sandbox.tools [NAME]`: build a tool of the catalog, or all of them, and print where each is."""

import sys

from sandbox.tools import build, catalog


def main() -> None:
    """Build what is missing; progress goes to stderr."""
    chosen = [catalog.by_name(name) for name in sys.argv[1:]] or catalog.CATALOG
    try:
        executables = build.ensure_all(chosen, lambda line: sys.stderr.write(f"{line}\n"))
    except build.BuildError as error:
        sys.exit(f"Error: {error}")
    for executable in executables.values():
        sys.stdout.write(f"{executable}\n")


if __name__ == "__main__":
    main()
