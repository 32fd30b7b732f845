"""The policy language: how statements, conditions and trust policies decide one request. Pure.

The keys of a request belong in `permissions`.
"""
