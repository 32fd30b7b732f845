"""The eks stand-in's component: what it declares, what it refuses, and its kubeconfig."""

import json
from collections.abc import Mapping
from typing import Any

import pulumi
import pytest
from pulumi.runtime import MockCallArgs, MockResourceArgs, Mocks, set_all_config, set_mocks
from pulumi.runtime import test as run_to_the_end

from fixtures.declared import ensure_loop
from sandbox.providers.common.server import ProviderError
from sandbox.providers.eks import health
from sandbox.providers.eks.cluster import Cluster
from sandbox.providers.eks.inputs import FIELDS, check
from sandbox.providers.eks.kubeconfig import kubeconfig, rescoped
from sandbox.providers.eks.provider import EksProvider

GIVEN: Mapping[str, Any] = {
    "name": "demo",
    "version": "1.36",
    "vpcId": "vpc-1",
    "publicSubnetIds": ["subnet-1"],
    "privateSubnetIds": ["subnet-2"],
    "authenticationMode": "API",
    "skipDefaultNodeGroup": True,
    "skipDefaultSecurityGroups": True,
    "useDefaultVpcCni": True,
    "kubeProxyAddonOptions": {"enabled": False},
    "tags": {"team": "platform"},
}

CLUSTER: dict[str, Any] = {
    "arn": "arn:aws:eks:us-west-2:123456789012:cluster/demo",
    "endpoint": "https://127.0.0.1:6443",
    "certificateAuthority": {"data": "Q0E="},
    "identities": [{"oidcs": [{"issuer": "https://oidc.eks.us-west-2.amazonaws.com/id/A"}]}],
    "vpcConfig": {"clusterSecurityGroupId": "sg-1"},
}


class Aws(Mocks):
    """Keeps what was declared."""

    def __init__(self) -> None:
        self.declared: dict[str, dict[str, Any]] = {}

    def new_resource(self, args: MockResourceArgs) -> tuple[str | None, dict[str, Any]]:
        self.declared[f"{args.typ} {args.name}"] = args.inputs
        outputs = CLUSTER if args.typ == "aws:eks/cluster:Cluster" else {"arn": f"arn:{args.name}", "name": args.name}
        return args.name, {**outputs, **{key: args.inputs[key] for key in args.inputs if key not in outputs}}

    def call(self, args: MockCallArgs) -> Any:
        del args
        return {"partition": "aws-cn", "version": "v9"}


@pytest.fixture(autouse=True)
def _event_loop() -> None:  # pyright: ignore[reportUnusedFunction] - pytest uses it
    ensure_loop()


def declare(**more: Any) -> tuple[dict[str, dict[str, Any]], dict[str, Any]]:
    """What a component declares, and its outputs."""
    aws, seen = Aws(), dict[str, Any]()
    set_mocks(aws)

    @run_to_the_end
    def program() -> Any:
        cluster = Cluster("c", {**GIVEN, **more})
        told = {name: value for name, value in cluster.state.items() if name not in ("core", "eksCluster")}
        secret = cluster.state["kubeconfig"].is_secret()
        return pulumi.Output.all(**told, secret=secret).apply(seen.update)

    program()
    return aws.declared, seen


def test_a_cluster_with_its_role_and_nothing_else_is_declared() -> None:
    declared, _ = declare()
    assert set(declared) == {
        "eks:index:Cluster c",
        "eks:index:ServiceRole c-eksRole",
        "aws:iam/role:Role c-eksRole-role",
        "aws:iam/rolePolicyAttachment:RolePolicyAttachment c-eksRole-4b490823",
        "aws:eks/cluster:Cluster c-eksCluster",
        "pulumi:providers:kubernetes c-eks-k8s",
    }


def test_the_cluster_gets_what_the_component_was_given() -> None:
    declared, _ = declare(
        endpointPrivateAccess=True,
        endpointPublicAccess=False,
        enabledClusterLogTypes=["api"],
        encryptionConfigKeyArn="arn:key",
        clusterTags={"only": "cluster"},
        deletionProtection=True,
        upgradePolicy={"supportType": "STANDARD"},
    )
    assert declared["aws:eks/cluster:Cluster c-eksCluster"] == {
        "name": "demo",
        "version": "1.36",
        "roleArn": "arn:c-eksRole-role",
        "vpcConfig": {
            "subnetIds": ["subnet-1", "subnet-2"],
            "endpointPrivateAccess": True,
            "endpointPublicAccess": False,
        },
        "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
        "bootstrapSelfManagedAddons": True,
        "enabledClusterLogTypes": ["api"],
        "encryptionConfig": {"provider": {"keyArn": "arn:key"}, "resources": ["secrets"]},
        "deletionProtection": True,
        "upgradePolicy": {"supportType": "STANDARD"},
        "tags": {"Name": "c-eksCluster", "only": "cluster", "team": "platform"},
    }


