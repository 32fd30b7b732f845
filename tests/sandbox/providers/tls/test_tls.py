"""Keys and certificates of the tls stand-in."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import serialization
from cryptography.x509.verification import PolicyBuilder, Store

from sandbox.providers.common.server import ProviderError
from sandbox.providers.common.values import UNKNOWN, plain_properties, secret_keys
from sandbox.providers.tls.kinds import KINDS
from sandbox.providers.tls.provider import TlsProvider
from tests.sandbox.providers.aws.engine import CheckError, Engine, urn

KEY = "tls:index/privateKey:PrivateKey"
REQUEST = "tls:index/certRequest:CertRequest"
SELF_SIGNED = "tls:index/selfSignedCert:SelfSignedCert"
SIGNED = "tls:index/locallySignedCert:LocallySignedCert"
START = datetime(2030, 1, 1, 12, tzinfo=UTC)


class Clock:
    """A clock that stands until it is moved."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        return self.now


@pytest.fixture(name="clock")
def fixture_clock() -> Clock:
    return Clock()


@pytest.fixture(name="engine")
def fixture_engine(clock: Clock) -> Engine:
    return Engine(TlsProvider(clock))


def authority(engine: Engine, **more: Any) -> dict[str, Any]:
    key = engine.up(KEY, "authority", {"algorithm": "ECDSA", "ecdsaCurve": "P256"})
    inputs = {
        "privateKeyPem": key["privateKeyPem"],
        "subject": {"commonName": "authority"},
        "isCaCertificate": True,
        "allowedUses": ["cert_signing", "crl_signing", "digital_signature"],
        "validityPeriodHours": 24 * 365,
        **more,
    }
    return {
        "caPrivateKeyPem": key["privateKeyPem"],
        "caCertPem": engine.up(SELF_SIGNED, "authority", inputs)["certPem"],
    }


def server_inputs(engine: Engine, **more: Any) -> dict[str, Any]:
    key = engine.up(KEY, "server", {"algorithm": "RSA"})
    asked = {"privateKeyPem": key["privateKeyPem"], "dnsNames": ["webhook.kube-system.svc"]}
    return {
        **authority(engine),
        "certRequestPem": engine.up(REQUEST, "server", asked)["certRequestPem"],
        "allowedUses": ["digital_signature", "server_auth"],
        "validityPeriodHours": 48,
        **more,
    }


def test_a_locally_signed_certificate_verifies_against_its_authority(engine: Engine) -> None:
    inputs = server_inputs(engine)
    leaf = x509.load_pem_x509_certificate(engine.up(SIGNED, "server", inputs)["certPem"].encode())
    roots = Store([x509.load_pem_x509_certificate(inputs["caCertPem"].encode())])
    verifier = PolicyBuilder().store(roots).time(START + timedelta(hours=1))
    verified = verifier.build_server_verifier(x509.DNSName("webhook.kube-system.svc")).verify(leaf, [])
    assert len(verified) == 2


def test_a_certificate_is_replaced_when_its_renewal_is_due_and_not_before(engine: Engine, clock: Clock) -> None:
    inputs = server_inputs(engine, earlyRenewalHours=12)
    first = engine.up(SIGNED, "server", inputs)
    clock.now = START + timedelta(hours=35, minutes=59)
    assert not engine.diff(SIGNED, "server", inputs).changes
    clock.now = START + timedelta(hours=36)
    assert engine.diff(SIGNED, "server", inputs).replaces == ["readyForRenewal"]
    second = engine.up(SIGNED, "server", inputs)
    assert second["certPem"] != first["certPem"]
    assert second["validityEndTime"] == "2030-01-05T00:00:00Z"
    assert not engine.diff(SIGNED, "server", inputs).changes


def test_new_hours_of_early_renewal_keep_the_certificate(engine: Engine) -> None:
    inputs = server_inputs(engine)
    first = engine.up(SIGNED, "server", inputs)
    assert engine.up(SIGNED, "server", {**inputs, "earlyRenewalHours": 1})["certPem"] == first["certPem"]


def test_a_refresh_says_that_a_renewal_is_due(engine: Engine, clock: Clock) -> None:
    inputs = server_inputs(engine)
    engine.up(SIGNED, "server", inputs)
    clock.now = START + timedelta(hours=49)
    assert engine.refresh(SIGNED, "server") == ["readyForRenewal"]
    assert engine.stack[urn(SIGNED, "server")]["readyForRenewal"] is True


