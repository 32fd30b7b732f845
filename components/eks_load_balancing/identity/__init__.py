"""Which AWS identity pods get: the OIDC provider, trust policies, roles for service accounts.

What a role may do belongs to whoever uses it; the controller's policy is in `controller`.
"""

from eks_load_balancing.identity.oidc_provider import OidcProvider, OidcProviderArgs
from eks_load_balancing.identity.service_account_role import ServiceAccountRole, ServiceAccountRoleArgs

__all__ = ["OidcProvider", "OidcProviderArgs", "ServiceAccountRole", "ServiceAccountRoleArgs"]
