"""The images that the sandbox knows: what runs as a process when a pod names one, and with which arguments.

A process outside a container needs a few arguments of its own: other ports (all pods share this machine's loopback),
a kubeconfig, the folders that stand for mounts, the sandbox's AWS. They replace the container's where it gives them;
everything else is the container's own.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PortFlag:
    """A flag that says where a program listens."""

    flag: str
    default: int
    """The port in the pod, where the container does not give the flag."""
    form: str
    """The flag's value on this machine, `{}` being the port."""


@dataclass(frozen=True)
class Image:
    """An image that runs as a process."""

    name: str
    """Also its name in `--with NAME=PATH`."""
    pattern: str
    """A regular expression, read alike by Python and jq, found in the container's image."""
    tool: str
    """What runs: a tool of `sandbox.tools`."""
    ports: tuple[PortFlag, ...]
    certificates: tuple[str, str] | None = None
    """A flag for a folder of certificates, and the path that is its default in the image."""


IMAGES = (
    Image(
        name="controller",
        pattern=r"(^|/)aws-load-balancer-controller(:|@|$)",
        tool="load-balancer-controller",
        ports=(
            PortFlag("webhook-bind-port", 9443, "{}"),
            PortFlag("metrics-bind-addr", 8080, "127.0.0.1:{}"),
            PortFlag("health-probe-bind-addr", 61779, "127.0.0.1:{}"),
        ),
        certificates=("webhook-cert-dir", "/tmp/k8s-webhook-server/serving-certs"),  # noqa: S108 - a path in the image
    ),
)

PATTERN = "|".join(f"({image.pattern})" for image in IMAGES)
"""Matches every known image: kwok leaves such pods alone."""

WEB = r"(^|/)(nginx|nginx-unprivileged|httpd|whoami)(:|@|$)"
"""Matches the images of web servers: with `--traffic` such pods serve (`sandbox.network`), else kwok says they do."""


def process_images(*, traffic: bool) -> str:
    """What matches every image whose pods kwok is to leave alone."""
    return f"{PATTERN}|({WEB})" if traffic else PATTERN


# By the names that AWS's SDK for Go gives them.
_AWS_APIS = (
    "EC2",
    "Elastic Load Balancing v2",
    "STS",
    "ACM",
    "WAFV2",
    "WAF Regional",
    "Shield",
    "Resource Groups Tagging API",
    "Global Accelerator",
)


def known(image: str) -> Image | None:
    """What runs for a container's image; None if kwok only says that it runs."""
    return next((entry for entry in IMAGES if re.search(entry.pattern, image)), None)


def flag_values(args: Sequence[str], flag: str) -> list[str]:
    """The values that `args` gives a flag, as `--flag=value` or `--flag value`."""
    values = [a.split("=", 1)[1] for a in args if a.startswith((f"--{flag}=", f"-{flag}="))]
    return values + [value for name, value in itertools.pairwise(args) if name in (f"--{flag}", f"-{flag}")]


def without_flags(args: Sequence[str], flags: Sequence[str]) -> list[str]:
    """`args` without these flags and their values."""
    names = {f"{dashes}{flag}" for flag in flags for dashes in ("-", "--")}
    kept: list[str] = []
    skip = False
    for arg in args:
        if skip and not arg.startswith("-"):
            skip = False
            continue
        skip = arg in names
        if not skip and arg.split("=", 1)[0] not in names:
            kept.append(arg)
    return kept


def pod_ports(image: Image, args: Sequence[str]) -> dict[str, int]:
    """Flag -> the port that the program has in the pod, which Services and probes name."""
    ports: dict[str, int] = {}
    for port in image.ports:
        given = flag_values(args, port.flag)
        text = given[-1].rpartition(":")[2] if given else ""
        ports[port.flag] = int(text) if text.isdigit() else port.default
    return ports


@dataclass(frozen=True)
class Surroundings:
    """What a process outside a container needs to be told."""

    kubeconfig: Path
    namespace: str
    aws_endpoint: str
    listeners: Mapping[str, int]
    """Flag -> loopback port."""
    certificates: Path | None
    """The folder that stands for the image's certificate mount."""


def arguments(image: Image, args: Sequence[str], around: Surroundings) -> list[str]:
    """The program's arguments: the container's, with those of `around` in the place of its own."""
    ours = {port.flag: port.form.format(around.listeners[port.flag]) for port in image.ports}
    ours["kubeconfig"] = str(around.kubeconfig)
    ours["aws-api-endpoints"] = ",".join(f"{api}={around.aws_endpoint}" for api in _AWS_APIS)
    if not flag_values(args, "leader-election-namespace"):
        # In a cluster it reads its namespace from a file that only a container has.
        ours["leader-election-namespace"] = around.namespace
    if image.certificates and around.certificates:
        ours[image.certificates[0]] = str(around.certificates)
    return without_flags(args, list(ours)) + [f"--{flag}={value}" for flag, value in ours.items()]


def tag_version(image: str) -> str:
    """The release that an image's tag names, without its `v`; empty if it has no tag."""
    name, _, _ = image.partition("@")
    return name.rpartition("/")[2].partition(":")[2].removeprefix("v")


@dataclass(frozen=True)
class Program:
    """An executable that runs for a container."""

    path: str
    version: str
    """Empty if only the program itself knows it."""
    source: str


def program(
    image: Image, tag: str, tools: Mapping[str, str], origins: Mapping[str, Mapping[str, str]], given: Mapping[str, str]
) -> Program:
    """What runs for a container: `--with NAME@VERSION` of its tag, else `--with NAME`, else the tool.

    Args:
        image: the known image.
        tag: its version, from `tag_version`.
        tools: executables by name.
        origins: `version` and `source` of each tool.
        given: `--with`.
    """
    if path := given.get(f"{image.name}@{tag}") or given.get(image.name):
        return Program(path, "", "--with")
    origin = origins.get(image.tool, {})
    return Program(tools[image.tool], origin.get("version", ""), origin.get("source", ""))


_LOGGED_VERSION = re.compile(r'"GitVersion":\s*"([^"]+)"')


def logged_version(log: str) -> str:
    """The version that a program's log gives, or `unknown`."""
    found = _LOGGED_VERSION.search(log)
    return found[1] if found else "unknown"
