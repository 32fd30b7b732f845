"""`python -m eks_load_balancing.verify`."""

from eks_load_balancing.doctor.entry import bugs_to_report
from eks_load_balancing.verify.cli import main

with bugs_to_report():
    main()
