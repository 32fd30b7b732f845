"""A stand-in for pulumi-resource-tls: keys, requests and certificates, created with `cryptography`.

They exist only in the state, so a repeated creation has nothing to find.
"""
