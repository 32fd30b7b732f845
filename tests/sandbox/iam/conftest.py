import json
import os
import subprocess
import sys
from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest

from tests.sandbox.aws.harness import ACCOUNT, Aws

CHECKOUT = Path(__file__).parents[3]


class Enforced(Aws):
    """An AWS process that asks IAM about every call."""

    def spawn(self) -> "subprocess.Popen[bytes]":
        argv = [sys.executable, "-m", "tests.sandbox.iam.enforced", "--state-dir", str(self.root)]
        self.state.log("aws").parent.mkdir(parents=True, exist_ok=True)
        path = os.pathsep.join([str(CHECKOUT), *filter(None, [os.environ.get("PYTHONPATH")])])
        environment = {**os.environ, "PYTHONHASHSEED": "0", "PYTHONPATH": path}
        with self.state.log("aws").open("ab") as log:
            return subprocess.Popen(argv, stdout=log, stderr=log, start_new_session=True, env=environment)

    def decisions(self) -> list[dict[str, Any]]:
        """Every decision so far, oldest first."""
        return [json.loads(line) for line in (self.state.aws / "decisions.jsonl").read_text().splitlines()]

    def role(self, name: str, *statements: dict[str, Any]) -> dict[str, str]:
        """A session's keys: of a role of that name with these statements."""
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
    process = Enforced(tmp_path_factory.mktemp("enforced"))
    process.start()
    yield process
    process.end()
