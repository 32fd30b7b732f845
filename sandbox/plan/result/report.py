"""What a plan prints beside its tree: problems first, then what it assumed and what it left out. Pure."""

from collections.abc import Iterator, Mapping
from typing import Any

Json = Mapping[str, Any]


def problems(document: Json) -> Iterator[str]:
    """What was refused, each with its place and the words of who refused it."""
    for key, when in (("problems", ""), ("problemsBefore", " (before the change)")):
        for one in document[key]:
            if one["source"] == "IAM":
                yield f"IAM would refuse {one['reason']} on {one['object']}{when}"
            else:
                place = f"{one['place']}: " if one["place"] else ""
                yield f"{place}{one['object']}{when}: {one['source']}: {one['reason']}: {one['message']}"


def policies(document: Json, level: str) -> Iterator[str]:
    """What the policy pack says at one level, with the objects behind what it says it of."""
    for one in document["policies"]:
        if one["level"] == level:
            yield f"policy {one['rule']}: {', '.join(one['objects']) or one['resource']}: {one['message']}"


def notes(document: Json) -> Iterator[str]:
    """What a reader has to know to believe the plan."""
    for one in document["moved"]:
        yield f"{one['object']} moves from the load balancer {one['before']} to {one['after']}: its host name changes"
    for one in document["keptNames"]:
        yield f"{one['object']} asks for the name {one['wanted']}: the controller keeps the name {one['name']}"
    if document["silent"]:
        yield f"not settled: {', '.join(document['silent'])}"
    for one in document["leftAlone"]:
        yield f"{one['place']}: {one['object']} is left alone: {one['reason']}"
    for one in document["unknown"]:
        yield f"{one['place']}: {one['object']} is left out: the planner has no CRD for it"
    if document["assumed"]:
        listed = ", ".join(f"{one['kind']} {one['id']}" for one in document["assumed"])
        yield f"assumed to exist: {listed}"
    if document["skipped"]:
        yield "no part in load balancing: " + ", ".join(f"{n} {kind}" for kind, n in document["skipped"].items())


def markdown(document: Json, tree: str, summary: str) -> str:
    """What the comment of a pull request needs: the summary, the tree as a diff, problems and notes."""
    parts = [f"### {summary}"]
    if refused := [*problems(document), *policies(document, "mandatory")]:
        parts.append("**Refused**\n\n" + "\n".join(f"- `{line}`" for line in refused))
    if tree:
        parts.append(f"<details open><summary>Plan</summary>\n\n```diff\n{as_diff(tree)}\n```\n\n</details>")
    if said := [*policies(document, "advisory"), *notes(document)]:
        parts.append("\n".join(f"- {line}" for line in said))
    old, new = document["controller"]["before"], document["controller"]["after"]
    version = new if old == new else f"{old}, then {new}"
    parts.append(f"<sub>AWS Load Balancer Controller {version}, by `sandbox plan`</sub>")
    return "\n\n".join(parts) + "\n"


def as_diff(tree: str) -> str:
    """The tree with its marks in the first column, where Markdown's `diff` gives them a colour."""
    return "\n".join(_marked(line) for line in tree.splitlines())


def _marked(line: str) -> str:
    word, _, rest = line.lstrip().partition(" ")
    indent = line[: len(line) - len(line.lstrip())]
    marks = {"+": "+", "-": "-", "~": "!", "-/+": "-"}
    return f"{marks[word]}{indent}{'' if word != '-/+' else '/+ '}{rest}" if word in marks else f" {line}"
