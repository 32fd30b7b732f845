"""What a program declares, seen by Pulumi's mocks: every resource with its inputs, every lookup with its arguments."""

import asyncio
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, rpc, set_mocks
from pulumi.runtime import test as run_to_the_end
from pulumi.runtime.mocks import MockEngine, MockMonitor

ACCOUNT = "123456789012"
CALLER = f"arn:aws:sts::{ACCOUNT}:assumed-role/deployer/session"
DEPLOYER = f"arn:aws:iam::{ACCOUNT}:role/ops/deployer"
ISSUER_URL = "https://oidc.eks.us-west-2.amazonaws.com/id/ABCDEF"
UNKNOWN = rpc.UNKNOWN
"""A preview's mark for an output that only the update will know."""
_SIGNATURE, _OF_A_RESOURCE = "4dabf18193072939515e22adb298388d", "5cf8f73096256a8f31e491e813e4eb8e"
"""How Pulumi writes a reference to a resource: pkg/resource/properties.go of the engine's SDK."""
_TOKEN = ["--region", "us-west-2", "eks", "get-token", "--cluster-name", "dev", "--output", "json"]
KUBECONFIG = {
    "clusters": [
        {"cluster": {"server": "https://api.example", "certificate-authority-data": "Q0E="}, "name": "kubernetes"}
    ],
    "users": [{"name": "aws", "user": {"exec": {"command": "aws", "args": _TOKEN}}}],
}
"""What pulumi-eks writes without a role, as far as the program reads it (nodejs/eks/cluster/cluster.ts)."""

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
        "kubeconfigJson": json.dumps(KUBECONFIG),
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
_CALLS: dict[str, Any] = {
    "aws:index/getCallerIdentity:getCallerIdentity": {"accountId": ACCOUNT, "arn": CALLER},
    "aws:iam/getSessionContext:getSessionContext": {"issuerArn": DEPLOYER},
    "aws:eks/getAddonVersion:getAddonVersion": lambda args: {
        "version": "v1-latest" if args["mostRecent"] else "v1-default"
    },
    "aws:eks/getClusters:getClusters": {"names": []},
    "aws:cloudwatch/getLogGroups:getLogGroups": {"logGroupNames": []},
    "aws:ssm/getParameter:getParameter": {"value": "1.36.3-20261101"},
    "aws:resourcegroupstaggingapi/getResources:getResources": {
        "resourceTagMappingLists": [{"resourceArn": "arn:b"}, {"resourceArn": "arn:a"}]
    },
}


# Pulumi's mock of the engine does not report the CLI's version, so any is accepted.
MockEngine.RequirePulumiVersion = lambda _self, _request: None  # pyright: ignore[reportAttributeAccessIssue]


@dataclass(frozen=True)
class Resource:
    """One declared resource."""

    type: str
    name: str
    inputs: dict[str, Any]
    transforms: list[pulumi.ResourceTransform]
    options: Any
    """The engine's RegisterResourceRequest: `protect`, `ignoreChanges`, `aliases`, `importId`, `dependencies`, ..."""

    @property
    def waits_for(self) -> set[str]:
        """The names of the resources that it depends on."""
        return {urn.rpartition("::")[2] for urn in self.options.dependencies}


class _Monitor(MockMonitor):
    """Keeps the options of a resource's registration: Pulumi's mocks show only its inputs."""

    def __init__(self, mocks: Mocks) -> None:
        super().__init__(mocks)
        self.requests: dict[tuple[str, str], Any] = {}

    def RegisterResource(self, request: Any) -> Any:  # noqa: N802 - the engine's name
        self.requests[request.type, request.name] = request
        return super().RegisterResource(request)


@dataclass
class Declared(Mocks):
    """Everything that a program declared and looked up."""

    resources: list[Resource] = field(default_factory=list[Resource])
    calls: list[tuple[str, dict[str, Any]]] = field(default_factory=list[tuple[str, dict[str, Any]]])
    outputs: dict[str, Any] = field(default_factory=dict[str, Any])
    answers: Mapping[str, Any] = field(default_factory=dict[str, Any])
    """Answers of lookups by token, overriding the defaults; with failures as a pair."""
    made: Mapping[str, Mapping[str, Any]] = field(default_factory=dict[str, Mapping[str, Any]])
    """Outputs of resources by name, overriding the defaults; `UNKNOWN` is known after the update."""
    monitor: "_Monitor | None" = None

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        assert self.monitor is not None
        request = self.monitor.requests[args.typ, args.name]
        self.resources.append(Resource(args.typ, args.name, args.inputs, args.transforms, request))
        answers = _OUTPUTS.get(args.typ, lambda _: {})(args)
        if args.typ == "eks:index:Cluster":
            answers = {**answers, "eksCluster": self._control_plane(args)}
        return f"{args.name}-id", {**args.inputs, **answers, **self.made.get(args.name, {})}

    def _control_plane(self, args: MockResourceArgs) -> dict[str, Any]:
        """Return a reference to the EKS cluster that pulumi-eks makes as a child of its component."""
        urn = f"urn:pulumi:test::eks-load-balancing::aws:eks/cluster:Cluster::{args.name}-eksCluster"
        encryption = {"provider": {"keyArn": args.inputs["encryptionConfigKeyArn"]}, "resources": ["secrets"]}
        reached = {"endpoint": "https://api.example", "certificateAuthority": {"data": "Q0E="}}
        state = {"encryptionConfig": encryption, **reached, **self.made.get(f"{args.name}-eksCluster", {})}
        assert self.monitor is not None
        self.monitor.resources[urn] = MockMonitor.ResourceRegistration(urn, args.inputs["name"], state)
        return {_SIGNATURE: _OF_A_RESOURCE, "urn": urn, "id": args.inputs["name"]}

    def call(self, args: MockCallArgs) -> Any:  # pyright: ignore[reportIncompatibleMethodOverride]
        self.calls.append((args.token, args.args))
        answer = {**_CALLS, **self.answers}[args.token]
        return answer(args.args) if callable(answer) else answer

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


def declare(
    program: Callable[[], Mapping[str, object] | None],
    answers: Mapping[str, Any] | None = None,
    *,
    made: Mapping[str, Mapping[str, Any]] | None = None,
    preview: bool = False,
) -> Declared:
    """Run a program under mocks to its end, and return what it declared.

    Args:
        program: declares resources; the outputs that it returns are found, resolved, in `outputs`.
        answers: of lookups, by token.
        made: outputs of resources, by name.
        preview: whether it is a preview, in which outputs may be unknown.
    """
    declared = Declared(answers=answers or {}, made=made or {})
    declared.monitor = _Monitor(declared)
    try:
        asyncio.get_event_loop()
    except RuntimeError:  # `asyncio.run` in another test left the thread without one
        asyncio.set_event_loop(asyncio.new_event_loop())
    set_mocks(declared, project="eks-load-balancing", stack="test", preview=preview, monitor=declared.monitor)

    @run_to_the_end
    def run() -> pulumi.Output[Any]:
        outputs: Any = program() or {}
        return pulumi.Output.from_input(outputs).apply(declared.outputs.update)

    run()
    return declared
