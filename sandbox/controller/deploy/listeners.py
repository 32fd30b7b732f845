"""Listeners of a load balancer, with their certificates and attributes."""

import logging
from collections.abc import Callable

from sandbox.controller.deploy.aws import Aws, pages, tag_list
from sandbox.controller.deploy.compare import attributes_to_change, resolved, same_actions, tags_to_change
from sandbox.controller.deploy.inventory import Found, describe_tags
from sandbox.controller.deploy.rules import RuleSet
from sandbox.controller.deploy.target_groups import retag
from sandbox.controller.model.stack import Json, Listener, Ref
from sandbox.controller.settings import Settings

log = logging.getLogger(__name__)


class Listeners:
    """Brings the listeners and rules of one load balancer to what is wanted."""

    def __init__(
        self,
        aws: Aws,
        settings: Settings,
        of: Callable[[Ref], str],
        tags: Callable[[str, dict[str, str]], dict[str, str]],
    ) -> None:
        """`of` names resources, `tags(resource id, own tags)` gives a resource's whole tags."""
        self._aws, self._settings, self._of, self._tags = aws, settings, of, tags
        self._tagged = settings.gate("ListenerRulesTagging")

    def ensure(self, balancer: Found, wanted: tuple[Listener, ...], *, new: bool) -> None:
        """Make, change and delete listeners; `new` means that the load balancer has none yet."""
        elb = self._aws.elb
        have: dict[int, Json] = {}
        if not new:
            have = {ls["Port"]: ls for ls in pages(elb.describe_listeners, "Listeners", LoadBalancerArn=balancer.id)}
        for port in sorted(have.keys() - {listener.port for listener in wanted}):
            elb.delete_listener(ListenerArn=have[port]["ListenerArn"])
            log.info("deleted listener %s", have[port]["ListenerArn"])
        known = self._observe([have[ls.port] for ls in wanted if ls.port in have])
        for listener in wanted:
            current = have.get(listener.port)
            if current is None:
                arn = self._create(balancer, listener)
                rules, tags = [], {}
            else:
                arn = current["ListenerArn"]
                rules, tags = known
                self._update(listener, current, tags.get(arn, {}))
            mine = [r for r in rules if r["ListenerArn"] == arn]
            RuleSet(self._aws, self._settings, arn, self._of, self._tags).ensure(listener, mine, tags)

    def _observe(self, listeners: list[Json]) -> tuple[list[Json], dict[str, dict[str, str]]]:
        """The rules of listeners, and the tags of both."""
        arns = [listener["ListenerArn"] for listener in listeners]
        rules = [
            rule | {"ListenerArn": listener["ListenerArn"]}
            for listener in listeners
            # Network load balancers have no rules but the default one.
            if listener["Protocol"] in ("HTTP", "HTTPS")
            for rule in pages(self._aws.elb.describe_rules, "Rules", ListenerArn=listener["ListenerArn"])
            if not rule["IsDefault"]
        ]
        tags = describe_tags(self._aws, arns + [rule["RuleArn"] for rule in rules]) if self._tagged else {}
        return rules, tags

    def _request(self, listener: Listener) -> Json:
        request: Json = {
            "Port": listener.port,
            "Protocol": listener.protocol,
            "DefaultActions": resolved(listener.actions, self._of),
        }
        if listener.certificates:
            request["Certificates"] = [{"CertificateArn": listener.certificates[0]}]
        if listener.ssl_policy:
            request["SslPolicy"] = listener.ssl_policy
        if listener.alpn:
            request["AlpnPolicy"] = [listener.alpn]
        if listener.mutual_authentication:
            request["MutualAuthentication"] = listener.mutual_authentication
        return request

    def _create(self, balancer: Found, listener: Listener) -> str:
        request = self._request(listener) | {"LoadBalancerArn": balancer.id}
        if self._tagged:
            request["Tags"] = tag_list(self._tags(listener.id, dict(listener.tags)))
        arn = self._aws.create("elbv2", "create_listener", **request)["Listeners"][0]["ListenerArn"]
        log.info("created listener %s", arn)
        self._certificates(arn, set(listener.certificates), set())
        self._attributes(arn, dict(listener.attributes))
        return arn

    def _update(self, listener: Listener, current: Json, tags: dict[str, str]) -> None:
        elb, arn = self._aws.elb, current["ListenerArn"]
        if self._tagged:
            wanted = self._tags(listener.id, dict(listener.tags))
            found = Found("listener", arn, current, dict(tags))
            retag(self._aws, found, *tags_to_change(wanted, tags, self._settings.external_managed_tags))
        request = self._request(listener)
        if self._differs(listener, request, current):
            elb.modify_listener(ListenerArn=arn, **request)
            log.info("changed listener %s", arn)
        if listener.certificates or current.get("SslPolicy"):
            held = pages(elb.describe_listener_certificates, "Certificates", ListenerArn=arn)
            extra = {c["CertificateArn"] for c in held if not c.get("IsDefault")}
            self._certificates(arn, set(listener.certificates), extra)
        if listener.attributes:
            answer = elb.describe_listener_attributes(ListenerArn=arn)
            have = {a["Key"]: a["Value"] for a in answer["Attributes"]}
            self._attributes(arn, attributes_to_change(listener.attributes, have))

    def _differs(self, listener: Listener, request: Json, current: Json) -> bool:
        first = next(iter(current.get("Certificates") or []), {}).get("CertificateArn")
        if listener.protocol != current["Protocol"] or (listener.certificates[:1] or (None,))[0] != first:
            return True
        if listener.ssl_policy and listener.ssl_policy != current.get("SslPolicy"):
            return True
        alpn = [policy for policy in current.get("AlpnPolicy") or [] if policy != "None"]
        wants_alpn = [listener.alpn] if listener.alpn and listener.alpn != "None" else []
        if wants_alpn != alpn and (listener.alpn or self._settings.gate("EnhancedDefaultBehavior")):
            return True
        mtls, has_mtls = listener.mutual_authentication, current.get("MutualAuthentication") or {}
        if mtls and any(has_mtls.get(k) != v for k, v in mtls.items()):
            return True
        return not same_actions(request["DefaultActions"], current["DefaultActions"])

    def _certificates(self, arn: str, wanted: set[str], have: set[str]) -> None:
        elb = self._aws.elb
        for gone in sorted(have - wanted):
            elb.remove_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": gone}])
        for new in sorted(wanted - have):
            elb.add_listener_certificates(ListenerArn=arn, Certificates=[{"CertificateArn": new}])

    def _attributes(self, arn: str, attributes: dict[str, str]) -> None:
        if attributes:
            pairs = [{"Key": k, "Value": v} for k, v in sorted(attributes.items())]
            self._aws.elb.modify_listener_attributes(ListenerArn=arn, Attributes=pairs)
