"""IAM: a policy in use, or with more versions than its default, cannot be deleted.

https://docs.aws.amazon.com/IAM/latest/APIReference/API_DeletePolicy.html
"""

from typing import Any

from moto.iam.exceptions import DeleteConflictException
from moto.iam.models import IAMBackend

from sandbox.aws.patching import replace


def install() -> None:
    """Install the corrections."""
    delete = IAMBackend.delete_policy

    def delete_policy(self: IAMBackend, policy_arn: str) -> None:
        policy: Any = self.get_policy(policy_arn)
        if policy.attachment_count:
            raise DeleteConflictException("Cannot delete a policy attached to entities.")
        if len(policy.versions) > 1:
            raise DeleteConflictException(
                "This policy has more than one version. Before you delete a policy, you must delete the policy's"
                " versions. The default version is deleted with the policy."
            )
        delete(self, policy_arn)

    replace(IAMBackend, "delete_policy", delete_policy)
