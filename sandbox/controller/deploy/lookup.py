"""AWS facts for the model, each asked for once and kept for a while."""

import base64
import threading
import time
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from sandbox.controller.deploy.aws import Aws, code, pages, tag_map
from sandbox.controller.kube import Kube, KubeError
from sandbox.controller.model.stack import Json, ModelError
from sandbox.controller.settings import Settings

_SUBNETS, _ROUTES, _ZONES, _CERTIFICATES, _DOMAINS, _ACLS = 10.0, 10.0, 3600.0, 60.0, 300.0, 3600.0
_KEY_TYPES = ["RSA_1024", "RSA_2048", "RSA_3072", "RSA_4096", "EC_prime256v1", "EC_secp384r1", "EC_secp521r1"]


class Kept:
    """Answers kept for a time; two that ask for one thing at once wait for one answer. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._locks: dict[str, threading.Lock] = {}
        self._answers: dict[str, tuple[float, Any]] = {}

    def get(self, what: str, seconds: float, ask: Callable[[], Any]) -> Any:
        """The answer to `what`, asked anew if it is older than `seconds`."""
        with self._lock:
            lock = self._locks.setdefault(what, threading.Lock())
        with lock:
            taken, answer = self._answers.get(what, (float("-inf"), None))
            if time.monotonic() - taken > seconds:
                answer = ask()
                self._answers[what] = time.monotonic(), answer
            return answer

    def forget(self) -> None:
        """Ask everything anew."""
        with self._lock:
            self._answers.clear()


class AwsLookup:
    """`model.lookup.Lookup` over AWS and Kubernetes."""

    def __init__(self, aws: Aws, kube: Kube, settings: Settings) -> None:
        self._aws, self._kube, self._settings = aws, kube, settings
        self._kept = Kept()

    def forget(self) -> None:
        """Ask everything anew."""
        self._kept.forget()

    def _in_vpc(self) -> list[Json]:
        return [{"Name": "vpc-id", "Values": [self._settings.aws_vpc_id]}]

    def subnets(self) -> list[Json]:
        """See `Lookup`."""
        ec2 = self._aws.ec2
        ask = lambda: list(pages(ec2.describe_subnets, "Subnets", "NextToken", Filters=self._in_vpc()))  # noqa: E731
        return self._kept.get("subnets", _SUBNETS, ask)

    def public_subnets(self) -> frozenset[str]:
        """See `Lookup`."""
        return self._kept.get("public subnets", _ROUTES, self._public_subnets)

    def _public_subnets(self) -> frozenset[str]:
        tables = list(pages(self._aws.ec2.describe_route_tables, "RouteTables", "NextToken", Filters=self._in_vpc()))
        main: Json | None = None
        own: dict[str, Json] = {}
        for table in tables:
            for association in table.get("Associations") or []:
                if association.get("Main"):
                    main = table
                if association.get("SubnetId"):
                    own[association["SubnetId"]] = table
        result: set[str] = set()
        for subnet in self.subnets():
            table = own.get(subnet["SubnetId"]) or main
            if table is None:
                raise ModelError(f"could not identify main route table for vpc: {self._settings.aws_vpc_id}")
            if any((route.get("GatewayId") or "").startswith("igw") for route in table.get("Routes") or []):
                result.add(subnet["SubnetId"])
        return frozenset(result)

    def zone_type(self, zone_id: str) -> str:
        """See `Lookup`."""
        ask = self._aws.ec2.describe_availability_zones
        zones = self._kept.get("zones", _ZONES, lambda: ask()["AvailabilityZones"])
        return next(
            (z.get("ZoneType", "availability-zone") for z in zones if z["ZoneId"] == zone_id), "availability-zone"
        )

    def vpc_cidrs(self, family: str) -> list[str]:
        """See `Lookup`."""
        ask = self._aws.ec2.describe_vpcs
        vpc = self._kept.get("vpc", _SUBNETS, lambda: ask(VpcIds=[self._settings.aws_vpc_id])["Vpcs"][0])
        key, field = (
            ("CidrBlockAssociationSet", "CidrBlock")
            if family == "ipv4"
            else (
                "Ipv6CidrBlockAssociationSet",
                "Ipv6CidrBlock",
            )
        )
        states = {"associated", None}
        return [b[field] for b in vpc.get(key) or [] if (b.get(f"{field}State") or {}).get("State") in states]

    def security_groups(self, names_or_ids: list[str]) -> list[str]:
        """See `Lookup`."""
        ids = [one for one in names_or_ids if one.startswith("sg-")]
        names = list(dict.fromkeys(one for one in names_or_ids if not one.startswith("sg-")))
        found: list[str] = []
        if ids:
            try:
                groups = self._aws.ec2.describe_security_groups(GroupIds=ids)["SecurityGroups"]
            except ClientError as error:
                raise ModelError(f"couldn't find all security groups: {error}") from error
            found += [group["GroupId"] for group in groups]
        if names:
            filters = [{"Name": "tag:Name", "Values": names}, *self._in_vpc()]
            groups = list(pages(self._aws.ec2.describe_security_groups, "SecurityGroups", "NextToken", Filters=filters))
            if missing := sorted(set(names) - {tag_map(g.get("Tags")).get("Name", "") for g in groups}):
                raise ModelError(f"couldn't find all security groups: no group has the Name tag {missing}")
            found += [group["GroupId"] for group in groups]
        return found

    def certificates(self, hosts: list[str]) -> list[str]:
        """See `Lookup`."""
        arns = self._kept.get("certificates", _CERTIFICATES, self._certificate_arns)
        domains = {arn: self._kept.get(arn, _DOMAINS, lambda arn=arn: self._domains(arn)) for arn in arns}
        chosen: set[str] = set()
        for host in hosts:
            fitting = {arn for arn, names in domains.items() if any(_covers(name, host) for name in names)}
            if not fitting:
                raise ModelError(f"no certificate found for host: {host}")
            chosen |= fitting
        return sorted(chosen)

    def _certificate_arns(self) -> list[str]:
        request: Json = {"CertificateStatuses": ["ISSUED"], "Includes": {"keyTypes": _KEY_TYPES}}
        found = pages(self._aws.acm.list_certificates, "CertificateSummaryList", "NextToken", **request)
        return [summary["CertificateArn"] for summary in found]

    def _domains(self, arn: str) -> list[str]:
        certificate = self._aws.acm.describe_certificate(CertificateArn=arn)["Certificate"]
        allowed = self._settings.allowed_certificate_authority_arns
        if allowed and certificate.get("CertificateAuthorityArn") not in allowed:
            return []
        return certificate.get("SubjectAlternativeNames") or [certificate["DomainName"]]

    def target_group(self, name: str) -> str:
        """See `Lookup`."""
        try:
            found = self._aws.elb.describe_target_groups(Names=[name])["TargetGroups"]
        except ClientError as error:
            raise ModelError(f"searching TargetGroup with name {name}: {code(error)}") from error
        return found[0]["TargetGroupArn"]

    def trust_store(self, name: str) -> str:
        """See `Lookup`."""
        try:
            found = self._aws.elb.describe_trust_stores(Names=[name])["TrustStores"]
        except ClientError as error:
            raise ModelError(f"couldn't find TrustStore with name {name}: {code(error)}") from error
        return found[0]["TrustStoreArn"]

    def web_acl(self, name: str) -> str:
        """See `Lookup`."""
        arns = self._kept.get("web acls", _ACLS, self._web_acls)
        if name not in arns:
            raise ModelError(f"couldn't find WAFv2 WebACL with name: {name}")
        return arns[name]

    def _web_acls(self) -> dict[str, str]:
        found = pages(self._aws.waf.list_web_acls, "WebACLs", "NextMarker", Scope="REGIONAL")
        return {acl["Name"]: acl["ARN"] for acl in found}

    def secret(self, namespace: str, name: str) -> dict[str, bytes]:
        """See `Lookup`."""
        try:
            data = self._kube.get("Secret", namespace, name).get("data") or {}
        except KubeError as error:
            raise ModelError(f"cannot read secret {namespace}/{name}: {error}") from error
        return {key: base64.b64decode(value) for key, value in data.items()}


def _covers(domain: str, host: str) -> bool:
    if domain.startswith("*."):
        return domain.split(".")[1:] == host.split(".")[1:] and len(domain.split(".")) == len(host.split("."))
    return domain == host
