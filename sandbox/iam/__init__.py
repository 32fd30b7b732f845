"""IAM as the sandbox enforces it: who may call what on which resource, decided as AWS documents it.

    credentials     whose signature it is, and whether it is one
    operations      what a call asks for, by botocore's models
    requests        which actions on which resources, with which condition keys (rules, resources, keys, reference)
    evaluate        what policies say to that (conditions, patterns)
    state           policies, principals and tags out of the emulator
    authorizer      all of it, for one call: the only one that the AWS process needs

What it cannot judge it refuses, and says so.
"""
