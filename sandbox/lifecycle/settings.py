"""The user's wishes for a sandbox, and the settings that follow."""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from sandbox.lifecycle.errors import LifecycleError
from sandbox.lifecycle.running import aws_identity
from sandbox.network import requirements
from sandbox.run import ports
from sandbox.run.state import Settings, State, write_json
from sandbox.tools.catalog import CONTROLLER
from sandbox.tools.choose import Choice

REGION, ACCOUNT = "us-west-2", "123456789012"


@dataclass(frozen=True)
class Wish:
    """The user's wishes for a sandbox. None means: as at its first start."""

    given: dict[str, str]
    """`--with`."""
    aws_port: int | None = None
    traffic: str | None = None
    """One of `TRAFFIC_MODES` for a network."""
    latency: dict[str, Any] | None = None
    """AWS's delays: the document of a `sandbox.run.latency.Latency`."""
    charts: Sequence[str] = ()
    """Absolute paths of charts to offer from now on."""
    controller_version: str | None = None
    """The controller's release, if it is not the one of the catalog."""
    region: str = REGION
    account: str = ACCOUNT
    quotas: dict[str, int] = field(default_factory=dict[str, int])
    """Of Elastic Load Balancing, those that are not every new account's."""
    engine: bool = True
    """Whether Pulumi programs are to run in it."""


def settle(state: State, wish: Wish, tools: dict[str, Choice], release: str | None) -> Settings:
    """The folder's settings: new ones, or the existing ones if they do not contradict the wish."""
    running = aws_identity(state) is not None
    mode, charts, latency = wish.traffic or "", list(wish.charts), wish.latency or {}
    if state.exists():
        old = state.settings()
        mode, charts = old.traffic, [*old.charts, *(c for c in wish.charts if c not in old.charts)]
        latency = old.latency if wish.latency is None else wish.latency
        _compare(state, old, wish, running=running)
        if running:
            if charts != old.charts:
                old = replace(old, charts=charts)
                write_json(state.settings_file, old.to_json())
            return old
        port, keys = wish.aws_port or old.ports["aws"], old.root_keys
    else:
        port = wish.aws_port or ports.free_port()
        keys = {"access_key": f"AKIA{secrets.token_hex(8).upper()}", "secret_key": secrets.token_urlsafe(30)}
    if not ports.is_free(port):
        raise LifecycleError(
            f"port {port}, AWS's in {state.root}, is taken by {ports.owner(port)}: "
            "end that, or give another with --aws-port"
        )
    if mode and (lack := requirements.missing(state.root)):
        raise LifecycleError(lack)
    origins = {name: {"version": c.version, "source": c.source} for name, c in tools.items()}
    if release:
        origins[CONTROLLER]["release"] = release
    paths = {name: choice.path for name, choice in tools.items()}
    settings = Settings(
        wish.region,
        wish.account,
        {"aws": port},
        root_keys=keys,
        tools=paths,
        origins=origins,
        charts=charts,
        replacements=wish.given,
        quotas=wish.quotas,
        latency=latency,
        traffic=mode,
    )
    write_json(state.settings_file, settings.to_json())
    return settings


def _compare(state: State, old: Settings, wish: Wish, *, running: bool) -> None:
    """Refuse changes that are not possible while the sandbox runs, or ever.

    Raises:
        LifecycleError: the wish contradicts the sandbox.
    """

    def refuse(have: str, asked: str) -> None:
        raise LifecycleError(f"the sandbox in {state.root} {have}, not {asked}: `sandbox down` first")

    # A cluster's nodes are created with or without a network.
    if wish.traffic not in (None, old.traffic):
        have = f"--traffic={old.traffic}" if old.traffic else "no --traffic"
        refuse(f"began with {have}", f"--traffic={wish.traffic}")
    if running and wish.given != old.replacements:
        refuse(f"runs with {_words(old.replacements)}", f"with {_words(wish.given)}")
    if running and wish.latency not in (None, old.latency):
        refuse("runs with other delays", "with those of --latency")
    if running and wish.aws_port not in (None, old.ports["aws"]):
        refuse(f"has AWS on port {old.ports['aws']}", str(wish.aws_port))
    release = old.origins.get(CONTROLLER, {}).get("release")
    if running and wish.controller_version not in (None, release):
        refuse(f"runs controller {old.origins[CONTROLLER]['version']}", wish.controller_version or "")


def _words(given: dict[str, str]) -> str:
    return ", ".join(f"{name}={path}" for name, path in sorted(given.items())) or "nothing replaced"
