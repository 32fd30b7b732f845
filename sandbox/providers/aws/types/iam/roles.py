"""IAM: roles. Global: no `region`."""

import json
from typing import Any
from urllib.parse import unquote

from sandbox.providers.aws.kind import (
    Calls,
    Kind,
    Retag,
    State,
    Wanted,
    created_once,
    retagging,
    same_json,
    tag_list,
    tag_map,
)
from sandbox.providers.aws.session import Aws
from sandbox.providers.common.fields import Field, same_by, same_set


def retag(kind: str, parameter: str) -> Retag:
    """Sets and removes tags of what IAM knows by this parameter."""
    return retagging(
        "iam",
        lambda iam, name, keys: getattr(iam, f"untag_{kind}")(**{parameter: name}, TagKeys=keys),
        lambda iam, name, tags: getattr(iam, f"tag_{kind}")(**{parameter: name}, Tags=tag_list(tags)),
    )


def text(document: Any) -> str:
    """A policy document as text; boto3 parses the URL-encoded JSON from the API."""
    return unquote(document) if isinstance(document, str) else json.dumps(document)


def _create_role(aws: Aws, wanted: Wanted) -> str:
    iam = aws.client("iam")
    exists = iam.exceptions.EntityAlreadyExistsException
    with created_once(exists, wanted, lambda: iam.list_role_tags(RoleName=wanted["name"])["Tags"]):
        iam.create_role(
            RoleName=wanted["name"],
            AssumeRolePolicyDocument=wanted["assumeRolePolicy"],
            Path=wanted.get("path", "/"),
            MaxSessionDuration=wanted.get("maxSessionDuration", 3600),
            **wanted.parameters("description", "permissionsBoundary"),
            Tags=tag_list(wanted.all_tags),
        )
    _change_role(aws, wanted["name"], wanted, {"inlinePolicies", "managedPolicyArns"} & set(wanted.inputs))
    return wanted["name"]


def _change_role(aws: Aws, name: str, wanted: Wanted, changed: set[str]) -> None:
    iam = aws.client("iam")
    if "assumeRolePolicy" in changed:
        iam.update_assume_role_policy(RoleName=name, PolicyDocument=wanted["assumeRolePolicy"])
    if {"description", "maxSessionDuration"} & changed:
        duration = wanted.get("maxSessionDuration", 3600)
        iam.update_role(RoleName=name, Description=wanted.get("description", ""), MaxSessionDuration=duration)
    if "permissionsBoundary" in changed and wanted.get("permissionsBoundary"):
        iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=wanted["permissionsBoundary"])
    elif "permissionsBoundary" in changed:
        iam.delete_role_permissions_boundary(RoleName=name)
    _change_policies(iam, name, wanted, changed)


def _change_policies(iam: Any, name: str, wanted: Wanted, changed: set[str]) -> None:
    if "managedPolicyArns" in changed:
        has, wants = set(attached(iam, name)), set(wanted.get("managedPolicyArns", ()))
        for arn in sorted(has - wants):
            iam.detach_role_policy(RoleName=name, PolicyArn=arn)
        for arn in sorted(wants - has):
            iam.attach_role_policy(RoleName=name, PolicyArn=arn)
    if "inlinePolicies" in changed:
        policies = {policy["name"]: policy["policy"] for policy in wanted.get("inlinePolicies", ()) if policy}
        for gone in set(iam.list_role_policies(RoleName=name)["PolicyNames"]) - set(policies):
            iam.delete_role_policy(RoleName=name, PolicyName=gone)
        for policy_name, policy in policies.items():
            iam.put_role_policy(RoleName=name, PolicyName=policy_name, PolicyDocument=policy)


def attached(iam: Any, name: str) -> list[str]:
    """The ARNs of the policies attached to a role."""
    return [policy["PolicyArn"] for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]]


def _read_role(aws: Aws, name: str, state: State) -> dict[str, Any] | None:
    iam = aws.client("iam")
    role = iam.get_role(RoleName=name)["Role"]
    live = {
        "name": role["RoleName"],
        "assumeRolePolicy": text(role["AssumeRolePolicyDocument"]),
        "description": role.get("Description") or "",
        "path": role["Path"],
        "maxSessionDuration": role.get("MaxSessionDuration", 3600),
        "permissionsBoundary": (role.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn"),
        "arn": role["Arn"],
        "createDate": role["CreateDate"].strftime("%Y-%m-%dT%H:%M:%SZ"),
        "uniqueId": role["RoleId"],
        "tagsAll": tag_map(role.get("Tags")),
    }
    # Policies that other resources attach do not belong to this one, unless the program lists them here.
    if "managedPolicyArns" in state:
        live["managedPolicyArns"] = attached(iam, name)
    if "inlinePolicies" in state:
        live["inlinePolicies"] = [
            {"name": each, "policy": text(iam.get_role_policy(RoleName=name, PolicyName=each)["PolicyDocument"])}
            for each in iam.list_role_policies(RoleName=name)["PolicyNames"]
        ]
    return live


def _delete_role(aws: Aws, name: str, state: State) -> None:
    iam = aws.client("iam")
    force = bool(state.get("forceDetachPolicies"))
    if force or "managedPolicyArns" in state:
        for arn in attached(iam, name):
            iam.detach_role_policy(RoleName=name, PolicyArn=arn)
    if force or "inlinePolicies" in state:
        for policy in iam.list_role_policies(RoleName=name)["PolicyNames"]:
            iam.delete_role_policy(RoleName=name, PolicyName=policy)
    iam.delete_role(RoleName=name)


def _inline(policies: Any) -> dict[str, Any]:
    """In-line policies by name, without their order and spelling."""
    return {each["name"]: json.loads(each["policy"]) for each in policies if each}


ROLE = Kind(
    type="aws:iam/role:Role",
    inputs={
        "name": Field(replaces=True),
        "assumeRolePolicy": Field(required=True, same=same_json),
        "description": Field(default=""),
        "path": Field(replaces=True, default="/"),
        "maxSessionDuration": Field(default=3600),
        "permissionsBoundary": Field(),
        "forceDetachPolicies": Field(default=False),
        "managedPolicyArns": Field(same=same_set),
        "inlinePolicies": Field(same=same_by(_inline), inside={"name": Field(), "policy": Field()}),
    },
    outputs=("arn", "createDate", "uniqueId"),
    calls=Calls(_create_role, _read_role, _change_role, _delete_role),
    retag=retag("role", "RoleName"),
    naming=("name", 64),
    has_region=False,
)

KINDS = (ROLE,)