@pytest.mark.parametrize("algorithm", ["RSA", "ECDSA", "ED25519"])
def test_all_forms_of_a_key_are_the_same_key(engine: Engine, algorithm: str) -> None:
    key = engine.up(KEY, algorithm, {"algorithm": algorithm, "ecdsaCurve": "P384"})
    public = [
        serialization.load_pem_private_key(key["privateKeyPem"].encode(), None).public_key(),
        serialization.load_pem_private_key(key["privateKeyPemPkcs8"].encode(), None).public_key(),
        serialization.load_ssh_private_key(key["privateKeyOpenssh"].encode(), None).public_key(),
        serialization.load_pem_public_key(key["publicKeyPem"].encode()),
        serialization.load_ssh_public_key(key["publicKeyOpenssh"].encode()),
    ]
    pem = {
        one.public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo) for one in public
    }
    assert len(pem) == 1


def test_a_key_is_secret_in_every_form(engine: Engine) -> None:
    state = engine.up(KEY, "key", {"algorithm": "ED25519"}).state
    assert secret_keys(state) == {"privateKeyPem", "privateKeyOpenssh", "privateKeyPemPkcs8"}


def test_a_preview_knows_no_key(engine: Engine) -> None:
    shown = engine.preview(KEY, "key", {"algorithm": "RSA"})
    assert {name for name, value in shown.items() if value is UNKNOWN} == set(KINDS[KEY].outputs)


@pytest.mark.parametrize(
    ("token", "inputs", "says"),
    [
        (KEY, {"algorithm": "RSA", "rsaBit": 4096}, "has no input `rsaBit`; did you mean `rsaBits`?"),
        (KEY, {}, "`algorithm` is missing"),
        (SELF_SIGNED, {"privateKeyPemWo": "x"}, "stand-in does not know the input `privateKeyPemWo`"),
        (REQUEST, {"privateKeyPem": "x", "subject": {"commonNme": "x"}}, "did you mean `commonName`?"),
    ],
)
def test_a_wrong_input_is_named(engine: Engine, token: str, inputs: dict[str, Any], says: str) -> None:
    with pytest.raises(CheckError) as caught:
        engine.up(
            token, "x", {"allowedUses": [], "validityPeriodHours": 1, **inputs} if token == SELF_SIGNED else inputs
        )
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"caPrivateKeyPem": "not a key"}, "`caPrivateKeyPem` is not a private key in PEM"),
        ({"caCertPem": "not one"}, "give both as PEM"),
        ({"allowedUses": ["server_aut"]}, "`allowedUses` has 'server_aut'"),
    ],
)
def test_what_cannot_be_signed_is_refused_in_one_line(engine: Engine, wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ProviderError) as caught:
        engine.up(SIGNED, "x", server_inputs(engine, **wrong))
    assert says in str(caught.value)
    assert "\n" not in str(caught.value)
    assert "BEGIN" not in str(caught.value)


def test_a_key_that_is_not_the_authoritys_is_refused(engine: Engine) -> None:
    other = engine.up(KEY, "other", {"algorithm": "ED25519"})["privateKeyPem"]
    with pytest.raises(ProviderError, match="not the key of `caCertPem`"):
        engine.up(SIGNED, "x", server_inputs(engine, caPrivateKeyPem=other))


@pytest.mark.parametrize("token", KINDS)
def test_every_property_exists_in_the_installed_sdk(token: str) -> None:
    import pulumi_tls  # noqa: PLC0415 - a second that the other tests do not need
    from pulumi._types import input_type_py_to_pulumi_names, resource_types  # noqa: PLC0415

    name = token.rpartition(":")[2]
    assert set(KINDS[token].inputs) <= set(input_type_py_to_pulumi_names(getattr(pulumi_tls, f"{name}Args")).values())
    assert set(KINDS[token].outputs) <= set(resource_types(getattr(pulumi_tls, name)))


def test_an_unknown_type_is_named_with_a_known_one(engine: Engine) -> None:
    with pytest.raises(ProviderError, match="tls:index/privateKe:PrivateKe is not supported by the sandbox's stand-in"):
        engine.up("tls:index/privateKe:PrivateKe", "x", {})


def test_a_child_of_a_component_is_known_by_its_own_type(engine: Engine) -> None:
    assert plain_properties(engine.up(f"pkg:index:Component${KEY}", "x", {"algorithm": "ED25519"}).state)["algorithm"]
