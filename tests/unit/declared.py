"""What a program declares, seen by Pulumi's mocks: every resource with its inputs, every lookup with its arguments."""

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, set_mocks
from pulumi.runtime import test as run_to_the_end

ACCOUNT = "123456789012"
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/session"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/ops/deployer"
ISSUER_URL = "https://oidc.eks.us-west-2.amazonaws.com/id/ABCDEF"

# What a created resource answers beside its inputs.
_OUTPUTS: dict[str, Callable[[MockResourceArgs], dict[str, Any]]] = {
    "aws:iam/role:Role": lambda r: {"arn": f"arn:aws:iam::{ACCOUNT}:role/{r.name}", "name": r.name},
    "aws:iam/policy:Policy": lambda r: {"arn": f"arn:aws:iam::{ACCOUNT}:policy/{r.name}"},
    "aws:iam/openIdConnectProvider:OpenIdConnectProvider": lambda r: {
        "arn": f"arn:aws:iam::{ACCOUNT}:oidc-provider/{r.inputs['url'].removeprefix('https://')}"
    },
    "aws:kms/key:Key": lambda r: {"arn": f"arn:aws:kms:us-west-2:{ACCOUNT}:key/{r.name}"},
    "aws:ec2/launchTemplate:LaunchTemplate": lambda _: {"latestVersion": 7},
    "eks:index:Cluster": lambda _: {
        "clusterSecurityGroupId": "sg-of-the-cluster",
        "oidcProviderUrl": ISSUER_URL,
        "kubeconfigJson": "{}",
    },
    "tls:index/privateKey:PrivateKey": lambda r: {"privateKeyPem": f"key of {r.name}"},
    "tls:index/selfSignedCert:SelfSignedCert": lambda r: {"certPem": f"certificate of {r.name}"},
    "tls:index/locallySignedCert:LocallySignedCert": lambda r: {"certPem": f"certificate of {r.name}"},
    "tls:index/certRequest:CertRequest": lambda r: {"certRequestPem": f"request of {r.name}"},
    "kubernetes:core/v1:Service": lambda _: {"status": {"loadBalancer": {"ingress": [{"hostname": "nlb.example"}]}}},
    "kubernetes:networking.k8s.io/v1:Ingress": lambda _: {
        "status": {"loadBalancer": {"ingress": [{"hostname": "alb.example"}]}}
    },
}
_CALLS: dict[str, dict[str, Any]] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT, "arn": CALLER},
    "aws:iam/getSessionContext:getSessionContext": {"issuerArn": DEPLOYER},
    "aws:resourcegroupstaggingapi/getResources:getResources": {
        "resourceTagMappingLists": [{"resourceArn": "arn:b"}, {"resourceArn": "arn:a"}]
    },
}


@dataclass(frozen=True)
class Resource:
    """One declared resource."""

    type: str
    name: str
    inputs: dict[str, Any]
    transforms: list[pulumi.ResourceTransform]


@dataclass
class Declared(Mocks):
    """Everything that a program declared and looked up."""

    resources: list[Resource] = field(default_factory=list[Resource])
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    answers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """What lookups answer, by token, in the place of what they always do; with failures as a pair."""

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.resources.append(Resource(args.typ, args.name, args.inputs, args.transforms))
        answers = _OUTPUTS.get(args.typ, lambda _: {})(args)
        return f"{args.name}-id", {**args.inputs, **answers}

    def call(self, args: MockCallArgs) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.calls.append((args.token, args.args))
        return {**_CALLS, **self.answers}[args.token]

    def types(self) -> list[str]:
        """The types declared, without the components', in order of their names."""
        return sorted({r.type for r in self.resources if not r.type.startswith("eks-load-balancing:")})

    def of(self, kind: str) -> list[Resource]:
        """Every resource whose type ends in `kind`, such as `:Role`."""
        return [r for r in self.resources if r.type.endswith(kind)]

    def one(self, kind: str, name: str | None = None) -> Resource:
        """The only resource of a kind, or the only one of a name."""
        (found,) = [r for r in self.of(kind) if name is None or r.name == name]
        return found


def declare(program: Callable[[], Mapping[str, object] | None], answers: Mapping[str, Any] | None = None) -> Declared:
    """Run a program under mocks to its end, and return what it declared.

    Args:
        program: declares resources; the outputs that it returns are found, resolved, in `outputs`.
        answers: of lookups, by token.
    """
    declared = Declared(answers=answers or {})
    try:
        asyncio.get_event_loop()
    except RuntimeError:  # `asyncio.run` in another test left the thread without one
        asyncio.set_event_loop(asyncio.new_event_loop())
    set_mocks(declared, project="eks-load-balancing", stack="test")

    @run_to_the_end
    def run() -> pulumi.Output[Any]:
        outputs: Any = program() or {}
        return pulumi.Output.from_input(outputs).apply(declared.outputs.update)

    run()
    return declared
