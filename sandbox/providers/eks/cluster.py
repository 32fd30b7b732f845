"""The component: an EKS cluster, its role, its access entries, and the requested add-ons."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any

import pulumi

from sandbox.providers.eks.children import Child, KubernetesProvider
from sandbox.providers.eks.health import reachable
from sandbox.providers.eks.inputs import CLUSTER, check
from sandbox.providers.eks.kubeconfig import credentials, kubeconfig

Inputs = Mapping[str, Any]


class ServiceRole(pulumi.ComponentResource):
    """A role that the EKS service can assume, with AWS's managed policy for it."""

    def __init__(self, name: str, tags: Any, partition: pulumi.Output[str], opts: pulumi.ResourceOptions) -> None:
        """Registers the role and its attachment."""
        super().__init__("eks:index:ServiceRole", name, {}, opts)
        child = pulumi.ResourceOptions(parent=self)
        statement = {
            "Action": ["sts:AssumeRole", "sts:TagSession"],
            "Effect": "Allow",
            "Principal": {"Service": ["eks.amazonaws.com"]},
        }
        inputs = {
            "description": "Allows EKS to manage clusters on your behalf.",
            "assumeRolePolicy": _compact({"Version": "2012-10-17", "Statement": [statement]}),
            "tags": tags,
        }
        self.role = Child("aws:iam/role:Role", f"{name}-role", inputs, ("arn", "name"), child)
        policy = "policy/AmazonEKSClusterPolicy"
        attached = {
            "policyArn": partition.apply(lambda known: f"arn:{known}:iam::aws:{policy}"),
            "role": self.role["name"],
        }
        # The name says which policy, whatever the partition.
        what = hashlib.sha1(f"arn:aws:iam::aws:{policy}".encode(), usedforsecurity=False).hexdigest()[:8]
        kind = "aws:iam/rolePolicyAttachment:RolePolicyAttachment"
        self.attachment = Child(kind, f"{name}-{what}", attached, (), child)
        self.register_outputs({"directRole": self.role, "resolvedRole": self.role})


