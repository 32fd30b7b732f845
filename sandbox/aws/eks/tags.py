"""Tags of everything that EKS names by ARN."""

from collections.abc import Generator

from sandbox.aws.eks.errors import ResourceNotFoundError
from sandbox.aws.eks.store import Document, Eks, Request


def tagged(eks: Eks) -> Generator[tuple[str, Document]]:
    """Every resource: its ARN and its document, whose `tags` can be changed."""
    for cluster in eks.clusters.values():
        yield cluster.document["arn"], cluster.document
        yield from ((g.document["nodegroupArn"], g.document) for g in cluster.nodegroups.values())
        yield from ((a["addonArn"], a) for a in cluster.addons.values())
        yield from ((e["accessEntryArn"], e) for e in cluster.entries.values())
        yield from ((p["associationArn"], p) for p in cluster.associations.values())


def find(eks: Eks, request: Request) -> Document:
    """The resource that a request names."""
    found = next((document for arn, document in tagged(eks) if arn == request["resourceArn"]), None)
    if found is None:
        raise ResourceNotFoundError(f"Resource was not found: {request['resourceArn']}")
    return found


def tag_resource(eks: Eks, request: Request) -> Document:
    """TagResource."""
    document = find(eks, request)
    document["tags"] = {**document["tags"], **request["tags"]}
    return {}


def untag_resource(eks: Eks, request: Request) -> Document:
    """UntagResource."""
    document = find(eks, request)
    document["tags"] = {k: v for k, v in document["tags"].items() if k not in request["tagKeys"]}
    return {}


def list_tags_for_resource(eks: Eks, request: Request) -> Document:
    """ListTagsForResource."""
    return {"tags": find(eks, request)["tags"]}
