"""Output values on the wire, in the form that the SDK's reader needs.

The engine omits parts of an output value that do not apply: `secret` if it is not secret, `dependencies` if there are
none, `value` if it is unknown. `PropertyValue.unmarshal` (SDK 3.272.0) needs all three.
"""

from google.protobuf import struct_pb2
from pulumi.runtime import rpc


def complete(struct: struct_pb2.Struct) -> None:
    """Adds what the engine omitted to each output value in a struct, at any depth."""
    for value in struct.fields.values():
        _complete(value)


def _complete(value: struct_pb2.Value) -> None:
    match value.WhichOneof("kind"):
        case "list_value":
            for item in value.list_value.values:
                _complete(item)
        case "struct_value":
            fields = value.struct_value.fields
            signature = fields[rpc._special_sig_key].string_value if rpc._special_sig_key in fields else ""  # noqa: SLF001 - the wire format's own
            if signature == rpc._special_output_value_sig:  # noqa: SLF001 - the wire format's own
                for name, absent in _ABSENT.items():
                    if name not in fields:
                        fields[name].CopyFrom(absent)
            complete(value.struct_value)
        case _:
            pass


_ABSENT = {
    "value": struct_pb2.Value(string_value=rpc.UNKNOWN),
    "secret": struct_pb2.Value(bool_value=False),
    "dependencies": struct_pb2.Value(list_value=struct_pb2.ListValue()),
}
