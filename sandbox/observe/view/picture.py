"""The whole in one picture: client, load balancers, target groups, pods, and whether requests arrive. Pure.

A tree of items, one level a column; what is broken comes first, and makes what leads to it broken.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import TypedDict

from sandbox.network.elb.model import LoadBalancer, LoadBalancing, TargetGroup
from sandbox.observe.view import watches
from sandbox.observe.view.items import Item, broken_first, item
from sandbox.observe.view.paths import Cluster
from sandbox.observe.view.provisions import server_error, target

MOST = 4
"""How many targets of a group have a box of their own."""


class Picture(TypedDict):
    """The picture, and what it shows in a few words."""

    mood: str
    verdict: str
    root: Item


def section(balancing: LoadBalancing, cluster: Cluster, objects: watches.Objects) -> Picture:
    """The picture of a cluster's load balancing."""
    names = cluster.names()
    found = [_balancer(each, names) for each in balancing.balancers]
    found += [_classic(each, names) for each in balancing.classic]
    found += _unserved(objects, {each.host for each in (*balancing.balancers, *balancing.classic)})
    found = broken_first(found)
    mood, verdict = judged(found)
    return {"mood": mood, "verdict": verdict, "root": item("client", "client", "requests", mood, items=found)}


def judged(balancers: Sequence[Item]) -> tuple[str, str]:
    """Whether requests arrive, in a few words."""
    bad = [each for each in balancers if each["mood"] == "bad"]
    waits = [each for each in balancers if each["mood"] == "wait"]
    if bad:
        reasons = ", ".join(f"{each['title']} ({_why(each)})" for each in bad[:2])
        return "bad", f"{len(bad)} of {len(balancers)} broken: {reasons}"
    if waits:
        return "wait", f"{len(waits)} of {len(balancers)} not ready yet: {', '.join(w['title'] for w in waits[:3])}"
    if not balancers:
        return "", "no load balancer yet"
    return "good", f"{'the' if len(balancers) == 1 else 'every'} load balancer reaches its pods"


def _why(balancer: Item) -> str:
    """What is broken of it, or behind it."""
    return next((each["note"] for each in balancer["items"] if each["mood"] == "bad"), balancer["note"])


def _balancer(data: LoadBalancer, names: Mapping[str, str]) -> Item:
    inside = [_group(group, names) for group in data.groups]
    inside += [
        item(rule.arn, f"rule {rule.priority}", f"answers HTTP {code} itself", "bad")
        for listener in data.listeners
        for rule in listener.rules
        if (code := server_error(rule))
    ]
    ports = ", ".join(map(str, data.listeners))
    state = data.document["State"]["Code"]
    facts = (data.kind, data.document["Scheme"], ports or "no listener", "" if state == "active" else state)
    own = {"active": "good" if ports else "wait", "failed": "bad"}.get(state, "wait")
    refs = [data.host, data.arn, f"balancer {data.name}"]
    return _branch(item(data.arn, data.name, ", ".join(filter(None, facts)), own, refs=refs), inside)


def _group(data: TargetGroup, names: Mapping[str, str]) -> Item:
    targets = broken_first(target(each, names) for each in data.targets)
    healthy = sum(each["mood"] == "good" for each in targets)
    lost = all(each["mood"] == "bad" for each in targets)
    own = "bad" if lost else "good" if healthy == len(targets) else "wait"
    shown = [_target(each, names) for each in targets[:MOST]]
    if targets[MOST:]:
        rest = targets[MOST:]
        mood = next((each["mood"] for each in rest if each["mood"] != "good"), "good")
        words = f"{sum(each['mood'] == 'good' for each in rest)} of them healthy"
        shown.append(item("more", f"and {len(rest)} more", words, mood))
    words = f"{healthy} of {len(targets)} healthy" if targets else "no target"
    kind = "pods" if data.type == "ip" else "nodes"
    return item(data.arn, data.name, f"{kind}, {words}", own, refs=[data.arn], items=shown)


def _target(listed: Item, names: Mapping[str, str]) -> Item:
    """A target by the name of its pod or node, with its address after it."""
    address = listed["refs"][0]
    name = names.get(address, "")
    words = listed["note"].removeprefix(name).strip()
    return {**listed, "title": name or listed["title"], "note": f"{listed['title']} {words}" if name else words}


def _classic(data: LoadBalancer, names: Mapping[str, str]) -> Item:
    group = TargetGroup(f"instances {data.name}", "instances", "instance", data.instances)
    ports = ", ".join(map(str, data.listeners))
    refs = [data.host, f"balancer {data.name}"]
    alone = item(data.name, data.name, f"{data.kind}, {data.document['Scheme']}, {ports}", "good", refs=refs)
    return _branch(alone, [_group(group, names)])


def _branch(balancer: Item, inside: list[Item]) -> Item:
    """A load balancer: as bad as the worst that it leads to."""
    moods = [balancer["mood"], *(each["mood"] for each in inside)]
    mood = next((mood for mood in ("bad", "wait") if mood in moods), "good")
    return {**balancer, "mood": mood, "items": broken_first(inside)}


def _unserved(objects: watches.Objects, hosts: set[str]) -> Iterator[Item]:
    """Services and Ingresses that ask for a load balancer and have none: none yet, or none any more."""
    asking = [("Service", o) for o in objects.get("Service", ()) if o["spec"].get("type") == "LoadBalancer"]
    asking += [("Ingress", o) for o in objects.get("Ingress", ())]
    for kind, obj in asking:
        told, name = [host for host in watches.hosts(obj) if host], watches.name_of(obj)
        refs = [*told, f"{kind.lower()} {name}"]
        if not told:
            yield item(f"{kind} {name}", name, f"{kind}: waits for a load balancer", "wait", refs=refs)
        elif not hosts & set(told):
            yield item(f"{kind} {name}", name, f"{kind}: its load balancer is gone", "bad", refs=refs)
