"""All pages of a listing operation. Without boto3, whose import takes long."""

from typing import Any


def everything(client: Any, operation: str, key: str, **arguments: Any) -> list[Any]:
    """What an operation lists, from all pages.

    Args:
        client: boto3's.
        operation: its method, such as `describe_listeners`.
        key: the list in the operation's output.
        **arguments: the operation's own.
    """
    if not client.can_paginate(operation):
        return getattr(client, operation)(**arguments)[key]
    return client.get_paginator(operation).paginate(**arguments).build_full_result().get(key, [])
