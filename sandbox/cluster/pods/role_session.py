"""A session of a pod's role, as a `credential_process` of the AWS SDKs prints it.

    role_session.py ENDPOINT ROLE_ARN TOKEN_FILE SESSION_NAME

It exchanges the pod's token at the sandbox's STS. Standard library only: the SDK runs this file for every session.
https://docs.aws.amazon.com/sdkref/latest/guide/feature-process-credentials.html
"""

import json
import re
import shlex
import sys
import urllib.error
import urllib.parse
import urllib.request
from pathlib import Path

_SECONDS = 3600
_TIMEOUT_SECONDS = 10


def aws_profile(endpoint: str, role: str, token_file: str, session: str) -> str:
    """A configuration file of the AWS SDKs whose credentials are a session of a role.

    Args:
        endpoint: the URL of the sandbox's AWS.
        role: the role's ARN.
        token_file: the path of the service account's token.
        session: the session's name; characters that AWS does not allow become dashes.
    """
    name = re.sub(r"[^\w+=,.@-]", "-", session)[:64]
    command = [sys.executable, "-S", "-E", __file__, endpoint, role, token_file, name]
    return f"[default]\ncredential_process = {shlex.join(command)}\n"


def printed(answer: str) -> str:
    """The output of a `credential_process`, from the answer of AssumeRoleWithWebIdentity."""
    names = ("AccessKeyId", "SecretAccessKey", "SessionToken", "Expiration")
    found = {name: re.search(f"<{name}>([^<]+)</{name}>", answer) for name in names}
    return json.dumps({"Version": 1, **{name: match[1] for name, match in found.items() if match}})


def main() -> None:
    """Exchange the token and print the session; an STS error goes to stderr."""
    endpoint, role, token_file, session = sys.argv[1:]
    fields = {
        "Action": "AssumeRoleWithWebIdentity",
        "Version": "2011-06-15",
        "RoleArn": role,
        "RoleSessionName": session,
        "WebIdentityToken": Path(token_file).read_text(),
        "DurationSeconds": _SECONDS,
    }
    request = urllib.request.Request(  # noqa: S310 - the sandbox's own endpoint
        endpoint, urllib.parse.urlencode(fields).encode(), {"Host": "sts.amazonaws.com"}
    )
    try:
        with urllib.request.urlopen(request, timeout=_TIMEOUT_SECONDS) as answer:  # noqa: S310 - as above
            sys.stdout.write(printed(answer.read().decode()))
    except urllib.error.HTTPError as error:
        sys.exit(error.read().decode())


if __name__ == "__main__":
    main()
