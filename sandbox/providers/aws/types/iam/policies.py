"""IAM: policies, attachments, OpenID Connect providers. Global: no `region`."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, created_once, deleting, same_json, tag_list, tag_map
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.iam.roles import attached, retag, text
from sandbox.providers.common.fields import Field, same_by, same_set

VERSIONS = 5
"""The number of policy versions that IAM keeps; one must be deleted before a sixth is created."""


def _create_policy(aws: Aws, wanted: Wanted) -> str:
    iam = aws.client("iam")
    path = wanted.get("path", "/")
    arn = aws.arn("iam", f"policy{path}{wanted['name']}", region=False)
    exists = iam.exceptions.EntityAlreadyExistsException
    with created_once(exists, wanted, lambda: iam.get_policy(PolicyArn=arn)["Policy"].get("Tags")):
        iam.create_policy(
            PolicyName=wanted["name"],
            Path=path,
            PolicyDocument=wanted["policy"],
            **wanted.parameters("description"),
            Tags=tag_list(wanted.all_tags),
        )
    return arn


def _change_policy(aws: Aws, arn: str, wanted: Wanted, changed: set[str]) -> None:
    if "policy" not in changed:
        return
    iam = aws.client("iam")
    versions = [each for each in iam.list_policy_versions(PolicyArn=arn)["Versions"] if not each["IsDefaultVersion"]]
    if len(versions) >= VERSIONS - 1:
        oldest = min(versions, key=lambda each: each["CreateDate"])
        iam.delete_policy_version(PolicyArn=arn, VersionId=oldest["VersionId"])
    iam.create_policy_version(PolicyArn=arn, PolicyDocument=wanted["policy"], SetAsDefault=True)


def _read_policy(aws: Aws, arn: str, _state: State) -> dict[str, Any] | None:
    iam = aws.client("iam")
    policy = iam.get_policy(PolicyArn=arn)["Policy"]
    version = iam.get_policy_version(PolicyArn=arn, VersionId=policy["DefaultVersionId"])["PolicyVersion"]
    return {
        "name": policy["PolicyName"],
        "path": policy["Path"],
        "description": policy.get("Description") or "",
        "policy": text(version["Document"]),
        "policyId": policy["PolicyId"],
        "arn": arn,
        "tagsAll": tag_map(policy.get("Tags")),
    }


def _delete_policy(aws: Aws, arn: str, _state: State) -> None:
    iam = aws.client("iam")
    for version in iam.list_policy_versions(PolicyArn=arn)["Versions"]:
        if not version["IsDefaultVersion"]:
            iam.delete_policy_version(PolicyArn=arn, VersionId=version["VersionId"])
    iam.delete_policy(PolicyArn=arn)


POLICY = Kind(
    type="aws:iam/policy:Policy",
    inputs={
        "name": Field(replaces=True),
        "policy": Field(required=True, same=same_json),
        "description": Field(replaces=True, default=""),
        "path": Field(replaces=True, default="/"),
    },
    outputs=("arn", "policyId"),
    calls=Calls(_create_policy, _read_policy, _change_policy, _delete_policy),
    retag=retag("policy", "PolicyArn"),
    naming=("name", 128),
    has_region=False,
)


def _put_role_policy(aws: Aws, wanted: Wanted) -> str:
    asked = {"RoleName": wanted["role"], "PolicyName": wanted["name"], "PolicyDocument": wanted["policy"]}
    aws.client("iam").put_role_policy(**asked)
    return f"{wanted['role']}:{wanted['name']}"


def _change_role_policy(aws: Aws, _id: str, wanted: Wanted, _changed: set[str]) -> None:
    _put_role_policy(aws, wanted)


def _read_role_policy(aws: Aws, policy_id: str, _state: State) -> dict[str, Any] | None:
    role, _, name = policy_id.partition(":")
    policy = aws.client("iam").get_role_policy(RoleName=role, PolicyName=name)
    return {"role": role, "name": name, "policy": text(policy["PolicyDocument"])}


def _delete_role_policy(aws: Aws, policy_id: str, _state: State) -> None:
    role, _, name = policy_id.partition(":")
    aws.client("iam").delete_role_policy(RoleName=role, PolicyName=name)


ROLE_POLICY = Kind(
    type="aws:iam/rolePolicy:RolePolicy",
    inputs={
        "name": Field(replaces=True),
        "role": Field(required=True, replaces=True),
        "policy": Field(required=True, same=same_json),
    },
    calls=Calls(_put_role_policy, _read_role_policy, _change_role_policy, _delete_role_policy),
    naming=("name", 128),
    has_region=False,
)


def _attach(aws: Aws, wanted: Wanted) -> str:
    iam = aws.client("iam")
    # In AWS, attaching twice has no effect; moto counts two attachments.
    if wanted["policyArn"] not in attached(iam, wanted["role"]):
        iam.attach_role_policy(RoleName=wanted["role"], PolicyArn=wanted["policyArn"])
    return f"{wanted['role']}/{wanted['policyArn']}"


def _read_attachment(aws: Aws, attachment_id: str, _state: State) -> dict[str, Any] | None:
    role, _, arn = attachment_id.partition("/")
    return {"role": role, "policyArn": arn} if arn in attached(aws.client("iam"), role) else None


def _detach(aws: Aws, attachment_id: str, _state: State) -> None:
    role, _, arn = attachment_id.partition("/")
    aws.client("iam").detach_role_policy(RoleName=role, PolicyArn=arn)


ROLE_POLICY_ATTACHMENT = Kind(
    type="aws:iam/rolePolicyAttachment:RolePolicyAttachment",
    inputs={"role": Field(required=True, replaces=True), "policyArn": Field(required=True, replaces=True)},
    calls=Calls(_attach, _read_attachment, None, _detach),
    has_region=False,
)


def _create_oidc(aws: Aws, wanted: Wanted) -> str:
    iam = aws.client("iam")
    arn = aws.arn("iam", f"oidc-provider/{wanted['url'].removeprefix('https://')}", region=False)

    def tags() -> Any:
        return iam.list_open_id_connect_provider_tags(OpenIDConnectProviderArn=arn)["Tags"]

    with created_once(iam.exceptions.EntityAlreadyExistsException, wanted, tags):
        return iam.create_open_id_connect_provider(
            Url=wanted["url"],
            ClientIDList=wanted["clientIdLists"],
            ThumbprintList=wanted.get("thumbprintLists", []),
            Tags=tag_list(wanted.all_tags),
        )["OpenIDConnectProviderArn"]
    return arn


def _change_oidc(aws: Aws, arn: str, wanted: Wanted, changed: set[str]) -> None:
    iam = aws.client("iam")
    if "thumbprintLists" in changed:
        prints = wanted.get("thumbprintLists", [])
        iam.update_open_id_connect_provider_thumbprint(OpenIDConnectProviderArn=arn, ThumbprintList=prints)
    if "clientIdLists" in changed:
        has = set(iam.get_open_id_connect_provider(OpenIDConnectProviderArn=arn)["ClientIDList"])
        for client in sorted(set(wanted["clientIdLists"]) - has):
            iam.add_client_id_to_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=client)
        for client in sorted(has - set(wanted["clientIdLists"])):
            iam.remove_client_id_from_open_id_connect_provider(OpenIDConnectProviderArn=arn, ClientID=client)


def _read_oidc(aws: Aws, arn: str, _state: State) -> dict[str, Any] | None:
    provider = aws.client("iam").get_open_id_connect_provider(OpenIDConnectProviderArn=arn)
    return {
        "url": provider["Url"].removeprefix("https://"),
        "clientIdLists": provider["ClientIDList"],
        "thumbprintLists": provider.get("ThumbprintList") or [],
        "arn": arn,
        "tagsAll": tag_map(provider.get("Tags")),
    }


OIDC_PROVIDER = Kind(
    type="aws:iam/openIdConnectProvider:OpenIdConnectProvider",
    inputs={
        "url": Field(required=True, replaces=True, same=same_by(lambda url: str(url).removeprefix("https://"))),
        "clientIdLists": Field(required=True, same=same_set),
        "thumbprintLists": Field(same=same_set),
    },
    outputs=("arn",),
    calls=Calls(
        _create_oidc,
        _read_oidc,
        _change_oidc,
        deleting("iam", "delete_open_id_connect_provider", "OpenIDConnectProviderArn"),
    ),
    retag=retag("open_id_connect_provider", "OpenIDConnectProviderArn"),
    respelled=("url",),
    has_region=False,
)

KINDS = (POLICY, ROLE_POLICY, ROLE_POLICY_ATTACHMENT, OIDC_PROVIDER)
