"""Which subnets a load balancer goes into: given ones, or found by role tag, else by route table.

One subnet a zone; the cluster's own tag wins, then the smaller id. A subnet tagged for other clusters only is not
taken, nor one with fewer than eight free addresses.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence

from sandbox.controller.model.lookup import Lookup
from sandbox.controller.model.stack import Json, ModelError
from sandbox.controller.settings import Settings

_ROLE = {"internal": "kubernetes.io/role/internal-elb", "internet-facing": "kubernetes.io/role/elb"}
_FREE_ADDRESSES = 8
_NOT_LISTED = "failed to list subnets by names or IDs"


def tags(resource: Json) -> dict[str, str]:
    """An EC2 resource's tags as a mapping."""
    return {tag["Key"]: tag["Value"] for tag in resource.get("Tags") or []}


class SubnetChoice:
    """Subnets for one load balancer."""

    def __init__(self, lookup: Lookup, settings: Settings, kind: str, scheme: str, ip_address_type: str) -> None:
        """For a load balancer of that type (`application`, `network`), scheme and IP address type."""
        self._lookup, self._settings = lookup, settings
        self._kind, self._scheme, self._ip = kind, scheme, ip_address_type

    def discovered(self) -> list[Json]:
        """Found by role tag; where no subnet has it, by reachability."""
        found = self._tagged({_ROLE[self._scheme]: ["", "1"]})
        if not found and self._settings.gate("SubnetDiscoveryByReachability"):
            public = self._lookup.public_subnets()
            wanted = self._scheme == "internet-facing"
            found = [s for s in self._lookup.subnets() if (s["SubnetId"] in public) == wanted]
        return self._one_a_zone(found)

    def selected(self, selector: Json) -> list[Json]:
        """By an IngressClassParams' `subnets`: ids, or tags."""
        if ids := selector.get("ids"):
            return self._checked(self._by_id(ids))
        return self._one_a_zone(self._tagged(selector.get("tags") or {}))

    def given(self, names_or_ids: Sequence[str]) -> list[Json]:
        """By id or Name tag, in that order; a name stands for as many subnets as it is given times."""
        by_name: dict[str, list[Json]] = defaultdict(list)
        for subnet in sorted(self._lookup.subnets(), key=lambda s: s["SubnetId"]):
            by_name[tags(subnet).get("Name", "")].append(subnet)
        chosen: list[Json] = []
        for one in names_or_ids:
            if one.startswith("subnet-"):
                chosen += self._by_id([one])
            elif by_name.get(one):
                chosen.append(by_name[one].pop(0))
            else:
                raise ModelError(f"{_NOT_LISTED}: couldn't find all subnets, missing names: [{one}]")
        return self._checked(chosen)

    def _tagged(self, wanted: Mapping[str, Sequence[str]]) -> list[Json]:
        return [s for s in self._lookup.subnets() if all(tags(s).get(k) in values for k, values in wanted.items())]

    def _by_id(self, ids: Sequence[str]) -> list[Json]:
        known = {s["SubnetId"]: s for s in self._lookup.subnets()}
        if missing := [one for one in ids if one not in known]:
            raise ModelError(f"couldn't find all subnets, want: {list(ids)}, missing: {missing}")
        return [known[one] for one in ids]

    def _one_a_zone(self, subnets: list[Json]) -> list[Json]:
        ours = f"kubernetes.io/cluster/{self._settings.cluster_name}"
        other_cluster = [s for s in subnets if self._for_others(s, ours)]
        full = [s for s in subnets if s not in other_cluster and s["AvailableIpAddressCount"] < _FREE_ADDRESSES]
        no_v6 = [s for s in subnets if s not in other_cluster and s not in full and self._lacks_ipv6(s)]
        zones: dict[str, list[Json]] = defaultdict(list)
        for subnet in subnets:
            if not any(subnet in group for group in (other_cluster, full, no_v6)):
                zones[subnet["AvailabilityZone"]].append(subnet)
        chosen = [min(zone, key=lambda s: (ours not in tags(s), s["SubnetId"])) for zone in zones.values()]
        if not chosen:
            count = (
                f"Evaluated {len(subnets)} subnets: {len(other_cluster)} are tagged for other clusters, "
                f"{len(full)} have insufficient available IP addresses, {len(no_v6)} lack a needed IPv6 CIDR block"
            )
            raise ModelError(f"couldn't auto-discover subnets: unable to resolve at least one subnet. {count}")
        chosen.sort(key=lambda s: s["SubnetId"])
        self._enough(chosen)
        return chosen

    def _for_others(self, subnet: Json, ours: str) -> bool:
        keys = tags(subnet)
        tagged = any(k.startswith("kubernetes.io/cluster") for k in keys)
        return self._settings.gate("SubnetsClusterTagCheck") and tagged and ours not in keys

    def _lacks_ipv6(self, subnet: Json) -> bool:
        blocks = subnet.get("Ipv6CidrBlockAssociationSet") or []
        has = any(b.get("Ipv6CidrBlockState", {}).get("State") == "associated" for b in blocks)
        return self._ip != "ipv4" and not has

    def _checked(self, subnets: list[Json]) -> list[Json]:
        if not subnets:
            raise ModelError("unable to resolve at least one subnet")
        zones: dict[str, list[str]] = defaultdict(list)
        for subnet in subnets:
            zones[subnet["AvailabilityZone"]].append(subnet["SubnetId"])
        for zone, ids in zones.items():
            if len(ids) > 1:
                raise ModelError(f"multiple subnets in same Availability Zone {zone}: {ids}")
        if lacking := [s["SubnetId"] for s in subnets if self._lacks_ipv6(s)]:
            raise ModelError(f"subnets {lacking} do not have an associated IPv6 CIDR block, needed for {self._ip}")
        self._enough(subnets)
        return subnets

    def _enough(self, subnets: list[Json]) -> None:
        locales = {
            "outpost" if s.get("OutpostArn") else self._lookup.zone_type(s["AvailabilityZoneId"]) for s in subnets
        }
        if len(locales) > 1:
            raise ModelError(f"subnets in multiple locales: {sorted(locales)}")
        two = self._kind == "application" and locales == {"availability-zone"}
        needed = 2 if two and not self._settings.gate("ALBSingleSubnet") else 1
        if len(subnets) < needed:
            raise ModelError(f"subnets count less than minimal required count: {len(subnets)} < {needed}")
