"""Traces arrive at a real receiver of OTLP, and nobody ever waits for one that does not answer."""

import logging
import socket
import time

import pytest
from opentelemetry.sdk.trace.export import SpanExportResult

from crossfade.adapters.tracing.otlp import OtlpRecorder, Telling
from crossfade.base import tracing
from crossfade.testing.trace_receiver import trace_receiver

PARENT = "00-" + "a" * 32 + "-" + "b" * 16 + "-01"


@pytest.fixture(autouse=True)
def no_proxy(monkeypatch):
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")


def recorder_to(monkeypatch, address, **more):
    variables = {"OTEL_EXPORTER_OTLP_ENDPOINT": address, **more}
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return OtlpRecorder("1.2.3", variables)


def test_a_span_arrives_with_its_place_its_facts_and_what_it_noted(monkeypatch):
    with trace_receiver() as receiver:
        recorder = recorder_to(monkeypatch, receiver.address, OTEL_EXPORTER_OTLP_HEADERS="who=us")
        with tracing.recorded(recorder), tracing.span("outer", parent=PARENT, application="colors"):
            tracing.note("saved", reason="because")
            with tracing.span("inner") as inner:
                inner.fail("exit code 3")
        recorder.past("step", PARENT, {"percent": 5.0}, (1000.0, 1060.0))
        recorder.close()

    outer, inner, step = (receiver.named(each) for each in ("outer", "inner", "step"))
    assert outer.trace_id.hex() == inner.trace_id.hex() == step.trace_id.hex() == "a" * 32
    assert outer.parent_span_id.hex() == "b" * 16
    assert inner.parent_span_id == outer.span_id
    assert {each.key: each.value.string_value for each in outer.attributes} == {
        "crossfade.application": "colors"
    }
    assert [each.name for each in outer.events] == ["saved"]
    assert (inner.status.code, inner.status.message) == (2, "exit code 3")
    assert step.end_time_unix_nano - step.start_time_unix_nano == 60_000_000_000
    assert receiver.resource["service.name"] == "crossfade"
    assert receiver.resource["service.version"] == "1.2.3"
    assert receiver.headers["who"] == "us"


def test_what_the_variables_of_opentelemetry_say_goes_before_our_own(monkeypatch):
    with trace_receiver() as receiver:
        more = {"OTEL_SERVICE_NAME": "ours", "OTEL_TRACES_SAMPLER": "parentbased_always_off"}
        recorder = recorder_to(monkeypatch, receiver.address, **more)
        with tracing.recorded(recorder):
            with tracing.span("left out"):
                assert not int(tracing.current()[-2:], 16) & 1
            with tracing.span("asked for", parent=PARENT):
                pass
        recorder.close()

    assert [each.name for each in receiver.spans] == ["asked for"]
    assert receiver.resource["service.name"] == "ours"


@pytest.mark.parametrize("hangs", [True, False])
def test_a_receiver_that_is_dead_or_hangs_delays_nobody(monkeypatch, hangs):
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        if hangs:
            silent.listen()
        recorder = recorder_to(monkeypatch, f"http://127.0.0.1:{silent.getsockname()[1]}")
        begun = time.process_time()
        with tracing.recorded(recorder):
            for number in range(5000):
                with tracing.span("work", number=number):
                    pass
        spent = time.process_time() - begun
        closing = time.monotonic()
        recorder.close()

        assert time.monotonic() - closing < 2
        assert spent < 3, "each of 5,000 takes a fraction of a millisecond"


class Refusing:
    """An exporter that fails, and then works."""

    def __init__(self, *results):
        self.results = list(results)

    def export(self, _spans):
        return self.results.pop(0)

    def shutdown(self):
        pass


def test_a_receiver_that_does_not_answer_is_told_once_and_not_for_every_batch(caplog):
    failed, good = SpanExportResult.FAILURE, SpanExportResult.SUCCESS
    telling = Telling(Refusing(failed, failed, failed, good, good))

    with caplog.at_level(logging.INFO):
        for _ in range(5):
            telling.export(["span"])

    told = [(each.message, each.lost) for each in caplog.records]
    assert told == [("traces-not-sent", 1), ("traces-sent-again", 3)]
