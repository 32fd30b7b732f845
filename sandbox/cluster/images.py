"""The images that the sandbox knows: which program runs when a pod names one, and with which arguments.

A process outside a container needs a few arguments of its own: other ports (all pods share this machine's loopback), a
kubeconfig, folders instead of mounts, the sandbox's AWS. They replace the container's if it gives them; everything else
comes from the container.
"""

import itertools
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class PortFlag:
    """A flag for a program's port."""

    flag: str
    default: int
    """The port in the pod if the container does not give the flag."""
    form: str
    """The flag's value on this machine; `{}` is the port."""


@dataclass(frozen=True)
class Image:
    """An image that runs as a process."""

    name: str
    """Also its name in `--with NAME=PATH`."""
    pattern: str
    """A regular expression, which Python and jq read alike, found in the container's image."""
    tool: str
    """The program: a tool of `sandbox.tools`."""
    ports: tuple[PortFlag, ...]
    certificates: tuple[str, str] | None = None
    """A flag for a folder of certificates, and its default path in the image."""


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
"""Matches web server images: with `--traffic` such pods serve (`sandbox.network`), otherwise kwok reports them."""

IMAGE = "image:"
"""`--with image:NAME=PATH` runs PATH in the pods of an image called NAME, with `--traffic`."""


def process_images(given: Mapping[str, str], *, traffic: bool) -> str:
    """A regular expression for every image whose pods kwok must ignore; `given` is `--with`."""
    return "|".join([PATTERN, f"({WEB})", *map(_named, _servers(given))]) if traffic else PATTERN


def server(image: str, given: Mapping[str, str]) -> str | None:
    """The program that `--with` gives for an image's pods, if it gives one."""
    return next((path for name, path in _servers(given).items() if re.search(_named(name), image)), None)


def _servers(given: Mapping[str, str]) -> dict[str, str]:
    return {name.removeprefix(IMAGE): path for name, path in given.items() if name.startswith(IMAGE)}


def _named(name: str) -> str:
    return rf"(^|/){re.escape(name)}(:|@|$)"


# In the spelling of AWS's SDK for Go.
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
    """The program for a container's image; None if kwok only reports it as running."""
    return next((entry for entry in IMAGES if re.search(entry.pattern, image)), None)


def flag_values(args: Sequence[str], flag: str) -> list[str]:
    """A flag's values in `args`, given as `--flag=value` or `--flag value`."""
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
    """Flag -> the program's port in the pod, which Services and probes name."""
    ports: dict[str, int] = {}
    for port in image.ports:
        given = flag_values(args, port.flag)
        text = given[-1].rpartition(":")[2] if given else ""
        ports[port.flag] = int(text) if text.isdigit() else port.default
    return ports


@dataclass(frozen=True)
class Surroundings:
    """What a process needs outside a container."""

    kubeconfig: Path
    namespace: str
    aws_endpoint: str
    listeners: Mapping[str, int]
    """Flag -> loopback port."""
    certificates: Path | None
    """The folder that replaces the image's certificate mount."""


def arguments(image: Image, args: Sequence[str], around: Surroundings) -> list[str]:
    """The program's arguments: the container's, with those of `around` replacing its own."""
    ours = {port.flag: port.form.format(around.listeners[port.flag]) for port in image.ports}
    ours["kubeconfig"] = str(around.kubeconfig)
    ours["aws-api-endpoints"] = ",".join(f"{api}={around.aws_endpoint}" for api in _AWS_APIS)
    if not flag_values(args, "leader-election-namespace"):
        # In a cluster it reads its namespace from a file that exists only in containers.
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
    """The program for a container: `--with NAME@VERSION` for its tag, otherwise `--with NAME`, otherwise the tool.

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
    """The version in a program's log, or `unknown`."""
    found = _LOGGED_VERSION.search(log)
    return found[1] if found else "unknown"
