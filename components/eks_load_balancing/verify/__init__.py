"""Checks a running stack, from outside and read only; its report contains no names, so reports can be compared.

    python -m eks_load_balancing.verify --stack STACK --cluster NAME

It runs a second preview and the doctor, compares each target group's targets with the ready pods, asks each host name,
and asks the policy simulator about each action of the controller's role. The report has no account, name or address in
it: it can be attached to a bug report, and compared line by line with another stack's, for example a sandbox's.
"""
