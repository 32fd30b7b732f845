"""Elastic Load Balancing: listeners."""

from typing import Any

from sandbox.providers.aws.kind import Calls, Kind, State, Wanted, deleting, is_ours, known, tag_list
from sandbox.providers.aws.session import Aws
from sandbox.providers.aws.types.elb.actions import ACTION, actions_of, elb_actions
from sandbox.providers.aws.types.elb.attributes import retag, tags_of
from sandbox.providers.common.fields import Field, each, same_by


def _listener(wanted: Wanted) -> dict[str, Any]:
    certificate, alpn = wanted.get("certificateArn"), wanted.get("alpnPolicy")
    return wanted.parameters("port", "protocol", "sslPolicy") | known(
        Certificates=[{"CertificateArn": certificate}] if certificate else None,
        AlpnPolicy=[alpn] if alpn else None,
        DefaultActions=elb_actions(wanted["defaultActions"]),
    )


def _create_listener(aws: Aws, wanted: Wanted) -> str:
    elb = aws.client("elbv2")
    try:
        made = elb.create_listener(
            LoadBalancerArn=wanted["loadBalancerArn"], **_listener(wanted), Tags=tag_list(wanted.all_tags)
        )
        return made["Listeners"][0]["ListenerArn"]
    except elb.exceptions.DuplicateListenerException:
        for listener in elb.describe_listeners(LoadBalancerArn=wanted["loadBalancerArn"])["Listeners"]:
            if listener["Port"] == wanted.get("port") and is_ours(tags_of(elb, listener["ListenerArn"]), wanted):
                return listener["ListenerArn"]
        raise


def _change_listener(aws: Aws, arn: str, wanted: Wanted, changed: set[str]) -> None:
    if changed:
        aws.client("elbv2").modify_listener(ListenerArn=arn, **_listener(wanted))


def _read_listener(aws: Aws, arn: str, _state: State) -> dict[str, Any] | None:
    elb = aws.client("elbv2")
    listener = elb.describe_listeners(ListenerArns=[arn])["Listeners"][0]
    return {
        "loadBalancerArn": listener["LoadBalancerArn"],
        "port": listener.get("Port"),
        "protocol": listener.get("Protocol"),
        "sslPolicy": listener.get("SslPolicy"),
        "certificateArn": next((each["CertificateArn"] for each in listener.get("Certificates") or ()), None),
        "alpnPolicy": next(iter(listener.get("AlpnPolicy") or ()), None),
        "defaultActions": actions_of(listener["DefaultActions"]),
        "arn": arn,
        "tagsAll": tags_of(elb, arn),
    }


LISTENER = Kind(
    type="aws:lb/listener:Listener",
    inputs={
        "loadBalancerArn": Field(required=True, replaces=True),
        **each("port", "protocol", "sslPolicy", "certificateArn", "alpnPolicy"),
        # A forward to one group can be written in two ways.
        "defaultActions": Field(
            required=True, inside=ACTION, same=same_by(lambda blocks: actions_of(elb_actions(blocks)))
        ),
    },
    outputs=("arn",),
    calls=Calls(
        _create_listener, _read_listener, _change_listener, deleting("elbv2", "delete_listener", "ListenerArn")
    ),
    retag=retag,
    delete_first=True,
)

KINDS = (LISTENER,)
