"""What manifests refer to, made in the emulator so that the controller finds it."""

import json
import re
from collections.abc import Callable, Iterable
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from sandbox.plan.inputs.account import Subnet, zones
from sandbox.plan.inputs.references import Reference
from sandbox.plan.scratch.network import Network, self_signed

_BUNDLE = "plan-trust-stores"
_ANY_DOMAIN = "*.example.com"
_EXTRA = "100.64.0.0/16"
_VISIBILITY: dict[str, Any] = {
    "SampledRequestsEnabled": False,
    "CloudWatchMetricsEnabled": False,
    "MetricName": "assumed",
}


class Assumed:
    """Makes what is referred to, each thing once."""

    def __init__(self, network: Network) -> None:
        """The account of a network."""
        self.network = network
        self.client, self.names = network.client, network.names
        self._zones = list(zones(network.account))
        self._ranged = network.subnets > len(network.account.subnets)

    def make(self, references: Iterable[Reference]) -> tuple[list[Reference], list[tuple[Reference, str]]]:
        """Make what is missing.

        Returns:
            what is there for the manifests' sake, and what could not be made, with AWS's word.
        """
        made, failed = list[Reference](), list[tuple[Reference, str]]()
        for reference in references:
            if self._has(reference):
                continue
            if reference.identity in self.names.known:
                made.append(reference)
                continue
            maker = self._makers().get(reference.kind)
            if maker is None:
                failed.append((reference, "a plan makes no such thing"))
                continue
            try:
                maker(reference)
                made.append(reference)
            except (ClientError, BotoCoreError, KeyError, ValueError) as error:
                failed.append((reference, " ".join(str(error).split())))
        return made, failed

    def _has(self, reference: Reference) -> bool:
        """Whether the account has what is called by a name or a tag."""
        account, identity = self.network.account, reference.identity
        match reference.kind:
            case "subnet name":
                return any(subnet.tags.get("Name") == identity for subnet in account.subnets)
            case "subnet tag":
                key, _, value = identity.partition("=")
                return any(subnet.tags.get(key) == value for subnet in account.subnets)
            case "security group name":
                return any(identity in (group.name, group.tags.get("Name")) for group in account.security_groups)
            case _:
                own = [account.vpc.id, *(c.arn for c in account.certificates)]
                return identity in (*own, *(s.id for s in account.subnets), *(g.id for g in account.security_groups))

    def forget_certificates(self) -> None:
        """Delete the certificates that were assumed: the controller finds certificates by the hosts that it serves."""
        own = {certificate.arn for certificate in self.network.account.certificates}
        for arn in [name for name in self.names.inside if ":acm:" in name and name not in own]:
            self.client("acm").delete_certificate(CertificateArn=self.names.inside[arn])
            del self.names.shown[self.names.inside.pop(arn)]
            self.names.known.discard(arn)

    def _makers(self) -> dict[str, Callable[[Reference], object]]:
        names, network = self.names, self.network
        return {
            "VPC": lambda r: names.inside.update({r.identity: network.vpc}),
            "certificate": lambda r: network.certificate(r.identity, r.hosts or [_ANY_DOMAIN]),
            "server certificate": self._server_certificate,
            "security group": lambda r: names.add(r.identity, network.group({})),
            "security group name": lambda r: names.name(r.identity, network.group({"Name": r.identity})),
            "subnet": lambda r: names.add(r.identity, self._subnet(r.position, {})),
            "subnet name": lambda r: names.name(r.identity, self._subnet(r.position, {"Name": r.identity})),
            "subnet tag": self._tagged_subnets,
            "elastic IP": lambda r: names.add(
                r.identity, self.client("ec2").allocate_address(Domain="vpc")["AllocationId"]
            ),
            "prefix list": self._prefix_list,
            "web ACL": self._web_acl,
            "target group": lambda r: self._target_group(r, r.identity.split("/")[1]),
            "target group name": lambda r: self._target_group(r, r.identity),
            "trust store": lambda r: self._trust_store(r, r.identity.split("/")[1]),
            "trust store name": lambda r: self._trust_store(r, r.identity),
            "user pool": self._user_pool,
            "bucket": lambda r: self._bucket(r.identity),
        }

    def _subnet(self, position: int, given: dict[str, str]) -> str:
        # In a range of its own: the account's subnets may fill the VPC's.
        # Numbers go on from the account's own, so that a planner that is kept never makes a range twice.
        number = self.network.subnets
        if not self._ranged:
            self._ranged = True
            self.client("ec2").associate_vpc_cidr_block(VpcId=self.network.vpc, CidrBlock=_EXTRA)
        cidr = f"{_EXTRA.split('.0.', maxsplit=1)[0]}.{number}.0/24"
        zone = self._zones[position % len(self._zones)]
        return self.network.subnet(Subnet(id="", zone=zone, cidr=cidr, public=True, tags=given))

    def _tagged_subnets(self, reference: Reference) -> None:
        key, _, value = reference.identity.partition("=")
        for position in range(len(self._zones)):
            self._subnet(position, {key: value})
        self.names.name(reference.identity)

    def _server_certificate(self, reference: Reference) -> None:
        certificate, key = self_signed(reference.hosts or [_ANY_DOMAIN])
        name = reference.identity.rpartition("/")[2]
        made = self.client("iam").upload_server_certificate(
            ServerCertificateName=name, CertificateBody=certificate.decode(), PrivateKey=key.decode()
        )
        self.names.add(reference.identity, made["ServerCertificateMetadata"]["Arn"])

    def _prefix_list(self, reference: Reference) -> None:
        made = self.client("ec2").create_managed_prefix_list(
            PrefixListName=reference.identity,
            MaxEntries=5,
            AddressFamily="IPv4",
            Entries=[{"Cidr": "203.0.113.0/24"}],
        )
        self.names.add(reference.identity, made["PrefixList"]["PrefixListId"])

    def _web_acl(self, reference: Reference) -> None:
        made = self.client("wafv2").create_web_acl(
            Name=reference.identity.split("/")[-2],
            Scope="REGIONAL",
            DefaultAction={"Allow": {}},
            VisibilityConfig=_VISIBILITY,
        )
        self.names.add(reference.identity, made["Summary"]["ARN"])

    def _target_group(self, reference: Reference, name: str) -> None:
        made = self.client("elbv2").create_target_group(
            Name=name, Protocol="HTTP", Port=80, VpcId=self.network.vpc, TargetType=reference.detail or "ip"
        )
        if reference.kind.endswith("name"):
            self.names.name(reference.identity)
        else:
            self.names.add(reference.identity, made["TargetGroups"][0]["TargetGroupArn"])

    def _trust_store(self, reference: Reference, name: str) -> None:
        certificate, _ = self_signed([_ANY_DOMAIN])
        self._bucket(_BUNDLE)
        self.client("s3").put_object(Bucket=_BUNDLE, Key=f"{name}.pem", Body=certificate)
        made = self.client("elbv2").create_trust_store(
            Name=name, CaCertificatesBundleS3Bucket=_BUNDLE, CaCertificatesBundleS3Key=f"{name}.pem"
        )
        if reference.kind.endswith("name"):
            self.names.name(reference.identity)
        else:
            self.names.add(reference.identity, made["TrustStores"][0]["TrustStoreArn"])

    def _user_pool(self, reference: Reference) -> None:
        made = self.client("cognito-idp").create_user_pool(PoolName="assumed")["UserPool"]
        self.names.add(reference.identity, made["Arn"])

    def _bucket(self, name: str) -> None:
        s3, region = self.client("s3"), self.network.account.region
        place: Any = {} if region == "us-east-1" else {"CreateBucketConfiguration": {"LocationConstraint": region}}
        try:
            s3.create_bucket(Bucket=name, **place)
        except ClientError as error:
            if not re.search("AlreadyOwnedByYou|AlreadyExists", str(error)):
                raise
        writers = {"Service": ["delivery.logs.amazonaws.com", "logdelivery.elasticloadbalancing.amazonaws.com"]}
        place = f"arn:{s3.meta.partition}:s3:::{name}/*"
        allow = {"Effect": "Allow", "Principal": writers, "Action": "s3:PutObject", "Resource": place}
        s3.put_bucket_policy(Bucket=name, Policy=json.dumps({"Version": "2012-10-17", "Statement": [allow]}))
        self.names.name(name)
