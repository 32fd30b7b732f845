"""`python -m eks_load_balancing.doctor`."""

import sys

try:
    from eks_load_balancing.doctor.cli import main
except ModuleNotFoundError as error:
    sys.stderr.write(f"the doctor needs {error.name}: pip install 'eks-load-balancing[doctor]'\n")
    sys.exit(2)

main()
