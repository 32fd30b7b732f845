"""IAM and STS."""

_ROLE, _POLICY, _OIDC, _USER = (
    "role:RoleName",
    "policy:PolicyArn",
    "oidc-provider:OpenIDConnectProviderArn",
    "user:UserName",
)
_PROFILE = "instance-profile:InstanceProfileName"
IAM = {
    "SimulatePrincipalPolicy": "arns:PolicySourceArn",
    **dict.fromkeys(
        (
            "AttachRolePolicy", "DeleteRole", "DeleteRolePermissionsBoundary", "DeleteRolePolicy", "DetachRolePolicy",
            "GetRole", "GetRolePolicy", "ListAttachedRolePolicies", "ListInstanceProfilesForRole", "ListRolePolicies",
            "ListRoleTags", "PutRolePermissionsBoundary", "PutRolePolicy", "TagRole", "UntagRole",
            "UpdateAssumeRolePolicy", "UpdateRole", "UpdateRoleDescription",
        ),
        _ROLE,
    ),
    **dict.fromkeys(
        (
            "CreatePolicyVersion", "DeletePolicy", "DeletePolicyVersion", "GetPolicy", "GetPolicyVersion",
            "ListEntitiesForPolicy", "ListPolicyTags", "ListPolicyVersions", "SetDefaultPolicyVersion", "TagPolicy",
            "UntagPolicy",
        ),
        _POLICY,
    ),
    **dict.fromkeys(
        (
            "AddClientIDToOpenIDConnectProvider", "DeleteOpenIDConnectProvider", "GetOpenIDConnectProvider",
            "ListOpenIDConnectProviderTags", "RemoveClientIDFromOpenIDConnectProvider", "TagOpenIDConnectProvider",
            "UntagOpenIDConnectProvider", "UpdateOpenIDConnectProviderThumbprint",
        ),
        _OIDC,
    ),
    **dict.fromkeys(
        (
            "AttachUserPolicy", "CreateAccessKey", "CreateUser", "DeleteAccessKey", "DeleteUser", "DeleteUserPolicy",
            "DetachUserPolicy", "GetUser", "GetUserPolicy", "ListAccessKeys", "ListAttachedUserPolicies",
            "ListUserPolicies", "ListUserTags", "PutUserPolicy", "TagUser", "UntagUser",
        ),
        _USER,
    ),
    **dict.fromkeys(("AddRoleToInstanceProfile", "DeleteInstanceProfile", "GetInstanceProfile",
                     "RemoveRoleFromInstanceProfile", "TagInstanceProfile", "UntagInstanceProfile"), _PROFILE),
    "CreateInstanceProfile": "+" + _PROFILE,
    "CreateOpenIDConnectProvider": "+oidc-provider:Url",
    "CreatePolicy": "+policy:PolicyName",
    "CreateRole": "+" + _ROLE,
    "CreateServiceLinkedRole": "service-linked-role:AWSServiceName",
    "CreateUser": "+" + _USER,
    "GetServerCertificate": "server-certificate:ServerCertificateName",
}  # fmt: skip

STS = {"AssumeRole": "role:RoleArn"}
