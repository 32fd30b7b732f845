"""Reads each request once.

The SDK turns a request's properties into Python data anew for every policy of a pack, and AnalyzeStack does so for
every resource of the stack: with this pack's number of rules that alone takes longer than all rules together
(`benchmarks/policies.py`). Rules do not change what they read, so one reading serves them all.
"""

from collections.abc import Callable
from functools import wraps
from threading import local
from types import SimpleNamespace
from typing import Any

from google.protobuf import json_format
from pulumi_policy import policy as sdk

_request = local()


def remembered(read: Callable[..., Any]) -> Callable[..., Any]:
    """Keep what `read` made of an object for as long as the request that holds the object is served."""

    @wraps(read)
    def reading(value: Any, *rest: Any) -> Any:
        memory: dict[Any, Any] | None = getattr(_request, "memory", None)
        if memory is None:
            return read(value, *rest)
        key = (read, id(value), *rest)
        if key not in memory:
            memory[key] = (value, read(value, *rest))  # holding the object keeps its id its own
        return memory[key][1]

    return reading


def _served(call: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(call)
    def serve(servicer: Any, request: Any, context: Any) -> Any:
        _request.memory = {}
        try:
            return call(servicer, request, context)
        finally:
            _request.memory = None

    return serve


def read_requests_once() -> None:
    """Make the SDK's servicer remember, within one request, what it has read."""
    servicer = sdk._PolicyAnalyzerServicer  # noqa: SLF001 - no public place to do it: requirements.txt pins the SDK
    if hasattr(servicer.Analyze, "__wrapped__"):
        return
    servicer.Analyze = _served(servicer.Analyze)
    servicer.AnalyzeStack = _served(servicer.AnalyzeStack)
    module: Any = sdk  # names that the SDK's module imports and does not export
    module.json_format = SimpleNamespace(MessageToDict=remembered(json_format.MessageToDict))
    module.deserialize_properties = remembered(module.deserialize_properties)
    module.unknown_checking_proxy = remembered(module.unknown_checking_proxy)
