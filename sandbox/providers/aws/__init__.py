"""A stand-in for pulumi-resource-aws: the types and functions that the project uses, over boto3.

`kind` says what a type is, `types` lists them all, `provider` does with any of them what the engine asks for.
"""
