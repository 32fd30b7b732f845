"""Where `aws` and `aws-native` keep permissions: roles, policies, identity providers, and the users of a role."""

from typing import Any, Final

from pack.values import dig, items, parsed
from pack.views import Kind, at

OIDC_PROVIDER: Final = Kind(
    "IAM OIDC provider",
    {
        "aws:iam/openIdConnectProvider:OpenIdConnectProvider": {
            "url": at("url", str),
            "audiences": at("clientIdLists"),
            "arn": at("arn"),
        },
        "aws-native:iam:OidcProvider": {"url": at("url", str), "audiences": at("clientIdList"), "arn": at("arn")},
    },
)


def _inline_policies(value: Any) -> list[Any]:
    return [parsed(dig(item, ["policy"])) for item in items(value)]


def _native_policies(value: Any) -> list[Any]:
    return [parsed(dig(item, ["policyDocument"])) for item in items(value)]


def _document(value: Any) -> list[Any]:
    return [parsed(value)]


ROLE: Final = Kind(
    "IAM role",
    {
        "aws:iam/role:Role": {
            "id": at("name"),
            "arn": at("arn"),
            "trust": at("assumeRolePolicy", parsed),
            "boundary": at("permissionsBoundary"),
            "documents": at("inlinePolicies", _inline_policies),
            "managed": at("managedPolicyArns"),
        },
        "aws-native:iam:Role": {
            "id": at("roleName"),
            "arn": at("arn"),
            "trust": at("assumeRolePolicyDocument", parsed),
            "boundary": at("permissionsBoundary"),
            "documents": at("policies", _native_policies),
            "managed": at("managedPolicyArns"),
        },
    },
)

_bridged = {"documents": at("policy", _document), "role": at("role"), "arn": at("arn")}
_native = {"documents": at("policyDocument", _document), "role": at("roleName"), "arn": at("policyArn")}
_carrier = {"documents": at("policies", _native_policies)}
PERMISSIONS: Final = Kind(
    "IAM policy document",
    {
        "aws:iam/policy:Policy": _bridged,
        "aws:iam/rolePolicy:RolePolicy": _bridged,
        "aws:iam/userPolicy:UserPolicy": _bridged,
        "aws:iam/groupPolicy:GroupPolicy": _bridged,
        "aws-native:iam:ManagedPolicy": _native,
        "aws-native:iam:RolePolicy": _native,
        "aws-native:iam:UserPolicy": _native,
        "aws-native:iam:GroupPolicy": _native,
        "aws-native:iam:User": _carrier,
        "aws-native:iam:Group": _carrier,
        **ROLE.shapes,
    },
)
ROLE_POLICY: Final = Kind(
    "in-line policy of a role",
    {"aws:iam/rolePolicy:RolePolicy": _bridged, "aws-native:iam:RolePolicy": _native},
)
MANAGED_POLICY: Final = Kind(
    "managed policy",
    {"aws:iam/policy:Policy": _bridged, "aws-native:iam:ManagedPolicy": _native},
)
ATTACHMENT: Final = Kind(
    "policy attachment",
    {
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment": {"role": at("role"), "policies": at("policyArn", items)},
        "aws:iam/policyAttachment:PolicyAttachment": {"role": at("roles"), "policies": at("policyArn", items)},
        "aws:iam/rolePolicyAttachmentsExclusive:RolePolicyAttachmentsExclusive": {
            "role": at("roleName"),
            "policies": at("policyArns", items),
        },
    },
)
POD_IDENTITY: Final = Kind(
    "EKS Pod Identity association",
    {
        token: {"role": at("roleArn"), "namespace": at("namespace"), "account": at("serviceAccount")}
        for token in ("aws:eks/podIdentityAssociation:PodIdentityAssociation", "aws-native:eks:PodIdentityAssociation")
    },
)
ADDON: Final = Kind(
    "EKS add-on",
    {token: {"role": at("serviceAccountRoleArn")} for token in ("aws:eks/addon:Addon", "aws-native:eks:Addon")},
)
ACCESS_KEY: Final = Kind(
    "IAM access key",
    {
        token: {"user": at(user), "status": at("status")}
        for token, user in (("aws:iam/accessKey:AccessKey", "user"), ("aws-native:iam:AccessKey", "userName"))
    },
)
