"""What Ingresses request from the controller, compared with the controller's IAM policy.

If the chart has a flag for a feature, the controller itself reports that the feature is off. These features have no
flag: the call fails when the load balancer exists already, and the Ingress waits for ever.
"""

from collections.abc import Iterator
from typing import Any, Final

from kinds.annotations import ALB
from kinds.documents import allowed_actions, matches
from kinds.iam import PERMISSIONS
from kinds.ingresses import INGRESS
from pack.controls import INSTALLATION, LEAST_IN_AWS
from pack.registry import MEDIUM, Messages, Stack, rule, texts
from pack.values import unknown

_COGNITO: Final = "cognito-idp:DescribeUserPoolClient"
_DISCOVERY: Final = "acm:ListCertificates"


@rule(
    on=INGRESS,
    instead="Grant the controller the actions, or name the certificate by its ARN and log users in by other means",
    source=INSTALLATION,
    severity=MEDIUM,
    controls=[LEAST_IN_AWS],
    actions=texts(["elasticloadbalancing:CreateLoadBalancer"], "the actions by which the controller's policy is known"),
)
def ingress_asks_for_what_the_controller_may(ingress: Any, stack: Stack, *, actions: list[str]) -> Messages:
    """An Ingress uses only features that the controller's IAM policy allows.

    The controller has no flag to turn off log-in by Cognito and certificates found by host name. It tries, IAM refuses,
    and the Ingress never becomes ready.
    """
    granted = _granted(stack, actions)
    if granted is None:
        return
    for feature, action in _needs(ingress):
        if not matches(action, granted):
            yield f"{ingress.title} asks for {feature}, and the controller has no {action}"


def _granted(stack: Stack, known_by: list[str]) -> list[str] | None:
    """Every action of the policies of the stack's controllers; None if the stack has no such policy."""
    found: list[str] = []
    for carrier in stack.of(PERMISSIONS):
        granted = [action for document in carrier.documents or [] for _, action in allowed_actions(document)]
        if any(matches(action, granted) for action in known_by):
            found += granted
    return found or None


def _needs(ingress: Any) -> Iterator[tuple[str, str]]:
    values = [value for key, value in ingress.annotations.items() if key.startswith(f"{ALB}actions.")]
    if ingress.of_balancer("auth-type") == "cognito" or any("authenticate-cognito" in str(one) for one in values):
        yield "log-in by Cognito", _COGNITO
    named = ingress.of_balancer("certificate-arn")
    secure = any(protocol == "HTTPS" for protocol, _ in ingress.listeners)
    if secure and not named and not unknown(named):
        yield "a certificate found by host name", _DISCOVERY
