"""`python -m eks_load_balancing.doctor`."""

from eks_load_balancing.doctor.entry import doctor

doctor()
