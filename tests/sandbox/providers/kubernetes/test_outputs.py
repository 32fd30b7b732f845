"""Output values as the engine sends them to components."""

from google.protobuf import json_format, struct_pb2
from pulumi.provider.experimental.property_value import PropertyValue
from pulumi.runtime import rpc

from sandbox.providers.common.outputs import complete
from sandbox.providers.common.values import UNKNOWN, Secret, marked


def test_what_the_engine_leaves_out_of_an_output_is_what_is_not_so() -> None:
    signature = {rpc._special_sig_key: rpc._special_output_value_sig}
    struct = struct_pb2.Struct()
    json_format.ParseDict(
        {
            "plain": "x",
            "values": {
                "known": {**signature, "value": "v"},
                "unknown": {**signature, "dependencies": ["urn"]},
                "secret": [{**signature, "value": "s", "secret": True}],
                "nested": {**signature, "value": {"inner": {**signature}}},
            },
        },
        struct,
    )
    complete(struct)
    found = {key: marked(value) for key, value in PropertyValue.unmarshal_map(struct).items()}
    assert found == {
        "plain": "x",
        "values": {"known": "v", "unknown": UNKNOWN, "secret": [Secret("s")], "nested": {"inner": UNKNOWN}},
    }
