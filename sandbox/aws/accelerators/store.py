"""Accelerators as plain data: the documents that the API returns, in the tree that AWS's ARNs describe."""

from dataclasses import dataclass, field
from typing import Any

from sandbox.aws.determinism import now
from sandbox.run.latency import Latency

Document = dict[str, Any]


class AcceleratorError(Exception):
    """An error that the caller sees: https://docs.aws.amazon.com/global-accelerator/latest/api/CommonErrors.html."""

    @property
    def code(self) -> str:
        """The name that AWS gives it."""
        return f"{type(self).__name__.removesuffix('Error')}Exception"


class InvalidArgumentError(AcceleratorError):
    """An argument's value is not allowed."""


class InvalidPortRangeError(AcceleratorError):
    """A listener's ports overlap with another's, or end before they begin."""


class InvalidNextTokenError(AcceleratorError):
    """No page of a list begins at that token."""


class LimitExceededError(AcceleratorError):
    """The account has as many of them as it may have."""


class AcceleratorNotFoundError(AcceleratorError):
    """No accelerator has that ARN."""


class ListenerNotFoundError(AcceleratorError):
    """No listener has that ARN."""


class EndpointGroupNotFoundError(AcceleratorError):
    """No endpoint group has that ARN."""


class EndpointGroupAlreadyExistsError(AcceleratorError):
    """The listener has an endpoint group in that region."""


class AcceleratorNotDisabledError(AcceleratorError):
    """Only a disabled accelerator can be deleted."""


class AssociatedListenerFoundError(AcceleratorError):
    """An accelerator with listeners cannot be deleted."""


class AssociatedEndpointGroupFoundError(AcceleratorError):
    """A listener with endpoint groups cannot be deleted."""


@dataclass
class EndpointGroup:
    """One endpoint group; `document` is what DescribeEndpointGroup returns, but for its endpoints' health."""

    document: Document
    endpoints: dict[str, Document] = field(default_factory=dict[str, Document])
    """By id: `{"EndpointId", "Weight", "ClientIPPreservationEnabled"}`."""


@dataclass
class Listener:
    """One listener; `document` is what DescribeListener returns."""

    document: Document
    groups: dict[str, EndpointGroup] = field(default_factory=dict[str, EndpointGroup])
    """By ARN."""


@dataclass
class Accelerator:
    """One accelerator; `document` is what DescribeAccelerator returns."""

    document: Document
    tags: dict[str, str]
    changed: float = 0.0
    """When it last changed, in seconds since 1970."""
    listeners: dict[str, Listener] = field(default_factory=dict[str, Listener])
    """By ARN."""


@dataclass
class Accelerators:
    """All accelerators of the account."""

    account: str
    partition: str
    region: str
    """The sandbox's: load balancers of other regions do not exist."""
    latency: Latency = field(default_factory=Latency)
    by_arn: dict[str, Accelerator] = field(default_factory=dict[str, Accelerator])
    made: dict[str, str] = field(default_factory=dict[str, str])
    """Idempotency token -> the ARN that it created."""

    def described(self, accelerator: Accelerator) -> Document:
        """An accelerator's document, with the status of now."""
        document = accelerator.document
        ready = accelerator.changed + self.latency.ready("accelerator", document["Name"])
        return {**document, "Status": "DEPLOYED" if now() >= ready else "IN_PROGRESS"}

    def repeated(self, token: str) -> str | None:
        """The ARN of what an idempotency token created, if it still exists."""
        arn = self.made.get(token, "")
        return arn if self._find(arn) else None

    def accelerator(self, arn: str) -> Accelerator:
        """The accelerator that an ARN names, also as the owner of what is below it.

        Raises:
            AcceleratorNotFoundError: it does not exist.
        """
        found = self._find(arn.partition("/listener/")[0])
        if not isinstance(found, Accelerator):
            raise AcceleratorNotFoundError(f"The accelerator {arn} does not exist")
        return found

    def listener(self, arn: str) -> Listener:
        """The listener that an ARN names, also as the owner of an endpoint group.

        Raises:
            ListenerNotFoundError: it does not exist.
        """
        found = self._find(arn.partition("/endpoint-group/")[0])
        if not isinstance(found, Listener):
            raise ListenerNotFoundError(f"The listener {arn} does not exist")
        return found

    def group(self, arn: str) -> EndpointGroup:
        """The endpoint group that an ARN names.

        Raises:
            EndpointGroupNotFoundError: it does not exist.
        """
        found = self._find(arn)
        if not isinstance(found, EndpointGroup):
            raise EndpointGroupNotFoundError(f"The endpoint group {arn} does not exist")
        return found

    def _find(self, arn: str) -> Accelerator | Listener | EndpointGroup | None:
        for accelerator in self.by_arn.values():
            parts = {accelerator.document["AcceleratorArn"]: accelerator, **accelerator.listeners}
            for listener in accelerator.listeners.values():
                parts |= listener.groups
            if arn in parts:
                return parts[arn]
        return None
