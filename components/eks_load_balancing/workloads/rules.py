"""The rules of an Ingress, and which arguments of it exclude each other. Functions of plain values, or of outputs."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

import pulumi_kubernetes as kubernetes
from pulumi import Input

from eks_load_balancing import errors
from eks_load_balancing.errors import InvalidInputError
from eks_load_balancing.workloads.alb_actions import cognito_login, mutual_tls, oidc_login, weighted
from eks_load_balancing.workloads.alb_args import ApplicationLoadBalancedIngressArgs
from eks_load_balancing.workloads.workload import OF_OUR_PODS, refuse_both

SERVICE_PORT: Final = 80
PATH_TYPES: Final = ("Prefix", "Exact", "ImplementationSpecific")
_WHERE_TO: Final = ("selector", "service_name", "weighted_services")
_NEED_TLS: Final = ("mutual_tls", "oidc_login", "cognito_login")


@dataclass(frozen=True)
class Backend:
    """A path of an Ingress with what is behind it."""

    host: Input[str] | None
    path: str
    path_type: str
    service_name: Input[str]
    port: int | None
    """The Service's port; None where the name is an action's."""


def refuse_combinations(args: ApplicationLoadBalancedIngressArgs, *, tls: bool) -> None:
    """Refuse arguments that AWS or the controller would refuse together, or that would be without effect.

    Args:
        args: the component's.
        tls: whether there is a certificate.
    """
    for place, one in enumerate(_WHERE_TO):
        refuse_both(args, one, OF_OUR_PODS, f"with {one} the pods are yours")
        refuse_both(args, one, _WHERE_TO[place + 1 :], "each says where requests go")
    refuse_both(args, "security_group_ids", ("inbound_cidrs",), "the controller ignores ranges beside groups of yours")
    refuse_both(args, "oidc_login", ("cognito_login",), "an ALB has one way to log in")
    if "service_port" in args and "service_name" not in args:
        raise InvalidInputError(
            "service_port is given without service_name, whose port it is: give both", key="service_port"
        )
    for key in _NEED_TLS:
        if key in args and not tls:
            raise InvalidInputError(f"{key} needs a listener with TLS: give certificate_arn", key=key)


def actions(args: ApplicationLoadBalancedIngressArgs) -> dict[str, Input[str]]:
    """Return what the ALB does beside forwarding, as annotations without their prefix."""
    return {
        **(weighted(args["weighted_services"]) if "weighted_services" in args else {}),
        **(mutual_tls(args["mutual_tls"]) if "mutual_tls" in args else {}),
        **(oidc_login(args["oidc_login"]) if "oidc_login" in args else {}),
        **(cognito_login(args["cognito_login"]) if "cognito_login" in args else {}),
    }


def backends(args: ApplicationLoadBalancedIngressArgs, service_name: Input[str]) -> list[Backend]:
    """Return every path with what is behind it.

    Args:
        args: the component's.
        service_name: the Service behind paths that name none, or the name of an action.
    """
    own = None if "weighted_services" in args else args.get("service_port", SERVICE_PORT)
    found: list[Backend] = []
    for one in args.get("paths", [{"path": "/"}]):
        named = "service_name" in one
        if "service_port" in one and not named:
            raise InvalidInputError(
                f"paths {one['path']} has a service_port without service_name, whose port it is: give both", key="paths"
            )
        found.append(
            Backend(
                one.get("host", args.get("host")),
                one["path"],
                errors.one_of(one.get("path_type", PATH_TYPES[0]), PATH_TYPES, "path_type", key="paths"),
                one.get("service_name", service_name),
                one.get("service_port", SERVICE_PORT) if named else own,
            )
        )
    return found


def rules(found: Sequence[Backend]) -> list[kubernetes.networking.v1.IngressRuleArgsDict]:
    """Return the rules of an Ingress: one a path, in the order in which they are given."""
    made: list[kubernetes.networking.v1.IngressRuleArgsDict] = []
    for one in found:
        port: kubernetes.networking.v1.ServiceBackendPortArgsDict = (
            {"name": "use-annotation"} if one.port is None else {"number": one.port}
        )
        rule: kubernetes.networking.v1.IngressRuleArgsDict = {
            "http": {
                "paths": [
                    {
                        "path": one.path,
                        "path_type": one.path_type,
                        "backend": {"service": {"name": one.service_name, "port": port}},
                    }
                ]
            }
        }
        if one.host is not None:
            rule["host"] = one.host
        made.append(rule)
    return made


def services(args: ApplicationLoadBalancedIngressArgs, found: Sequence[Backend]) -> list[tuple[Input[str], int]]:
    """Return every Service that gets a target group, with its port."""
    plain = [(one.service_name, one.port) for one in found if one.port is not None]
    shared = [(one["service_name"], one.get("service_port", SERVICE_PORT)) for one in args.get("weighted_services", ())]
    return [*plain, *shared]
