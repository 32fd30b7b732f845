"""The provider's configuration, and the AWS clients that it implies."""

import json
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Final

from sandbox.providers.common.fields import Field, Fields, problems
from sandbox.providers.common.server import ProviderError

CREATION_TAG: Final = "sandbox:creation"
"""A tag on everything taggable that this provider creates: the token of its creation.

It lets a repeated creation find the result of an interrupted one. AWS's own solution, client tokens, exists for only a
few of these types, and moto ignores it. Names are permanent or not unique. A note on disk could be lost between AWS's
answer and its writing. The creating call itself sets the tag. The provider hides it, as it hides `aws:` tags.
"""

HIDDEN_TAGS: Final = ("aws:", "sandbox:")
"""Prefixes of tags that programs cannot set."""

_FLAGS = ("skipCredentialsValidation", "skipMetadataApiCheck", "skipRegionValidation", "skipRequestingAccountId")

CONFIGURATION: Final[Fields] = {
    **{name: Field() for name in ("region", "profile", "accessKey", "secretKey", "token", "stsRegion", "maxRetries")},
    **{name: Field() for name in _FLAGS},
    "allowedAccountIds": Field(),
    "forbiddenAccountIds": Field(),
    "defaultTags": Field(inside={"tags": Field()}),
    "ignoreTags": Field(inside={"keys": Field(), "keyPrefixes": Field()}),
    "endpoints": Field(),
    "assumeRoles": Field(
        inside={name: Field() for name in ("roleArn", "sessionName", "externalId", "duration", "policy")}
    ),
    "version": Field(),
    "pluginDownloadURL": Field(),
}
"""The provider settings that the stand-in knows."""

PARTITIONS: Final = {"cn-": "aws-cn", "us-gov-": "aws-us-gov"}
"""Region prefix -> partition; all other regions are in `aws`."""


def settings_from(inputs: Mapping[str, Any], exists: Callable[[str], bool]) -> dict[str, Any]:
    """The provider's settings as values; the SDK sends everything except strings as JSON.

    Raises:
        ProviderError: An unknown key, or a value that should be JSON and is not.
    """
    settings: dict[str, Any] = {}
    for name, value in inputs.items():
        strings = name in ("region", "profile", "accessKey", "secretKey", "token", "stsRegion", "version")
        try:
            settings[name] = json.loads(value) if isinstance(value, str) and not strings else value
        except ValueError:
            if name in CONFIGURATION and name != "pluginDownloadURL":
                raise ProviderError(f"aws:{name} is {value!r}, which is not JSON; give a JSON value") from None
            settings[name] = value
    for failure in problems(settings, CONFIGURATION, "the provider aws", exists):
        raise ProviderError(failure.reason)
    return settings


@dataclass
class Aws:
    """The account and region of the provider's configuration.

    Attributes:
        region: Such as `us-west-2`.
        settings: The provider's configuration by camelCase name.
    """

    region: str
    settings: Mapping[str, Any] = field(default_factory=dict)
    _clients: dict[str, Any] = field(default_factory=dict, repr=False)
    _regions: dict[str, "Aws"] = field(default_factory=dict, repr=False)
    _lock: threading.RLock = field(default_factory=threading.RLock, repr=False)

    @property
    def partition(self) -> str:
        """`aws`, `aws-cn` or `aws-us-gov`."""
        return next((name for prefix, name in PARTITIONS.items() if self.region.startswith(prefix)), "aws")

    @property
    def dns_suffix(self) -> str:
        """The partition's domain for service addresses."""
        return "amazonaws.com.cn" if self.partition == "aws-cn" else "amazonaws.com"

    @property
    def default_tags(self) -> dict[str, str]:
        """The tags that the provider puts on everything."""
        return dict((self.settings.get("defaultTags") or {}).get("tags") or {})

    @cached_property
    def identity(self) -> dict[str, str]:
        """The caller: `Account`, `Arn`, `UserId`."""
        return self.client("sts").get_caller_identity()

    @property
    def account(self) -> str:
        """The account's twelve digits."""
        return self.identity["Account"]

    def arn(self, service: str, resource: str, *, region: bool = True) -> str:
        """An ARN of this account (and region, unless the service is global)."""
        return f"arn:{self.partition}:{service}:{self.region if region else ''}:{self.account}:{resource}"

    def at(self, region: str | None) -> "Aws":
        """This account in another region: version 7's `region` input, which every resource has."""
        if region is None or region == self.region:
            return self
        with self._lock:
            return self._regions.setdefault(region, Aws(region, self.settings))

    def client(self, service: str) -> Any:
        """The boto3 client of a service; clients are created once and shared by threads."""
        with self._lock:
            if service not in self._clients:
                self._clients[service] = self._session.client(
                    service,
                    endpoint_url=self._endpoint(service),
                    config=_client_config(),
                )
            return self._clients[service]

    def _endpoint(self, service: str) -> str | None:
        """The `endpoints` setting for a service; without one, boto3 uses AWS_ENDPOINT_URL."""
        blocks: Iterable[Mapping[str, str]] = self.settings.get("endpoints") or ()
        return next((block[service] for block in blocks if block.get(service)), None)

    @cached_property
    def _session(self) -> Any:
        # Half a second, which a run without AWS calls (for example one without changes) does not spend.
        import boto3  # noqa: PLC0415

        with self._lock:
            session = boto3.Session(
                region_name=self.region,
                profile_name=self.settings.get("profile"),
                aws_access_key_id=self.settings.get("accessKey"),
                aws_secret_access_key=self.settings.get("secretKey"),
                aws_session_token=self.settings.get("token"),
            )
            for role in self.settings.get("assumeRoles") or ():
                session = _assumed(session, role, self._endpoint("sts"))
        return session


def _client_config() -> Any:
    from botocore.config import Config  # noqa: PLC0415 - see Aws._session

    return Config(connect_timeout=5, read_timeout=60, retries={"max_attempts": 5, "mode": "standard"})


def _assumed(session: Any, role: Mapping[str, Any], endpoint: str | None) -> Any:
    import boto3  # noqa: PLC0415 - see Aws._session

    asked = {
        "RoleArn": role["roleArn"],
        "RoleSessionName": role.get("sessionName") or "pulumi",
        **({"ExternalId": role["externalId"]} if role.get("externalId") else {}),
        **({"Policy": role["policy"]} if role.get("policy") else {}),
    }
    sts = session.client("sts", endpoint_url=endpoint, config=_client_config())
    keys = sts.assume_role(**asked)["Credentials"]
    return boto3.Session(
        region_name=session.region_name,
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
