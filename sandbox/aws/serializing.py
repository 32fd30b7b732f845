"""Makes moto's answers faster, with the same content: it looks for the same things again for every element.

DescribeInstances of eleven nodes with a hundred pods each has 6,000 members, and the controller asks for every Ingress.
It lists all load balancers and security groups several times for each.
"""

import functools
import marshal
from collections.abc import Mapping
from typing import Any, Final
from xml.sax.saxutils import escape, quoteattr

import xmltodict
from moto.core.constants import MISSING
from moto.core.model import Shape
from moto.core.serialize import (
    AttributePickerContext,
    BaseXMLSerializer,
    ResponseSerializer,
    TimestampSerializer,
    XFormedAttributePicker,
)
from moto.core.utils import get_value as looked_up
from moto.ec2.models.core import TaggedEC2Resource
from moto.ec2.utils import EC2_PREFIX_TO_RESOURCE, get_prefix

from sandbox.aws.patching import replace

_WITHOUT_REFERENCES: Final = 2
"""The version of marshal's format in which equal values have equal bytes."""
_MOST: Final = 50_000
"""The number of structures that are kept."""
_PROLOG: Final = '<?xml version="1.0" encoding="utf-8"?>\n'


def install() -> None:
    """Install the faster parts."""
    _find_members_once()
    _read_timestamps_once()
    _serialize_equal_structures_once()
    replace(TaggedEC2Resource, "get_tags", _tags)
    slow: Any = xmltodict.unparse

    def unparse(document: Mapping[str, Any], **options: Any) -> str:
        plain = options.keys() <= {"full_document", "short_empty_elements", "pretty"} and not options.get("pretty")
        if not plain or len(document) != 1:
            return slow(document, **options)
        short = options.get("short_empty_elements", False)
        elements = [xml(name, value, short=short) for name, value in document.items()]
        return (_PROLOG if options.get("full_document", True) else "") + elements[0]

    replace(xmltodict, "unparse", unparse)


def _find_members_once() -> None:
    found = dict[tuple[type, Shape, str], tuple[str, ...]]()
    before: Any = ResponseSerializer.get_value

    def get_value(self: Any, value: Any, key: str, shape: Shape) -> Any:
        picker = self._value_picker
        if type(picker) is not XFormedAttributePicker:
            return before(self, value, key, shape)
        # The names depend on the object's class and the member, whose shape lives as long as the service's model.
        place = type(value), shape, key
        names = found.get(place)
        if names is None:
            names = found[place] = tuple(
                dict.fromkeys(picker.get_possible_keys(AttributePickerContext(value, key, shape)))
            )
        result = None
        for name in names:
            held = looked_up(value, name, MISSING)
            if held is not MISSING:
                result = held
                break
        if key.endswith(_last_words(picker)):
            path = f"{'.'.join(self.path)}.{key}"
            for end, transform in picker.response_transformers.items():
                if path.endswith(end):
                    return transform(result)
        return result

    replace(ResponseSerializer, "get_value", get_value)


def _read_timestamps_once() -> None:
    convert: Any = vars(TimestampSerializer)["_convert_timestamp_to_str"]
    read = functools.lru_cache(4096)(functools.partial(convert, TimestampSerializer("iso8601")))

    def converted(serializer: TimestampSerializer, value: Any, form: str) -> Any:
        return read(value, form) if isinstance(value, str) else convert(serializer, value, form)

    replace(TimestampSerializer, "_convert_timestamp_to_str", converted)


class Element(dict[str, Any]):
    """A serialized structure, and its XML."""

    def __init__(self, members: Mapping[str, Any]) -> None:
        """Answers share it, and its XML is kept: nobody may change it."""
        super().__init__(members)
        self.written: dict[tuple[str, bool], str] = {}
        """By the element's name, and whether an empty one is short."""


def _serialize_equal_structures_once() -> None:
    made = dict[tuple[Any, ...], tuple[str, Element]]()
    before: Any = vars(ResponseSerializer)["_serialize_type_structure"]

    def serialize(self: Any, serialized: dict[str, Any], value: Any, shape: Shape, key: str) -> None:
        if not key or type(value) is not dict or not isinstance(self, BaseXMLSerializer):
            before(self, serialized, value, shape, key)
            return
        try:
            content = marshal.dumps(value, _WITHOUT_REFERENCES)
        except ValueError:  # it has members that are objects
            before(self, serialized, value, shape, key)
            return
        place = shape, content, *self.path
        if place not in made:
            if len(made) >= _MOST:
                made.clear()
            wrapper = dict[str, Any]()
            before(self, wrapper, value, shape, key)
            ((name, members),) = wrapper.items()
            made[place] = name, Element(members)
        name, element = made[place]
        serialized[name] = element

    replace(ResponseSerializer, "_serialize_type_structure", serialize)


def _tags(self: Any) -> list[dict[str, str]]:
    """The tags of one of EC2's resources; moto compares each tag of the account with its id."""
    kind = EC2_PREFIX_TO_RESOURCE.get(get_prefix(self.id), "") if self.id else ""
    held: dict[str, str] = self.ec2_backend.tags.get(self.id, {})
    return [{"resource_id": self.id, "key": key, "value": value, "resource_type": kind} for key, value in held.items()]


def xml(name: str, value: Any, *, short: bool) -> str:
    """An element, or one for each member of a list; `short` writes an empty one as a single tag."""
    if isinstance(value, list | tuple | set):
        return "".join(xml(name, one, short=short) for one in value)
    if isinstance(value, Element):
        if (name, short) not in value.written:
            value.written[name, short] = xml(name, dict(value), short=short)
        return value.written[name, short]
    if not isinstance(value, dict):
        attributes, inner = "", escape(_text(value))
    else:
        attributes = "".join(f" {key[1:]}={quoteattr(_text(v))}" for key, v in value.items() if key.startswith("@"))
        inner = "".join(xml(key, member, short=short) for key, member in value.items() if key[0] not in "@#")
        inner += escape(_text(value.get("#text")))
    if short and not inner:
        return f"<{name}{attributes}/>"
    return f"<{name}{attributes}>{inner}</{name}>"


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None else str(value)


def _last_words(picker: Any) -> tuple[str, ...]:
    """How the members end whose values a picker may transform."""
    if "last_words" not in picker.__dict__:
        picker.last_words = tuple(path.rpartition(".")[2] for path in picker.response_transformers)
    return picker.last_words
