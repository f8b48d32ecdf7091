"""The trace that a call belongs to, on its way from client to workflow to task.

It travels in meta, under the names of the W3C headers: a client puts its own context there, if
OpenTelemetry is in use, and a workflow's tasks and children inherit it.
"""

import sys
from collections.abc import Mapping, MutableMapping
from importlib import import_module
from typing import Protocol, cast

Meta = Mapping[str, bytes]

TRACE_KEYS = ("traceparent", "tracestate", "baggage")
"""The reserved keys of meta."""


class _Propagation(Protocol):
    def inject(self, carrier: MutableMapping[str, str]) -> None: ...


def current_trace() -> Meta:
    """The context of the calling code as meta; empty without OpenTelemetry, or outside spans."""
    # A program that uses it has imported it; others need not have it, nor pay for its import.
    if "opentelemetry.trace" not in sys.modules:
        return {}
    carrier: dict[str, str] = {}
    cast("_Propagation", import_module("opentelemetry.propagate")).inject(carrier)
    return {key: carrier[key].encode() for key in TRACE_KEYS if key in carrier}


def inherited(meta: Meta, origin: Meta) -> Meta:
    """Meta of something that a workflow asks for, with the trace of the workflow's own meta."""
    if TRACE_KEYS[0] not in origin or TRACE_KEYS[0] in meta:
        return meta
    return {**{key: origin[key] for key in TRACE_KEYS if key in origin}, **meta}
