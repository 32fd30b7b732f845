"""`python -m sandbox.controller FLAGS`."""

from sandbox.controller.cli import main

main()
