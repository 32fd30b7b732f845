"""Trust stores of ELBv2, which moto lacks: bundles of CA certificates and revocation lists, read from S3.

https://docs.aws.amazon.com/elasticloadbalancing/latest/application/mutual-authentication.html
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from cryptography import x509
from cryptography.hazmat.primitives import serialization
from moto.core.responses import ActionResult, EmptyResult
from moto.elbv2.models import ELBv2Backend
from moto.elbv2.responses import ELBV2Response
from moto.moto_api._internal import mock_random

from sandbox.aws.corrections.elbv2.limits import CA_CERTIFICATES, REVOCATION_LISTS, TRUST_STORES, check_room, check_tags
from sandbox.aws.refusal import Refusal

_END = b"-----END X509 CRL-----"


@dataclass
class Place:
    """An object in S3, or one of its versions."""

    bucket: str
    key: str
    version: str | None = None

    @property
    def location(self) -> str:
        """Where AWS says that the object is."""
        more = f"?versionId={self.version}" if self.version else ""
        return f"https://{self.bucket}.s3.amazonaws.com/{self.key}{more}"


@dataclass
class Revocations:
    """A revocation list, with AWS's names in Python's form."""

    trust_store_arn: str
    revocation_id: int
    place: Place
    number_of_revoked_entries: int
    revocation_type: str = "CRL"


@dataclass
class TrustStore:
    """A trust store, with AWS's names in Python's form."""

    name: str
    trust_store_arn: str
    place: Place
    number_of_ca_certificates: int
    status: str = "ACTIVE"
    revocations: dict[int, Revocations] = field(default_factory=dict[int, Revocations])

    @property
    def total_revoked_entries(self) -> int:
        """The number of entries in all its lists."""
        return sum(one.number_of_revoked_entries for one in self.revocations.values())


class TrustStores(dict[str, TrustStore]):
    """All of an account, by ARN."""

    def find(self, arn: str) -> TrustStore:
        """The trust store with this ARN."""
        if arn not in self:
            raise Refusal("TrustStoreNotFound", f"Trust store '{arn}' not found")
        return self[arn]

    def named(self, name: str) -> TrustStore:
        """The trust store with this name."""
        found = next((store for store in self.values() if store.name == name), None)
        if found is None:
            raise Refusal("TrustStoreNotFound", f"One or more trust stores not found: {name}")
        return found


def install() -> None:
    """Add the actions."""
    for action in _ACTIONS:
        setattr(ELBV2Response, action.__name__, action)


def trust_stores(backend: ELBv2Backend) -> TrustStores:
    """The trust stores of an account and region."""
    return backend.__dict__.setdefault("trust_stores", TrustStores())


def users(backend: ELBv2Backend, arn: str) -> Iterator[str]:
    """The ARNs of the listeners that verify clients with a trust store."""
    for balancer in backend.load_balancers.values():
        for listener in balancer.listeners.values():
            if (getattr(listener, "MutualAuthentication", None) or {}).get("TrustStoreArn") == arn:
                yield listener.arn


def content(backend: ELBv2Backend, place: Place, code: str) -> bytes:
    """The content of an object in S3; `code` is the error if it does not exist."""
    from moto.s3.models import s3_backends  # noqa: PLC0415 - half a second that only trust stores need

    try:
        found: Any = s3_backends[backend.account_id][backend.partition].get_object(
            place.bucket, place.key, version_id=place.version
        )
    except Exception:  # noqa: BLE001 - whatever S3 refuses, ELB says the same of it
        found = None
    if found is None:
        raise Refusal(code, f"The object '{place.key}' of the bucket '{place.bucket}' is not found")
    return found.value


def bundle(backend: ELBv2Backend, place: Place) -> int:
    """The number of certificates in a bundle."""
    text = content(backend, place, "CaCertificatesBundleNotFound")
    try:
        count = len(x509.load_pem_x509_certificates(text))
    except ValueError:
        raise Refusal("InvalidCaCertificatesBundle", "The CA certificates bundle is not one of PEM") from None
    check_room("InvalidCaCertificatesBundle", "CA certificates in a trust store", count, CA_CERTIFICATES)
    return count


def place_of(params: dict[str, Any]) -> Place:
    """The location of a request's bundle."""
    name = "CaCertificatesBundleS3"
    return Place(params[f"{name}Bucket"], params[f"{name}Key"], params.get(f"{name}ObjectVersion"))


