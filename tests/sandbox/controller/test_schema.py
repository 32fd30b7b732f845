import pytest

from sandbox.controller.model import schema
from sandbox.controller.model.schema import shaped


def test_field_names_are_taken_in_any_case() -> None:
    old = {"Type": "redirect", "RedirectConfig": {"Protocol": "HTTPS", "Port": "443", "StatusCode": "HTTP_301"}}
    assert shaped(old, schema.ACTION) == {
        "type": "redirect",
        "redirectConfig": {"protocol": "HTTPS", "port": "443", "statusCode": "HTTP_301"},
    }


def test_unknown_fields_and_nulls_are_passed_over() -> None:
    assert shaped({"type": "forward", "forwardConfig": None, "comment": 1}, schema.ACTION) == {"type": "forward"}


def test_names_that_users_choose_keep_their_case() -> None:
    login = {"issuer": "x", "authenticationRequestExtraParams": {"KeY": "v"}}
    assert shaped(login, schema.OIDC)["authenticationRequestExtraParams"] == {"KeY": "v"}


@pytest.mark.parametrize("port", [80, "80", "http"])
def test_a_port_is_a_number_or_a_name(port: int | str) -> None:
    groups = shaped({"forwardConfig": {"targetGroups": [{"servicePort": port}]}}, schema.ACTION)
    assert groups["forwardConfig"]["targetGroups"] == [{"servicePort": port}]


@pytest.mark.parametrize(
    ("value", "shape", "message"),
    [
        ({"fixedResponseConfig": {"statusCode": 404}}, schema.ACTION, "number where string.*Config.statusCode"),
        ({"forwardConfig": {"targetGroups": {}}}, schema.ACTION, "object where array"),
        ({"forwardConfig": {"targetGroups": [{"weight": "1"}]}}, schema.ACTION, "string where int32"),
        ({"forwardConfig": {"targetGroups": [{"weight": 1.5}]}}, schema.ACTION, "number where int32"),
        ({"forwardConfig": {"targetGroups": [{"weight": True}]}}, schema.ACTION, "bool where int32"),
        ([{"HTTP": "80"}], schema.LISTEN_PORTS, "string where int32"),
        ([{"HTTP": 2**31}], schema.LISTEN_PORTS, "number where int32"),
        ([], schema.ACTION, "array where object"),
    ],
)
def test_a_value_of_another_type_is_refused_with_its_place(value: object, shape: schema.Shape, message: str) -> None:
    with pytest.raises(ValueError, match=message):
        shaped(value, shape)
