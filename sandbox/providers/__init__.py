"""Stand-ins for Pulumi's resource plugins: `python -m sandbox.providers.NAME ENGINE_ADDRESS`.

Each is a gRPC server on the SDK's provider interface that talks to the sandbox's AWS (boto3) or to a cluster's API.
They know the types and properties that the project uses, and refuse all others by name.
"""