class Cluster(pulumi.ComponentResource):
    """`eks:index:Cluster`.

    Attributes:
        state: The component's outputs by camelCase name.
    """

    def __init__(self, name: str, inputs: Inputs, opts: pulumi.ResourceOptions | None = None) -> None:
        """Registers the component and everything in it.

        Raises:
            ProviderError: The stand-in does not support an input.
        """
        check(inputs)
        super().__init__(CLUSTER, name, {}, opts)  # without its inputs, like a component of the Node.js SDK
        self._prefix, self._inputs = name, inputs
        self._child = pulumi.ResourceOptions(parent=self)
        role_arn, role, after = self._service_role()
        self._cluster = self._control_plane(role_arn, after)
        self._addon("kube-proxy", inputs.get("kubeProxyAddonOptions") or {}, by_default=True)
        # CoreDNS has nowhere to run without nodes, so it is added only on request.
        self._addon("coredns", inputs.get("corednsAddonOptions") or {}, by_default=False)
        endpoint = (
            reachable(self._cluster["endpoint"]) if inputs.get("endpointPublicAccess") else self._cluster["endpoint"]
        )
        written = _known(self._kubeconfig(endpoint, with_profile=False), {})
        own = _known(self._kubeconfig(endpoint, with_profile=True), {}).apply(_compact)
        provider = KubernetesProvider(f"{name}-eks-k8s", own, self._child)
        self._access_entries()
        oidc_provider_arn = self._oidc_provider()
        self.state = self._outputs(written, provider, role, oidc_provider_arn)
        self.register_outputs(self.state)

    def _service_role(self) -> tuple[Any, Any, list[pulumi.Resource]]:
        """The role's ARN, the role, and what the cluster must wait for."""
        given = self._inputs.get("serviceRole")
        if given is not None:
            return pulumi.Output.from_input(given).apply(lambda role: role.arn), given, []
        partition = self._invoke("aws:index/getPartition:getPartition", {}).apply(lambda found: found["partition"])
        own = ServiceRole(f"{self._prefix}-eksRole", self._inputs.get("tags"), partition, self._child)
        return own.role["arn"], own.role, [own.role, own.attachment]

    def _control_plane(self, role_arn: Any, after: list[pulumi.Resource]) -> Child:
        given = self._inputs
        network = (
            {
                "ipFamily": given.get("ipFamily") or "ipv4",
                "serviceIpv4Cidr": given.get("kubernetesServiceIpAddressRange"),
            }
            if given.get("ipFamily") or given.get("kubernetesServiceIpAddressRange")
            else None
        )
        access = ("endpointPrivateAccess", "endpointPublicAccess", "publicAccessCidrs")
        name = f"{self._prefix}-eksCluster"
        inputs = {
            "name": given.get("name"),
            "roleArn": role_arn,
            "version": given.get("version"),
            "vpcConfig": {
                "subnetIds": self._subnets(),
                **{each: given[each] for each in access if given.get(each) is not None},
            },
            "bootstrapSelfManagedAddons": _or(given.get("bootstrapSelfManagedAddons"), other=True),
            "enabledClusterLogTypes": given.get("enabledClusterLogTypes"),
            "tags": _merged({"Name": name}, given.get("clusterTags"), given.get("tags")),
            "encryptionConfig": self._encryption(),
            "kubernetesNetworkConfig": network,
            # pulumi-eks hard-codes it, for charts that it installs itself.
            "accessConfig": {"authenticationMode": "API", "bootstrapClusterCreatorAdminPermissions": True},
            "upgradePolicy": given.get("upgradePolicy"),
            "deletionProtection": given.get("deletionProtection"),
        }
        opts = pulumi.ResourceOptions(
            parent=self,
            depends_on=after,
            ignore_changes=["accessConfig.bootstrapClusterCreatorAdminPermissions", "bootstrapSelfManagedAddons"],
        )
        outputs = (
            "arn",
            "name",
            "version",
            "endpoint",
            "certificateAuthority",
            "identities",
            "vpcConfig",
            "encryptionConfig",
        )
        return Child("aws:eks/cluster:Cluster", name, inputs, outputs, opts)

    def _encryption(self) -> Any:
        key = self._inputs.get("encryptionConfigKeyArn")
        return None if key is None else {"provider": {"keyArn": key}, "resources": ["secrets"]}

    def _subnets(self) -> Any:
        if self._inputs.get("subnetIds") is not None:
            return self._inputs["subnetIds"]
        public, private = self._inputs.get("publicSubnetIds") or [], self._inputs.get("privateSubnetIds") or []
        return pulumi.Output.all(public, private).apply(lambda both: [*both[0], *both[1]])

    def _addon(self, addon: str, options: Inputs, *, by_default: bool) -> None:
        if not (by_default if options.get("enabled") is None else options["enabled"]):
            return
        asked = {"addonName": addon, "kubernetesVersion": self._cluster["version"], "mostRecent": True}
        settings = options.get("configurationValues")
        inputs = {
            "clusterName": self._cluster["name"],
            "addonName": addon,
            "preserve": True,
            "tags": self._inputs.get("tags"),
            "resolveConflictsOnCreate": options.get("resolveConflictsOnCreate") or "OVERWRITE",
            "resolveConflictsOnUpdate": options.get("resolveConflictsOnUpdate") or "OVERWRITE",
            "addonVersion": options.get("version")
            or self._invoke("aws:eks/getAddonVersion:getAddonVersion", asked).apply(lambda found: found["version"]),
            "configurationValues": None if settings is None else pulumi.Output.json_dumps(settings),
        }
        Child("aws:eks/addon:Addon", f"{self._prefix}-{addon}", inputs, (), self._child)

    def _access_entries(self) -> None:
        for key, entry in (self._inputs.get("accessEntries") or {}).items():
            name = f"{self._prefix}-{key}"
            inputs = {
                "clusterName": self._cluster["name"],
                "principalArn": entry["principalArn"],
                "kubernetesGroups": entry.get("kubernetesGroups"),
                "tags": entry.get("tags"),
                "type": entry.get("type"),
                "userName": entry.get("username"),
            }
            opts = pulumi.ResourceOptions(parent=self, depends_on=[self._cluster])
            made = Child("aws:eks/accessEntry:AccessEntry", name, inputs, (), opts)
            for policy_key, policy in (entry.get("accessPolicies") or {}).items():
                associated = {
                    "clusterName": self._cluster["name"],
                    "principalArn": entry["principalArn"],
                    "policyArn": policy["policyArn"],
                    "accessScope": policy["accessScope"],
                }
                kind = "aws:eks/accessPolicyAssociation:AccessPolicyAssociation"
                under = pulumi.ResourceOptions(parent=made, depends_on=[made])
                Child(kind, f"{name}-{policy_key}", associated, (), under)

    def _kubeconfig(self, endpoint: Any, *, with_profile: bool) -> pulumi.Output[dict[str, Any]]:
        cluster, options = self._cluster, credentials(self._inputs.get("providerCredentialOpts"))
        parts = pulumi.Output.all(cluster["arn"], endpoint, cluster["certificateAuthority"], options)
        return parts.apply(
            lambda known: kubeconfig(
                known[0], known[1], (known[2] or {}).get("data", ""), known[3], with_profile=with_profile
            )
        )

    def _oidc_provider(self) -> Any:
        """The IAM provider, without a thumbprint: pulumi-eks asks the issuer for one, but IAM does not need it."""
        if not self._inputs.get("createOidcProvider"):
            return ""
        inputs = {"clientIdLists": ["sts.amazonaws.com"], "url": self._issuer()}
        kind = "aws:iam/openIdConnectProvider:OpenIdConnectProvider"
        return Child(kind, f"{self._prefix}-oidcProvider", inputs, ("arn",), self._child)["arn"]

    def _issuer(self) -> pulumi.Output[str]:
        return self._cluster["identities"].apply(lambda found: found[0]["oidcs"][0]["issuer"] if found else "")

    def _invoke(self, function: str, args: Inputs) -> pulumi.Output[Any]:
        return pulumi.runtime.invoke_output(function, args, pulumi.InvokeOutputOptions(parent=self))

    def _outputs(self, written: Any, provider: KubernetesProvider, role: Any, oidc_provider_arn: Any) -> dict[str, Any]:
        # A program that runs for a destroy sees only the inputs of a cluster that is gone or was never created.
        group = self._cluster["vpcConfig"].apply(lambda config: config.get("clusterSecurityGroupId") or "")
        issuer = self._issuer()
        core = {
            "cluster": self._cluster,
            "vpcId": self._inputs["vpcId"],
            "subnetIds": self._subnets(),
            "publicSubnetIds": self._inputs.get("publicSubnetIds"),
            "privateSubnetIds": self._inputs.get("privateSubnetIds"),
            "endpoint": self._cluster["endpoint"],
            "provider": provider,
            "instanceRoles": [],
            "nodeGroupOptions": {"version": self._inputs.get("version")},
            "kubeconfig": written,
            "encryptionConfig": self._encryption(),
            "tags": self._inputs.get("tags"),
            "storageClasses": {},
            "clusterIamRole": role,
            "accessEntries": list((self._inputs.get("accessEntries") or {}).values()),
            "autoModeNodeRoleName": "",
        }
        return {
            "kubeconfig": written,
            "kubeconfigJson": written.apply(_compact),
            "eksCluster": self._cluster,
            "core": {key: value for key, value in core.items() if value is not None},
            "instanceRoles": [],
            "clusterSecurityGroupId": group,
            "nodeSecurityGroupId": group,
            "clusterIngressRuleId": "",
            "defaultNodeGroupAsgName": "",
            "fargateProfileId": "",
            "fargateProfileStatus": "",
            "oidcProviderArn": oidc_provider_arn,
            "oidcProviderUrl": issuer,
            "oidcIssuer": issuer.apply(lambda url: url.removeprefix("https://")),
            "autoModeNodeRoleName": "",
        }


def _or(value: Any, *, other: Any) -> Any:
    return other if value is None else value


def _merged(*tags: Any) -> pulumi.Output[dict[str, str]]:
    return pulumi.Output.all(*(each or {} for each in tags)).apply(
        lambda known: {key: value for each in known for key, value in each.items()}
    )


def _known(output: pulumi.Output[Any], otherwise: Any) -> pulumi.Output[Any]:
    """An output; or `otherwise`, if a program runs for the destroy of a cluster that is gone and nothing is known.

    The engine does not accept an RPC with a secret without a value.
    """

    async def value() -> Any:
        return await output.future() if await output.is_known() else otherwise

    async def known() -> bool:
        return True

    # With the output's resources: what uses it depends on the cluster.
    return output if pulumi.runtime.is_dry_run() else pulumi.Output(output.resources(), value(), known())


def _compact(value: Any) -> str:
    return json.dumps(value, separators=(",", ":"))
