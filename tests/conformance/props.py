"""Resources that cases' manifests name and that must exist before; created when a manifest first needs one."""

import subprocess
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.conftest import Sandbox

_OPENSSL = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1"]


class Props:
    """A stage's props, by their placeholders in manifests. Thread-safe."""

    def __init__(self, sandbox: Sandbox, vpc: str, folder: Callable[[], Path]) -> None:
        """Props in a VPC; `folder()` returns the folder for their files."""
        self._sandbox, self._vpc, self._folder = sandbox, vpc, folder
        self._lock = threading.Lock()
        self._made: dict[str, str] = {}
        self._makers: dict[str, Callable[[], str]] = {
            "CERTIFICATE_ARN": lambda: self._certificate("localhost"),
            "SECOND_CERTIFICATE": lambda: self._certificate("*.conformance.test"),
            "SECURITY_GROUP_ID": lambda: self._security_group("given-by-id"),
            "given-by-name": self._named_security_group,
            **{
                f"SUBNET_{kind.upper()}_{zone.upper()}": lambda name=f"{kind}-{zone}": self._subnet(name)
                for kind in ("public", "private")
                for zone in "ab"
            },
            "EIP_A": self._address,
            "EIP_B": self._address,
            "PREFIX_LIST": self._prefix_list,
            "WEB_ACL": self._web_acl,
        }

    def fill_in(self, text: str) -> str:
        """The text with every placeholder replaced."""
        with self._lock:
            for placeholder, make in self._makers.items():
                if placeholder in text:
                    if placeholder not in self._made:
                        self._made[placeholder] = make()
                    text = text.replace(placeholder, self._made[placeholder])
        return text

    def forgotten(self, text: str) -> str:
        """A snapshot's text with the certificates' names as in recordings."""
        for placeholder, name in (("CERTIFICATE_ARN", "CERTIFICATE"), ("SECOND_CERTIFICATE", "SECOND")):
            if placeholder in self._made:
                text = text.replace(self._made[placeholder].rsplit("/", 1)[-1], name)
        return text

    def _certificate(self, domain: str) -> str:
        key, certificate = (self._folder() / f"{len(domain)}.{part}" for part in ("key", "crt"))
        names = ["-subj", f"/CN={domain}", "-addext", f"subjectAltName=DNS:{domain}"]
        command = [*_OPENSSL, *names, "-keyout", str(key), "-out", str(certificate)]
        subprocess.run(command, check=True, capture_output=True)
        acm = self._sandbox.aws("acm")
        made = acm.import_certificate(Certificate=certificate.read_bytes(), PrivateKey=key.read_bytes())
        return made["CertificateArn"]

    def _security_group(self, name: str) -> str:
        tags = [{"ResourceType": "security-group", "Tags": [{"Key": "Name", "Value": name}]}]
        made = self._sandbox.aws("ec2").create_security_group(
            GroupName=name, Description="given", VpcId=self._vpc, TagSpecifications=tags
        )
        return made["GroupId"]

    def _named_security_group(self) -> str:
        self._security_group("given-by-name")
        return "given-by-name"

    def _subnet(self, name: str) -> str:
        filters = [{"Name": "vpc-id", "Values": [self._vpc]}, {"Name": "tag:Name", "Values": [name]}]
        return self._sandbox.aws("ec2").describe_subnets(Filters=filters)["Subnets"][0]["SubnetId"]

    def _address(self) -> str:
        return self._sandbox.aws("ec2").allocate_address(Domain="vpc")["AllocationId"]

    def _prefix_list(self) -> str:
        entries = [{"Cidr": "203.0.113.0/24"}]
        made = self._sandbox.aws("ec2").create_managed_prefix_list(
            PrefixListName="clients", MaxEntries=5, AddressFamily="IPv4", Entries=entries
        )
        return made["PrefixList"]["PrefixListId"]

    def _web_acl(self) -> str:
        seen: dict[str, Any] = {"SampledRequestsEnabled": False, "CloudWatchMetricsEnabled": False, "MetricName": "acl"}
        made = self._sandbox.aws("wafv2").create_web_acl(
            Name="acl", Scope="REGIONAL", DefaultAction={"Allow": {}}, VisibilityConfig=seen
        )
        return made["Summary"]["ARN"]
