"""AWS clients: one session, retries with backoff, every call counted."""

import os
import random
import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from sandbox.controller import IMITATES, NAME
from sandbox.controller.model.stack import Json
from sandbox.controller.settings import Settings

# The names that --aws-api-endpoints uses are AWS's service ids.
_SERVICES = {"ec2": "EC2", "elbv2": "Elastic Load Balancing v2", "acm": "ACM", "wafv2": "WAFV2", "sts": "STS"}
_THROTTLED = frozenset({"Throttling", "ThrottlingException", "RequestLimitExceeded", "TooManyRequestsException"})


class Calls:
    """How many calls were made, by service, operation and HTTP status. Thread-safe."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count: Counter[tuple[str, str, str]] = Counter()

    def note(self, event_name: str, response_dict: Json | None, **_: Any) -> None:
        """Botocore's event `response-received.SERVICE.OPERATION`: one for every attempt."""
        service, operation = event_name.split(".")[1:3]
        with self._lock:
            self._count[service, operation, str((response_dict or {}).get("status_code", "error"))] += 1

    def items(self) -> list[tuple[tuple[str, str, str], int]]:
        """The counts so far."""
        with self._lock:
            return sorted(self._count.items())


class Aws:
    """The clients that the controller uses."""

    def __init__(self, settings: Settings) -> None:
        """Clients with credentials from the environment (a service account's web identity, too)."""
        self.calls = Calls()
        if sts := settings.aws_api_endpoints.get(_SERVICES["sts"]):
            # The exchange of a web identity is botocore's own call: it reads the endpoint here.
            os.environ.setdefault("AWS_ENDPOINT_URL_STS", sts)
        session = boto3.Session(region_name=settings.aws_region or None)
        self._settings, self._session = settings, session
        attempts = settings.aws_max_retries
        self.ec2, self.elb = self._client("ec2", attempts), self._client("elbv2", attempts)
        self.acm, self.waf = self._client("acm", attempts), self._client("wafv2", attempts)
        # For what must not happen twice, see `create`.
        self._once = {"ec2": self._client("ec2", 1), "elbv2": self._client("elbv2", 1)}

    def create(self, service: str, operation: str, **parameters: Any) -> Json:
        """Make something, at most once.

        A creation whose answer is lost may have happened: to repeat it blindly may make a second one. Only what AWS
        says it throttled is repeated; everything else fails, and the next attempt looks at what is there first.
        """
        call = getattr(self._once[service], operation)
        for attempt in range(self._settings.aws_max_retries):
            try:
                return call(**parameters)
            except ClientError as error:
                if code(error) not in _THROTTLED:
                    raise
                time.sleep(random.uniform(0.5, 1.0) * min(0.1 * 2**attempt, 5.0))  # noqa: S311 - spreads load
        return call(**parameters)

    def _client(self, service: str, attempts: int) -> Any:
        made = self._session.client(
            service,  # pyright: ignore[reportArgumentType] - one of _SERVICES
            endpoint_url=self._settings.aws_api_endpoints.get(_SERVICES[service]),
            config=Config(
                retries={"mode": "standard", "total_max_attempts": attempts},
                max_pool_connections=32,
                connect_timeout=5,
                read_timeout=30,
                user_agent_extra=f"{NAME}/{IMITATES} (stand-in)",
            ),
        )
        made.meta.events.register("response-received.*.*", self.calls.note)
        return made


def pages(call: Any, key: str, page_key: str = "Marker", **parameters: Any) -> Iterator[Json]:
    """All items of a paged call; `page_key` is the request's page parameter (its answer is `Next...`)."""
    more: Json = {}
    while True:
        page = call(**parameters, **more)
        yield from page.get(key) or []
        following = page.get("NextMarker") or page.get("NextToken")
        if not following:
            return
        more = {page_key: following}


def code(error: ClientError) -> str:
    """AWS's name for an error."""
    return str(error.response.get("Error", {}).get("Code", ""))


def tag_list(tags: Mapping[str, str]) -> list[Json]:
    """Tags in AWS's shape."""
    return [{"Key": key, "Value": value} for key, value in sorted(tags.items())]


def tag_map(tags: list[Json] | None) -> dict[str, str]:
    """Tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in tags or []}
