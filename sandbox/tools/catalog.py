"""Which tools there are, in which version, and from what each is built."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

MODULES = Path(__file__).parent


@dataclass(frozen=True)
class GoTool:
    """A tool built from a Go module in this folder."""

    name: str
    version: str
    package: str
    """What `go build` is given, seen from the module's folder."""
    variables: tuple[str, ...] = ()
    """Linker variables (`-X`), by which the tool knows its own version."""
    minutes: float = 3.0
    """How long the first build takes on 2 cores: the estimate until there is a better one."""

    @property
    def module(self) -> Path:
        """The folder of its Go module."""
        return MODULES / self.name

    @property
    def ldflags(self) -> str:
        """Linker flags: no symbols (a third of the size), and the version."""
        return " ".join(["-s", "-w", *(f"-X {v}" for v in self.variables)])

    def key(self) -> str:
        """What tells two builds of the same version apart: its sources and flags, as 12 hex digits."""
        digest = hashlib.sha256(f"{self.package} {self.ldflags}".encode())
        for file in sorted(self.module.glob("*")):
            digest.update(file.name.encode() + b"\0" + file.read_bytes())
        return digest.hexdigest()[:12]


@dataclass(frozen=True)
class PythonTool:
    """A tool from PyPI that needs an environment of its own, apart from the project's."""

    name: str
    version: str
    distribution: str
    requirements: tuple[str, ...] = ()
    minutes: float = 0.5

    def key(self) -> str:
        """What tells two environments of the same version apart, as 12 hex digits."""
        return hashlib.sha256(" ".join(self.requirements).encode()).hexdigest()[:12]


Tool = GoTool | PythonTool

_KUBERNETES = "1.36.3"
_PULUMI = "3.259.0"

CATALOG: tuple[Tool, ...] = (
    GoTool(
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
    GoTool("kwok", "0.8.0", "sigs.k8s.io/kwok/cmd/kwok", minutes=1),
    GoTool(
        "pulumi",
        _PULUMI,
        "github.com/pulumi/pulumi/pkg/v3/cmd/pulumi",
        variables=(f"github.com/pulumi/pulumi/sdk/v3/go/common/version.Version={_PULUMI}",),
        minutes=4,
    ),
    # What runs in pods that serve, when `--traffic` gives them a network.
    GoTool("web", "0.1.0", ".", minutes=0.3),
    GoTool(
        "cloud-controller-manager", "1.36.2", "k8s.io/cloud-provider-aws/cmd/aws-cloud-controller-manager", minutes=4
    ),
    GoTool("helm", "4.3.1", "helm.sh/helm/v4/cmd/helm", minutes=2),
    # The AWS CLI pins its own botocore: beside moto and boto3 it cannot be.
    PythonTool("aws", "1.46.3", "awscli", requirements=("awscli==1.46.3",)),
)


_WITH_TRAFFIC = frozenset({"web", "cloud-controller-manager"})


def wanted(*, traffic: bool) -> list[Tool]:
    """The tools that a sandbox needs, with a network or without."""
    return [t for t in CATALOG if traffic or t.name not in _WITH_TRAFFIC]


def by_name(name: str) -> Tool:
    """The tool called `name`.

    Raises:
        KeyError: there is none.
    """
    return next(t for t in CATALOG if t.name == name)
