"""Which AWS identity pods get: the OIDC provider, trust policies, roles for service accounts.

What a role may do belongs to whoever uses it; the controller's policy is in `controller`.
"""
