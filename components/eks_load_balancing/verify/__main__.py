"""`python -m eks_load_balancing.verify`."""

from eks_load_balancing.verify.cli import main

main()
