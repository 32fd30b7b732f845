"""IAM as the sandbox enforces it: who may call what on which resource, decided as AWS documents it.

authorizer      one call in; nothing or AWS's refusal out: all that the AWS process needs
questions       what people ask: the log of decisions, and why or why not
account         what IAM needs to know of an account (`sandbox.aws.account` answers it from the emulator)
decisions, encoded   the log, and EC2's encoded messages
permissions     which actions on which resources a call needs, with which condition keys
wire            requests, signatures and errors as they travel
language        what policies say

What IAM cannot judge it refuses, and says so. Nothing here knows moto or imports `sandbox.aws`.
"""
