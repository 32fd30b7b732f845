"""A stand-in for pulumi-resource-tls: keys, requests and certificates, made by `cryptography`.

Nothing of them exists outside the state, so a creation that is run again has nothing to find.
"""
