"""The policy language: what statements, conditions and trust policies say of one request. Pure.

Which keys a request has belongs in `permissions`.
"""
