import json
from collections.abc import Generator
from typing import Any

import pytest

from tests.sandbox.aws.harness import ACCOUNT, Aws


class Enforced(Aws):
    """An AWS process, and functions that create roles and sessions in it."""

    def decisions(self) -> list[dict[str, Any]]:
        """Every decision so far, oldest first."""
        return self.get("/_sandbox/iam/log")

    def role(self, name: str, *statements: dict[str, Any]) -> dict[str, str]:
        """A session's keys, for a role of that name with these statements."""
        iam, root = self.client("iam"), f"arn:aws:iam::{ACCOUNT}:root"
        trust = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust))["Role"]["Arn"]
        iam.put_role_policy(RoleName=name, PolicyName="all", PolicyDocument=document(*statements))
        return self.session(arn)

    def session(self, role: str, keys: dict[str, str] | None = None, **more: Any) -> dict[str, str]:
        """A session's keys."""
        given = self.client("sts", keys).assume_role(RoleArn=role, RoleSessionName="test", **more)["Credentials"]
        return {
            "aws_access_key_id": given["AccessKeyId"],
            "aws_secret_access_key": given["SecretAccessKey"],
            "aws_session_token": given["SessionToken"],
        }


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


@pytest.fixture(scope="session")
def enforced(tmp_path_factory: pytest.TempPathFactory) -> Generator[Enforced]:
    with Enforced(tmp_path_factory.mktemp("enforced")) as process:
        yield process
