"""The tools, their versions, and their sources."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent


@dataclass(frozen=True)
class ModuleFiles:
    """Files in a Go module that the sandbox uses besides the executable."""

    name: str
    """Their name in the folder of the built tool."""
    module: str
    path: str
    """A file or folder in the module."""


@dataclass(frozen=True)
class Tool:
    """A tool built from a Go module in this folder."""

    name: str
    version: str
    package: str
    """The arguments of `go build`, relative to the module's folder."""
    variables: tuple[str, ...] = ()
    """Linker variables (`-X`) that tell the tool its own version."""
    minutes: float = 3.0
    """How long the first build takes on 2 cores: the first estimate."""
    unoptimised: str = ""
    """A pattern of packages that are compiled without optimisation, because their code hardly runs."""
    files: tuple[ModuleFiles, ...] = ()
    folder: Path | None = None
    """The folder of its Go module, if it is not the one with the tool's name beside this file."""

    @property
    def module(self) -> Path:
        """The folder of its Go module."""
        return self.folder or MODULES / self.name

    @property
    def ldflags(self) -> str:
        """Linker flags: no symbols (a third of the size), and the version."""
        return " ".join(["-s", "-w", *(f"-X {v}" for v in self.variables)])

    @property
    def build_flags(self) -> list[str]:
        """The flags of `go build` and `go list`."""
        optimisation = [f"-gcflags={self.unoptimised}=-N -l"] if self.unoptimised else []
        return [*optimisation, "-ldflags", self.ldflags]

    def key(self) -> str:
        """Distinguishes builds of the same version: a hash of sources and flags, as 12 hex digits."""
        digest = hashlib.sha256(f"{self.package} {self.build_flags} {self.files}".encode())
        for file in sorted(f for f in self.module.glob("*") if f.is_file()):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()[:12]


_KUBERNETES = "1.36.3"
_PULUMI = "3.276.0"
CONTROLLER_MODULE = "sigs.k8s.io/aws-load-balancer-controller"
CONTROLLER = "load-balancer-controller"
KUBERNETES_PROVIDER = "pulumi-resource-kubernetes"
LANGUAGE_YAML = "pulumi-language-yaml"
_PROVIDER_MODULE = "github.com/pulumi/pulumi-kubernetes/provider/v4"
_PROVIDER_FILES = "cmd/pulumi-resource-kubernetes"


def controller(
    version: str, *, module: str = CONTROLLER_MODULE, gateway_api: bool = True, folder: Path | None = None
) -> Tool:
    """The AWS Load Balancer Controller with what its module contains: the chart, and the CRDs of the Gateway API.

    Args:
        version: the executable's own version, such as `v3.5.0`.
        module: the module's path, which changes with the controller's major version.
        gateway_api: whether it supports Gateways.
        folder: the folder of the Go module that requires it; None for the one beside this file.
    """
    crds = (ModuleFiles("gateway-api", "sigs.k8s.io/gateway-api", "config/crd"),) if gateway_api else ()
    return Tool(
        CONTROLLER,
        version,
        module,
        variables=(f"{module}/pkg/version.GitVersion={version}",),
        minutes=4,
        files=(ModuleFiles("chart", module, "helm/aws-load-balancer-controller"), *crds),
        folder=folder,
    )


CATALOG: tuple[Tool, ...] = (
    Tool(
        "pulumi",
        _PULUMI,
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        variables=(f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={_PULUMI}",),
        minutes=5,
    ),
    Tool(
        KUBERNETES_PROVIDER,
        "4.25.0",
        ".",
        variables=("main.version=4.25.0",),
        minutes=6,
        # The generated Go SDK is half of what is compiled; the provider uses a few of its types.
        unoptimised="github.com/pulumi/pulumi-kubernetes/sdk/v4/...",
        files=tuple(
            ModuleFiles(name, _PROVIDER_MODULE, f"{_PROVIDER_FILES}/{name}")
            for name in ("schema.json", "terraform-mapping.json")
        ),
    ),
    Tool(
        "control-plane",
        _KUBERNETES,
        ".",
        variables=(
            f"k8s.io/component-base/version.gitVersion=v{_KUBERNETES}",
            "k8s.io/component-base/version.gitMajor=1",
            "k8s.io/component-base/version.gitMinor=36",
        ),
        minutes=6,
    ),
    Tool("kwok", "0.8.0", "sigs.k8s.io/kwok/cmd/kwok", minutes=1),
    # The output of `git describe` for the commit in load-balancer-controller/go.mod.
    controller("v3.2.2-7-g93ff3b5"),
    # Runs in pods that serve, if `--traffic` gives them a network.
    Tool("web", "0.1.0", ".", minutes=0.3),
    Tool("cloud-controller-manager", "1.36.2", "k8s.io/cloud-provider-aws/cmd/aws-cloud-controller-manager", minutes=4),
    Tool("helm", "4.3.1", "helm.sh/helm/v4/cmd/helm", minutes=2),
    Tool("pulumi-python-sdk", _PULUMI, ".", folder=MODULES / "pulumi", minutes=0.5),
    Tool(
        LANGUAGE_YAML,
        "1.25.0",
        "github.com/pulumi/pulumi-yaml/cmd/pulumi-language-yaml",
        variables=("github.com/pulumi/pulumi-yaml/pkg/version.Version=1.25.0",),
        minutes=1.5,
    ),
)
"""In the order in which `make up` needs them."""

AT_ONCE = frozenset({"pulumi", KUBERNETES_PROVIDER, "control-plane", "kwok", CONTROLLER})
"""What `make up` needs. The others are built when they are first used."""
_WITH_ENGINE = frozenset({"pulumi", KUBERNETES_PROVIDER})
_WITH_TRAFFIC = frozenset({"web", "cloud-controller-manager"})


def release(version: str) -> str:
    """The release of a controller's version: 3.2.2 for `v3.2.2-7-g93ff3b5`."""
    return version.removeprefix("v").partition("-")[0]


def wanted(*, traffic: bool, engine: bool = True) -> list[Tool]:
    """The tools that a sandbox needs before it comes up, with a network or without, for Pulumi programs or not."""
    names = AT_ONCE | (_WITH_TRAFFIC if traffic else frozenset[str]())
    return [t for t in CATALOG if t.name in (names if engine else names - _WITH_ENGINE)]


def by_name(name: str) -> Tool:
    """The tool called `name`.

    Raises:
        KeyError: it does not exist.
    """
    for tool in CATALOG:
        if tool.name == name:
            return tool
    raise KeyError(name)
