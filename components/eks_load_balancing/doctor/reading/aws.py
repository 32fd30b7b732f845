"""Reads the facts of AWS. It knows calls and their order; the checks draw the conclusions."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final

from eks_load_balancing.controller.statements import TAG
from eks_load_balancing.doctor.facts import CannotLookError, Object, Objects, known, seen
from eks_load_balancing.doctor.lookups import ROLE_ANNOTATION, annotations_of, tags_of
from eks_load_balancing.doctor.reading.account import Account, RefusedError
from eks_load_balancing.identity.trust import without_scheme

_TAGS_AT_ONCE: Final = 20  # of DescribeTags
_INSTANCES_AT_ONCE: Final = 200  # values of a filter


def described(account: Account, name: str) -> Object:
    """Return the cluster.

    Raises:
        CannotLookError: it does not exist, or the caller may not read it.
    """
    try:
        account.ask("sts", "GetCallerIdentity")
        return account.ask("eks", "DescribeCluster", name=name)["cluster"]
    except RefusedError as error:
        if error.code == "ResourceNotFoundException":
            region = account.client("eks").meta.region_name
            raise CannotLookError(
                f"no cluster {name!r} in {region}: give --cluster as `aws eks list-clusters` shows it, and --region"
            ) from error
        raise CannotLookError(
            f"{error}: give credentials that may make this call (AWS_PROFILE or --profile; docs/doctor.md has the"
            " policy)"
        ) from error


def facts(account: Account, cluster: Object, kubernetes: Mapping[str, Any]) -> dict[str, Any]:
    """Return every fact of AWS; which ones to read depends on those of Kubernetes."""
    return {
        **_identity(account, cluster, kubernetes),
        **_network(account, cluster, kubernetes),
        **_balancers(account, cluster["name"], kubernetes),
    }


# --- the controller's identity


def _identity(account: Account, cluster: Object, kubernetes: Mapping[str, Any]) -> dict[str, Any]:
    name = cluster["name"]
    associations = seen(lambda: _associations(account, name, known(kubernetes["service_account"])))
    own = cluster["arn"].split(":")[4]
    role = seen(lambda: _role(account, own, _role_arn(known(associations), known(kubernetes["service_account"]))))
    return {
        "addons": seen(lambda: tuple(account.ask("eks", "ListAddons", clusterName=name)["addons"])),
        "associations": associations,
        "oidc_providers": seen(lambda: tuple(_oidc_providers(account, cluster))),
        "role": role,
        "role_policies": seen(lambda: tuple(_policies(account, known(role)))),
        "boundary": seen(lambda: _boundary(account, known(role))),
    }


def _associations(account: Account, cluster: str, service_account: Object | None) -> Objects:
    if service_account is None:
        return ()
    meta = service_account["metadata"]
    found = account.ask(
        "eks",
        "ListPodIdentityAssociations",
        clusterName=cluster,
        namespace=meta["namespace"],
        serviceAccount=meta["name"],
    )["associations"]
    return tuple(
        account.ask("eks", "DescribePodIdentityAssociation", clusterName=cluster, associationId=one["associationId"])[
            "association"
        ]
        for one in found
    )


def _role_arn(associations: Objects, service_account: Object | None) -> str | None:
    """Return the role that the controller's pods get: an association takes precedence over the annotation."""
    if associations:
        return associations[0]["roleArn"]
    return annotations_of(service_account or {}).get(ROLE_ANNOTATION)


def _oidc_providers(account: Account, cluster: Object) -> Iterator[Object]:
    issuer = without_scheme(cluster.get("identity", {}).get("oidc", {}).get("issuer", ""))
    for listed in account.ask("iam", "ListOpenIDConnectProviders")["OpenIDConnectProviderList"]:
        if issuer and listed["Arn"].partition(":oidc-provider/")[2] == issuer:
            provider = account.ask("iam", "GetOpenIDConnectProvider", OpenIDConnectProviderArn=listed["Arn"])
            yield {"Arn": listed["Arn"], "Url": provider["Url"], "ClientIDList": provider.get("ClientIDList", [])}


def _role(account: Account, own: str, arn: str | None) -> Object | None:
    if not arn or f"::{own}:role/" not in arn:
        return None  # a role of the same name in this account would be another one
    try:
        return account.ask("iam", "GetRole", RoleName=arn.rpartition("/")[2])["Role"]
    except RefusedError as error:
        if error.code in ("NoSuchEntity", "ValidationError"):
            return None
        raise


def _policies(account: Account, role: Object | None) -> Iterator[Object]:
    if role is None:
        return
    name = role["RoleName"]
    for attached in account.ask("iam", "ListAttachedRolePolicies", RoleName=name)["AttachedPolicies"]:
        arn = attached["PolicyArn"]
        yield {"Name": attached["PolicyName"], "Arn": arn, "Document": _document(account, arn)}
    for inline in account.ask("iam", "ListRolePolicies", RoleName=name)["PolicyNames"]:
        document = account.ask("iam", "GetRolePolicy", RoleName=name, PolicyName=inline)["PolicyDocument"]
        yield {"Name": inline, "Arn": None, "Document": document}


def _boundary(account: Account, role: Object | None) -> Object | None:
    arn = (role or {}).get("PermissionsBoundary", {}).get("PermissionsBoundaryArn")
    return _document(account, arn) if arn else None


def _document(account: Account, arn: str) -> Object:
    version = account.ask("iam", "GetPolicy", PolicyArn=arn)["Policy"]["DefaultVersionId"]
    return account.ask("iam", "GetPolicyVersion", PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]


