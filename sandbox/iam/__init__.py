"""IAM in the sandbox: who may call what on which resource, decided as AWS documents it.

authorizer      takes one call; returns nothing or AWS's refusal: all that the AWS process needs
questions       answers users: the log of decisions, and why or why not
account         what IAM needs to know about an account (`sandbox.aws.account` answers from the emulator)
decisions, encoded   the log, and EC2's encoded messages
permissions     which actions on which resources a call needs, with which condition keys
wire            requests, signatures and errors as they travel
language        the policy language

IAM refuses what it cannot judge, and says so. Nothing here knows moto or imports `sandbox.aws`.
"""