def create_trust_store(self: ELBV2Response) -> ActionResult:
    """CreateTrustStore; the same request again returns the same trust store."""
    backend, params = self.elbv2_backend, self._get_params()
    stores, name, place = trust_stores(backend), params["Name"], place_of(params)
    existing = next((store for store in stores.values() if store.name == name), None)
    if existing:
        if existing.place == place:
            return ActionResult({"TrustStores": [existing]})
        raise Refusal("DuplicateTrustStoreName", f"A trust store with the name '{name}' exists already")
    check_room("TooManyTrustStores", "trust stores", len(stores) + 1, TRUST_STORES)
    check_tags(params.get("Tags"))
    number = mock_random.get_random_hex(16)
    arn = f"arn:{backend.partition}:elasticloadbalancing:{backend.region_name}:{backend.account_id}:truststore"
    made = TrustStore(name, f"{arn}/{name}/{number}", place, bundle(backend, place))
    stores[made.trust_store_arn] = made
    backend.tagging_service.tag_resource(made.trust_store_arn, params.get("Tags"))
    return ActionResult({"TrustStores": [made]})


def describe_trust_stores(self: ELBV2Response) -> ActionResult:
    """DescribeTrustStores; named ones must exist."""
    stores, params = trust_stores(self.elbv2_backend), self._get_params()
    arns, names = params.get("TrustStoreArns") or [], params.get("Names") or []
    if arns and names:
        raise Refusal("ValidationError", "Trust store names and trust store ARNs cannot be specified at the same time")
    found = [stores.find(arn) for arn in arns] + [stores.named(name) for name in names]
    return ActionResult({"TrustStores": found if arns or names else list(stores.values())})


def modify_trust_store(self: ELBV2Response) -> ActionResult:
    """ModifyTrustStore: another bundle."""
    params = self._get_params()
    store, place = trust_stores(self.elbv2_backend).find(params["TrustStoreArn"]), place_of(params)
    store.number_of_ca_certificates = bundle(self.elbv2_backend, place)
    store.place = place
    return ActionResult({"TrustStores": [store]})


def delete_trust_store(self: ELBV2Response) -> ActionResult:
    """DeleteTrustStore: only if no listener uses it."""
    backend, arn = self.elbv2_backend, self._get_param("TrustStoreArn")
    trust_stores(backend).find(arn)
    if any(users(backend, arn)):
        raise Refusal("TrustStoreInUse", f"Trust store '{arn}' is currently in use by a listener")
    del trust_stores(backend)[arn]
    backend.tagging_service.delete_all_tags_for_resource(arn)
    return EmptyResult()


def describe_trust_store_associations(self: ELBV2Response) -> ActionResult:
    """DescribeTrustStoreAssociations: the listeners' load balancers."""
    backend, arn = self.elbv2_backend, self._get_param("TrustStoreArn")
    trust_stores(backend).find(arn)
    return ActionResult({"TrustStoreAssociations": [{"ResourceArn": user} for user in users(backend, arn)]})


def delete_shared_trust_store_association(self: ELBV2Response) -> ActionResult:
    """DeleteSharedTrustStoreAssociation: there is only one account, which shares with nobody."""
    trust_stores(self.elbv2_backend).find(self._get_param("TrustStoreArn"))
    raise Refusal("DeleteAssociationSameAccount", "The trust store and the listener belong to the same account")


