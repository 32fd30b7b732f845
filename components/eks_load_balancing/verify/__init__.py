"""Whether a stack that is up works, seen from outside and read only; a report without names that can be compared.

    python -m eks_load_balancing.verify --stack STACK --cluster NAME

It asks for a second preview, the doctor, each target group's targets beside the ready pods, each host name, and the
policy simulator's word on each action of the controller's role. The report has no account, name or address in it: it
can be attached to a bug report, and laid line by line beside another stack's, a sandbox's for example.
"""