# --- the network


def _network(account: Account, cluster: Object, kubernetes: Mapping[str, Any]) -> dict[str, Any]:
    in_vpc = [{"Name": "vpc-id", "Values": [cluster["resourcesVpcConfig"]["vpcId"]]}]

    def in_the_vpc(call: str, key: str) -> Any:
        return seen(lambda: tuple(account.ask("ec2", call, Filters=in_vpc)[key]))

    return {
        "subnets": in_the_vpc("DescribeSubnets", "Subnets"),
        "route_tables": in_the_vpc("DescribeRouteTables", "RouteTables"),
        "security_groups": seen(lambda: _security_groups(account, cluster["name"], in_vpc)),
        "network_interfaces": in_the_vpc("DescribeNetworkInterfaces", "NetworkInterfaces"),
        "instances": seen(lambda: tuple(_instances(account, known(kubernetes["nodes"])))),
    }


def _security_groups(account: Account, cluster: str, in_vpc: list[dict[str, Any]]) -> Objects:
    tagged = [{"Name": f"tag:{TAG}", "Values": [cluster]}]
    groups = [
        group
        for filters in (in_vpc, tagged)
        for group in account.ask("ec2", "DescribeSecurityGroups", Filters=filters)["SecurityGroups"]
    ]
    return tuple({group["GroupId"]: group for group in groups}.values())


def _instances(account: Account, nodes: Objects) -> Iterator[Object]:
    ids = [node.get("spec", {}).get("providerID", "").rpartition("/")[2] for node in nodes]
    machines = [identity for identity in ids if identity.startswith("i-")]  # Fargate's nodes are not instances
    for some in _portions(machines, _INSTANCES_AT_ONCE):
        filters = [{"Name": "instance-id", "Values": list(some)}]
        for reservation in account.ask("ec2", "DescribeInstances", Filters=filters)["Reservations"]:
            yield from reservation["Instances"]


# --- load balancers


def _balancers(account: Account, cluster: str, kubernetes: Mapping[str, Any]) -> dict[str, Any]:
    balancers = seen(lambda: tuple(account.ask("elbv2", "DescribeLoadBalancers")["LoadBalancers"]))
    groups = seen(lambda: tuple(account.ask("elbv2", "DescribeTargetGroups")["TargetGroups"]))
    tags = seen(
        lambda: _tags(
            account,
            [b["LoadBalancerArn"] for b in known(balancers)] + [g["TargetGroupArn"] for g in known(groups)],
        )
    )

    def own_groups() -> list[Object]:
        bound = {b["spec"].get("targetGroupARN") for b in known(kubernetes["bindings"])}
        return [
            g
            for g in known(groups)
            if g["TargetGroupArn"] in bound or known(tags).get(g["TargetGroupArn"], {}).get(TAG) == cluster
        ]

    def own_balancers() -> list[str]:
        serving = {arn for group in own_groups() for arn in group.get("LoadBalancerArns", [])}
        arns = [b["LoadBalancerArn"] for b in known(balancers)]
        return [arn for arn in arns if arn in serving or known(tags).get(arn, {}).get(TAG) == cluster]

    listeners = seen(
        lambda: {
            arn: tuple(account.ask("elbv2", "DescribeListeners", LoadBalancerArn=arn)["Listeners"])
            for arn in own_balancers()
        }
    )
    return {
        "load_balancers": balancers,
        "target_groups": groups,
        "tags": tags,
        "limits": seen(lambda: _limits(account)),
        "attributes": seen(
            lambda: {
                balancer["LoadBalancerArn"]: _attributes(account, balancer["LoadBalancerArn"])
                for balancer in known(balancers)
                if balancer["Type"] == "network" and balancer["LoadBalancerArn"] in known(listeners)
            }
        ),
        "listeners": listeners,
        "rules": seen(
            lambda: {
                one["ListenerArn"]: tuple(
                    account.ask("elbv2", "DescribeRules", ListenerArn=one["ListenerArn"])["Rules"]
                )
                for some in known(listeners).values()
                for one in some
                if one.get("Protocol") in ("HTTP", "HTTPS")  # an NLB's listener has only its default action
            }
        ),
        "health": seen(
            lambda: {
                group["TargetGroupArn"]: tuple(
                    account.ask("elbv2", "DescribeTargetHealth", TargetGroupArn=group["TargetGroupArn"])[
                        "TargetHealthDescriptions"
                    ]
                )
                for group in own_groups()
            }
        ),
    }


def _tags(account: Account, arns: Sequence[str]) -> dict[str, dict[str, str]]:
    return {
        described["ResourceArn"]: tags_of(described)
        for some in _portions(arns, _TAGS_AT_ONCE)
        for described in account.ask("elbv2", "DescribeTags", ResourceArns=list(some))["TagDescriptions"]
    }


def _limits(account: Account) -> dict[str, int]:
    return {one["Name"]: int(one["Max"]) for one in account.ask("elbv2", "DescribeAccountLimits")["Limits"]}


def _attributes(account: Account, arn: str) -> dict[str, str]:
    found = account.ask("elbv2", "DescribeLoadBalancerAttributes", LoadBalancerArn=arn)["Attributes"]
    return {one["Key"]: one["Value"] for one in found}


def _portions(values: Collection[str], size: int) -> Iterator[list[str]]:
    ordered = list(values)
    for start in range(0, len(ordered), size):
        yield ordered[start : start + size]
