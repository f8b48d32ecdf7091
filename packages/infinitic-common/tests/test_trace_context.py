import sys
from collections.abc import MutableMapping
from types import ModuleType

import pytest

from infinitic_common.trace_context import current_trace, inherited

PARENT = b"00-0123456789abcdef0123456789abcdef-0123456789abcdef-01"


def test_without_opentelemetry_there_is_no_trace(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delitem(sys.modules, "opentelemetry.trace", raising=False)
    assert current_trace() == {}


def test_the_context_is_what_the_programs_propagator_says(monkeypatch: pytest.MonkeyPatch) -> None:
    def inject(carrier: MutableMapping[str, str]) -> None:
        carrier.update(traceparent=PARENT.decode(), other="x")

    propagate = ModuleType("opentelemetry.propagate")
    propagate.__dict__["inject"] = inject
    monkeypatch.setitem(sys.modules, "opentelemetry", ModuleType("opentelemetry"))
    monkeypatch.setitem(sys.modules, "opentelemetry.trace", ModuleType("opentelemetry.trace"))
    monkeypatch.setitem(sys.modules, "opentelemetry.propagate", propagate)
    assert current_trace() == {"traceparent": PARENT}


def test_meta_without_a_trace_is_left_alone() -> None:
    meta = {"a": b"1"}
    assert inherited(meta, {"b": b"2"}) is meta


def test_a_trace_is_inherited_and_nothing_else() -> None:
    origin = {"traceparent": PARENT, "tracestate": b"k=v", "b": b"2"}
    assert inherited({"a": b"1"}, origin) == {
        "traceparent": PARENT,
        "tracestate": b"k=v",
        "a": b"1",
    }


def test_a_trace_of_its_own_is_kept() -> None:
    meta = {"traceparent": b"own"}
    assert inherited(meta, {"traceparent": PARENT}) is meta
