"""Stand-ins for Pulumi's resource plugins: `python -m sandbox.providers.NAME ENGINE_ADDRESS`.

Each is a gRPC server on the SDK's provider interface that speaks to the sandbox's AWS (boto3) or to a cluster's API.
They know the types and the properties that the project uses, and refuse every other one by name.
"""
