"""A stand-in for pulumi-resource-aws: the types and functions that the project uses, implemented with boto3.

`kind` defines what a type is, `types` lists them all, `provider` answers the engine's requests for any of them.
"""