def test_the_managed_policy_is_of_the_partition() -> None:
    declared, _ = declare()
    attached = declared["aws:iam/rolePolicyAttachment:RolePolicyAttachment c-eksRole-4b490823"]
    assert attached == {"policyArn": "arn:aws-cn:iam::aws:policy/AmazonEKSClusterPolicy", "role": "c-eksRole-role"}


def test_access_entries_and_their_policies_are_declared() -> None:
    policy = {"policyArn": "arn:policy", "accessScope": {"type": "cluster"}}
    entry = {"principalArn": "arn:me", "accessPolicies": {"admin": policy}}
    declared, _ = declare(accessEntries={"me": entry})
    assert declared["aws:eks/accessEntry:AccessEntry c-me"] == {"clusterName": "demo", "principalArn": "arn:me"}
    assert declared["aws:eks/accessPolicyAssociation:AccessPolicyAssociation c-me-admin"] == {
        "clusterName": "demo",
        "principalArn": "arn:me",
        **policy,
    }


def test_add_ons_are_declared_as_asked_for() -> None:
    declared, _ = declare(kubeProxyAddonOptions=None, corednsAddonOptions={"enabled": True, "version": "v1"})
    versions = {key: inputs["addonVersion"] for key, inputs in declared.items() if "addon:Addon" in key}
    assert versions == {"aws:eks/addon:Addon c-kube-proxy": "v9", "aws:eks/addon:Addon c-coredns": "v1"}


def test_the_outputs_are_the_clusters_and_the_kubeconfig_is_not_a_secret() -> None:
    _, outputs = declare()
    assert outputs["clusterSecurityGroupId"] == outputs["nodeSecurityGroupId"] == "sg-1"
    assert outputs["oidcIssuer"] == "oidc.eks.us-west-2.amazonaws.com/id/A"
    assert outputs["oidcProviderArn"] == ""
    assert outputs["secret"] is False
    assert json.loads(outputs["kubeconfigJson"]) == outputs["kubeconfig"]


def test_an_oidc_provider_is_declared_when_it_is_asked_for() -> None:
    declared, outputs = declare(createOidcProvider=True)
    assert declared["aws:iam/openIdConnectProvider:OpenIdConnectProvider c-oidcProvider"] == {
        "clientIdLists": ["sts.amazonaws.com"],
        "url": CLUSTER["identities"][0]["oidcs"][0]["issuer"],
    }
    assert outputs["oidcProviderArn"] == "arn:c-oidcProvider"


def test_the_kubeconfig_runs_the_aws_cli_with_the_given_credentials() -> None:
    options = {"roleArn": "arn:role", "profileName": "ops"}
    config = kubeconfig(CLUSTER["arn"], CLUSTER["endpoint"], "Q0E=", options, with_profile=True)
    assert config["clusters"][0]["cluster"] == {
        "server": "https://127.0.0.1:6443",
        "certificate-authority-data": "Q0E=",
    }
    command = config["users"][0]["user"]["exec"]
    assert " ".join([command["command"], *command["args"]]) == (
        "aws --region us-west-2 eks get-token --cluster-name demo --output json --role arn:role --profile ops"
    )


def words(config: Any) -> list[str]:
    return (json.loads(config) if isinstance(config, str) else config)["users"][0]["user"]["exec"]["args"]


OWN = "pulumi:providers:kubernetes c-eks-k8s"
"""The component's own Kubernetes provider."""


def test_a_profile_is_in_the_components_own_provider_and_in_no_output() -> None:
    """pulumi-eks calls `genKubeconfig(true)` for the provider alone (nodejs/eks/cluster/cluster.ts)."""
    declared, outputs = declare(providerCredentialOpts={"profileName": "ops", "roleArn": "arn:role"})

    assert words(declared[OWN]["kubeconfig"])[-4:] == ["--role", "arn:role", "--profile", "ops"]
    assert words(outputs["kubeconfig"])[-2:] == words(outputs["kubeconfigJson"])[-2:] == ["--role", "arn:role"]


@pytest.mark.parametrize("where", ["environment", "configuration"])
def test_a_profile_that_is_not_given_comes_from_around(monkeypatch: pytest.MonkeyPatch, where: str) -> None:
    if where == "environment":
        monkeypatch.setenv("AWS_PROFILE", "ops")
    set_all_config({"aws:profile": "ops"} if where == "configuration" else {})
    try:
        declared, outputs = declare()
    finally:
        set_all_config({})

    assert words(declared[OWN]["kubeconfig"])[-2:] == ["--profile", "ops"]
    assert "--profile" not in words(outputs["kubeconfig"])


def test_get_kubeconfig_gives_other_credentials_for_the_same_cluster() -> None:
    plain = kubeconfig(CLUSTER["arn"], CLUSTER["endpoint"], "Q0E=", {}, with_profile=False)

    other = rescoped(plain, "ops", "arn:role")

    assert other["clusters"] == plain["clusters"]
    assert words(other) == [*words(plain), "--role", "arn:role", "--profile", "ops"]
    assert rescoped(plain, None, None) == plain


def test_a_method_that_is_not_known_is_refused_by_name() -> None:
    with pytest.raises(ProviderError, match=r"which supports eks:index:Cluster/getKubeconfig"):
        EksProvider("4.4.0").call("eks:index:Cluster/other", {})


