"""Tags of what a group of Ingresses is served with, from the annotation, the class and the flags."""

from collections.abc import Iterable, Mapping

from sandbox.controller.annotations import ALB, Reader
from sandbox.controller.model.groups import Member
from sandbox.controller.model.objects import annotations
from sandbox.controller.model.stack import Json, ModelError, merged
from sandbox.controller.settings import Settings


def with_defaults(own: Mapping[str, str], settings: Settings) -> dict[str, str]:
    """Tags with the flags' default tags, which win unless the gate says otherwise."""
    if settings.gate("EnableDefaultTagsLowPriority"):
        return merged(own, settings.default_tags)
    return merged(settings.default_tags, own)


def refuse_external(tags: Mapping[str, str], settings: Settings, whose: str) -> None:
    """Refuse tags that others keep.

    Raises:
        ModelError: naming the tag.
    """
    for key in settings.external_managed_tags:
        if key in tags:
            raise ModelError(f"external managed tag key {key} cannot be specified on {whose}")


class IngressTags:
    """The tags of one group's resources."""

    def __init__(self, settings: Settings) -> None:
        """Tags under these flags."""
        self._settings = settings

    def of_member(self, member: Member) -> dict[str, str]:
        """Tags of one Ingress's rules."""
        return with_defaults(self._own(member), self._settings)

    def of_group(self, members: Iterable[Member]) -> dict[str, str]:
        """Tags of what members share.

        Raises:
            ModelError: they contradict each other.
        """
        result: dict[str, str] = {}
        for member in members:
            for key, value in self._own(member).items():
                if result.get(key, value) != value:
                    raise ModelError(f"conflicting tag {key}: {result[key]} | {value}")
                result[key] = value
        return with_defaults(result, self._settings)

    def of_backend(self, member: Member, service: Json) -> dict[str, str]:
        """Tags of a target group: the Service's go before the Ingress's."""
        own = Reader(ALB, annotations(service)).mapping("tags")
        given = merged(own, member.reader().mapping("tags"))
        refuse_external(given, self._settings, f"Ingress {member.name}")
        return with_defaults(merged(self._by_class(member), given), self._settings)

    def _own(self, member: Member) -> dict[str, str]:
        given = member.reader().mapping("tags") or {}
        refuse_external(given, self._settings, f"Ingress {member.name}")
        return merged(self._by_class(member), given)

    def _by_class(self, member: Member) -> dict[str, str]:
        tags = {tag["key"]: tag["value"] for tag in member.params.get("tags") or []}
        refuse_external(tags, self._settings, "IngressClassParams")
        return tags
