"""Working in the sandbox as one of its IAM roles instead of root: a deployer's, for example."""

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.run.clients import client
from sandbox.run.state import State, StateError


def session(state: State, role: str) -> dict[str, str]:
    """The environment variables of a session of a role, as long as the role allows.

    Args:
        state: the sandbox's.
        role: the role's ARN or name. Its trust policy must admit the account.

    Raises:
        StateError: the role does not exist, or does not trust the account.
    """
    name = role.rpartition("/")[2]
    try:
        iam, sts = (client(state, service) for service in ("iam", "sts"))
        found = iam.get_role(RoleName=name)["Role"]
        longest = found.get("MaxSessionDuration", 3600)
        given = sts.assume_role(RoleArn=found["Arn"], RoleSessionName="sandbox", DurationSeconds=longest)["Credentials"]
    except (ClientError, BotoCoreError) as error:
        raise StateError(f"no session of role {name}: {error}") from None
    return {
        "AWS_ACCESS_KEY_ID": given["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": given["SecretAccessKey"],
        "AWS_SESSION_TOKEN": given["SessionToken"],
    }