def test_the_component_is_registered_without_its_inputs() -> None:
    declared, _ = declare()

    assert declared["eks:index:Cluster c"] == {}


def test_the_trust_policy_is_json_without_spaces() -> None:
    declared, _ = declare()

    assert " " not in declared["aws:iam/role:Role c-eksRole-role"]["assumeRolePolicy"]


def test_core_says_what_pulumi_eks_does() -> None:
    aws, core = Aws(), dict[str, Any]()
    set_mocks(aws)

    @run_to_the_end
    def program() -> Any:
        cluster = Cluster("c", {**GIVEN, "encryptionConfigKeyArn": "arn:key"})
        return pulumi.Output.from_input(cluster.state["core"]).apply(core.update)

    program()

    assert core["encryptionConfig"] == {"provider": {"keyArn": "arn:key"}, "resources": ["secrets"]}
    assert core["nodeGroupOptions"] == {"version": "1.36"}
    assert core["kubeconfig"]["kind"] == "Config"


def test_what_is_made_of_the_kubeconfig_depends_on_the_cluster() -> None:
    names: set[str] = set()
    set_mocks(Aws())

    @run_to_the_end
    def program() -> Any:
        async def depends_on() -> None:
            cluster = Cluster("c", GIVEN)
            for made in await cluster.state["kubeconfig"].resources():
                names.add(str(await made.urn.future()))

        return pulumi.Output.from_input(depends_on())

    program()

    assert any(urn.endswith("::c-eksCluster") for urn in names)


class Answers:
    """A cluster whose `/healthz` answers after some tries."""

    def __init__(self, after: int) -> None:
        self.after, self.tries, self.pauses = after, 0, list[float]()

    def answers(self, _endpoint: str) -> bool:
        self.tries += 1
        return self.tries > self.after

    async def pause(self, seconds: float) -> None:
        self.pauses.append(seconds)


@pytest.mark.parametrize(("public", "after", "tries"), [(True, 3, 4), (True, 1000, 60), (False, 1000, 0)])
def test_a_public_endpoint_is_asked_sixty_times_at_most(
    monkeypatch: pytest.MonkeyPatch, *, public: bool, after: int, tries: int
) -> None:
    cluster = Answers(after)
    monkeypatch.setattr(health, "_answers", cluster.answers)
    monkeypatch.setattr(health, "_pause", cluster.pause)

    declare(endpointPublicAccess=public)

    assert cluster.tries == tries
    assert set(cluster.pauses) <= {5.0}


@pytest.mark.parametrize(
    ("wrong", "says"),
    [
        ({"vpcIdd": "x"}, "eks:index:Cluster has no input `vpcIdd`; did you mean `vpcId`?"),
        ({"fargate": True}, "stand-in does not know the input `fargate` of eks:index:Cluster"),
        ({"skipDefaultNodeGroup": None}, "set `skipDefaultNodeGroup` to True: it creates no node group"),
        ({"authenticationMode": "API_AND_CONFIG_MAP"}, "set `authenticationMode` to API: it writes no aws-auth"),
        ({"createInstanceRole": True}, "leave `createInstanceRole` out"),
        ({"vpcId": None}, "needs a `vpcId` and subnets"),
        ({"subnetIds": ["subnet-1"]}, "not both"),
        ({"publicAccessCidrs": ["0.0.0.0/0"], "endpointPublicAccess": False}, "can only be set when"),
        ({"accessEntries": {"me": {"principalArm": "x"}}}, "accessEntries[me] has no input `principalArm`"),
        ({"kubeProxyAddonOptions": {"enable": True}}, "did you mean `enabled`?"),
    ],
)
def test_what_the_stand_in_cannot_do_is_refused_with_a_remedy(wrong: dict[str, Any], says: str) -> None:
    with pytest.raises(ProviderError) as caught:
        check({**GIVEN, **wrong})
    assert says in str(caught.value)


def test_another_component_is_refused_by_name() -> None:
    with pytest.raises(ProviderError, match="eks:index:NodeGroupV2 is not supported by the sandbox's stand-in"):
        EksProvider("4.4.0").construct("x", "eks:index:NodeGroupV2", {})


def test_every_input_exists_in_the_installed_sdk() -> None:
    from pulumi._types import input_type_py_to_pulumi_names  # noqa: PLC0415 - a second that other tests do not need
    from pulumi_eks.cluster import ClusterArgs  # noqa: PLC0415

    assert set(FIELDS) <= set(input_type_py_to_pulumi_names(ClusterArgs).values())


def test_every_output_exists_in_the_installed_sdk() -> None:
    import pulumi_eks  # noqa: PLC0415 - as above
    from pulumi._types import resource_types  # noqa: PLC0415

    _, outputs = declare()
    # pulumi-eks also returns instanceRoles, which is missing in its own schema.
    assert set(outputs) - {"secret", "instanceRoles"} <= set(resource_types(pulumi_eks.Cluster))