def add_trust_store_revocations(self: ELBV2Response) -> ActionResult:
    """AddTrustStoreRevocations: lists in PEM or DER."""
    backend, params = self.elbv2_backend, self._get_params()
    store = trust_stores(backend).find(params["TrustStoreArn"])
    added: list[Revocations] = []
    for wanted in params.get("RevocationContents") or []:
        place = Place(wanted.get("S3Bucket", ""), wanted.get("S3Key", ""), wanted.get("S3ObjectVersion"))
        number = max([*store.revocations, *(one.revocation_id for one in added)], default=0) + 1
        added.append(Revocations(store.trust_store_arn, number, place, len(list(revocation_list(backend, place)))))
    count = len(store.revocations) + len(added)
    check_room("TooManyTrustStoreRevocationEntries", "revocation lists of a trust store", count, REVOCATION_LISTS)
    store.revocations |= {one.revocation_id: one for one in added}
    return ActionResult({"TrustStoreRevocations": added})


def revocation_list(backend: ELBv2Backend, place: Place) -> x509.CertificateRevocationList:
    """A revocation list."""
    data = content(backend, place, "RevocationContentNotFound")
    load = x509.load_pem_x509_crl if _END in data else x509.load_der_x509_crl
    try:
        return load(data)
    except ValueError:
        raise Refusal("InvalidRevocationContent", "The revocation file is not a CRL in PEM or DER") from None


def authorities(backend: ELBv2Backend, store: TrustStore) -> bytes:
    """The CA certificates of a trust store, as PEM."""
    return content(backend, store.place, "CaCertificatesBundleNotFound")


def revocation_lists(backend: ELBv2Backend, store: TrustStore) -> bytes:
    """All revocation lists of a trust store, as PEM."""
    lists = (revocation_list(backend, one.place) for one in store.revocations.values())
    return b"".join(one.public_bytes(serialization.Encoding.PEM) for one in lists)


def revocations_of(self: ELBV2Response, ids: list[int]) -> list[Revocations]:
    """The lists with these ids in the request's trust store; all of them if there are no ids."""
    store = trust_stores(self.elbv2_backend).find(self._get_param("TrustStoreArn"))
    missing = [number for number in ids if number not in store.revocations]
    if missing:
        raise Refusal("RevocationIdNotFound", f"The revocation ID '{missing[0]}' is not found")
    return [one for number, one in store.revocations.items() if number in ids or not ids]


def describe_trust_store_revocations(self: ELBV2Response) -> ActionResult:
    """DescribeTrustStoreRevocations."""
    return ActionResult({"TrustStoreRevocations": revocations_of(self, self._get_param("RevocationIds") or [])})


def remove_trust_store_revocations(self: ELBV2Response) -> ActionResult:
    """RemoveTrustStoreRevocations."""
    store = trust_stores(self.elbv2_backend).find(self._get_param("TrustStoreArn"))
    for one in revocations_of(self, self._get_param("RevocationIds")):
        del store.revocations[one.revocation_id]
    return EmptyResult()


def get_trust_store_ca_certificates_bundle(self: ELBV2Response) -> ActionResult:
    """GetTrustStoreCaCertificatesBundle."""
    store = trust_stores(self.elbv2_backend).find(self._get_param("TrustStoreArn"))
    return ActionResult({"Location": store.place.location})


def get_trust_store_revocation_content(self: ELBV2Response) -> ActionResult:
    """GetTrustStoreRevocationContent."""
    (found,) = revocations_of(self, [self._get_param("RevocationId")])
    return ActionResult({"Location": found.place.location})


def get_resource_policy(self: ELBV2Response) -> ActionResult:
    """GetResourcePolicy: nothing is shared."""
    arn = self._get_param("ResourceArn")
    raise Refusal("ResourceNotFound", f"No resource policy is found for '{arn}'")


_ACTIONS: tuple[Callable[[ELBV2Response], ActionResult], ...] = (
    create_trust_store,
    describe_trust_stores,
    modify_trust_store,
    delete_trust_store,
    describe_trust_store_associations,
    delete_shared_trust_store_association,
    add_trust_store_revocations,
    describe_trust_store_revocations,
    remove_trust_store_revocations,
    get_trust_store_ca_certificates_bundle,
    get_trust_store_revocation_content,
    get_resource_policy,
)
