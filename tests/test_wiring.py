"""The program is made of the parts that it should be made of."""

import asyncio
import socket
import sys
from dataclasses import replace

import pytest

from crossfade.adapters.helm.command import HelmCommand
from crossfade.adapters.kubernetes.client import KubeApi
from crossfade.adapters.store.sql import SqlStore
from crossfade.base import tracing
from crossfade.base.errors import Conflict, InputError, Unavailable
from crossfade.core.fleet.cluster import Cluster
from crossfade.core.release.report import Address
from crossfade.engine.leadership import LEASE, own_holder
from crossfade.ports.documents import Event
from crossfade.settings import Settings
from crossfade.testing.builders import APP, BLUE, application
from crossfade.testing.trace_receiver import trace_receiver
from crossfade.wiring import RealConnections, run_hub, session, traced
from crossfade.wiring_api import services


@pytest.fixture
def settings(tmp_path):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        base = probe.getsockname()[1] - 1
    return Settings(tmp_path, f"sqlite:///{tmp_path}/crossfade.db", base)


async def test_a_hub_that_stands_by_does_not_wait_to_say_that_it_could_not_lead(settings, tmp_path):
    """Else it is told when the other one has ended, and nobody leads."""
    with pytest.raises(InputError, match=r"ca\.pem cannot be read"):
        await run_hub(
            replace(settings, edge_tls=tmp_path / "tls"), asyncio.Event(), standby=lambda _: None
        )

    assert not (tmp_path / "crossfade.db").exists(), "it has asked who leads before"


async def lease_of(settings):
    store = await SqlStore.open(settings.database_url)
    try:
        return await store.current(LEASE)
    finally:
        await store.close()


async def test_a_cluster_keeps_its_connection_until_it_is_changed(tmp_path, monkeypatch):
    closed = []

    async def close(api):
        closed.append(api)

    monkeypatch.setattr(KubeApi, "close", close)
    connections = RealConnections(HelmCommand())
    cluster = Cluster("aws", "aws", str(tmp_path / "kubeconfig"))
    first = connections.cluster(cluster)
    try:
        assert connections.cluster(replace(cluster)) is first
        assert connections.cluster(replace(cluster, context="other")) is not first
    finally:
        await connections.close()
    assert len(closed) == 2


async def test_a_gateway_without_counters_is_silence_and_no_zero():
    connections = RealConnections(HelmCommand())
    try:
        counts = connections.counts(application(), Address("aws.test", 80), (BLUE,))
        with pytest.raises(Unavailable) as raised:
            await counts.read(APP)
    finally:
        await connections.close()
    assert "crossfade.dev/metrics-url" in raised.value.hint


async def test_commands_know_whether_a_hub_runs(settings):
    async with session(settings) as opened:
        assert await opened.hub() is None
        await opened.store.acquire(LEASE, own_holder(), opened.clock.now(), 15.0)
        assert await opened.hub() == own_holder()
        await opened.store.release(LEASE, own_holder())
        assert await opened.hub() is None
        await opened.store.acquire(LEASE, "elsewhere/1/1", opened.clock.now() - 20.0, 15.0)
        assert await opened.hub() is None


async def test_a_clock_that_was_set_back_does_not_turn_back_the_time_of_commands(settings):
    later = 4e9
    async with session(settings) as opened:
        await opened.store.commit((), (Event("x/y", later, "from the future", {}),))
    async with session(settings) as opened:
        assert opened.clock.now() >= later


async def test_a_hub_begins_listens_and_gives_up_its_lease_when_it_ends(settings):
    ready = asyncio.Event()
    async with asyncio.timeout(20), asyncio.TaskGroup() as group:
        hub = group.create_task(run_hub(settings, ready))
        await ready.wait()
        assert (await lease_of(settings)).holder == own_holder()
        _, writer = await asyncio.open_connection("127.0.0.1", settings.hub_port)
        writer.close()
        await writer.wait_closed()
        hub.cancel()
    assert (await lease_of(settings)).holder == ""


async def test_a_second_hub_on_the_store_is_refused_and_does_not_disturb_the_first(settings):
    store = await SqlStore.open(settings.database_url)
    async with session(settings) as opened:
        held = await store.acquire(LEASE, "elsewhere/1/1", opened.clock.now(), 60.0)
    with pytest.raises(Conflict, match="another hub runs"):
        await run_hub(settings, asyncio.Event())
    assert await store.current(LEASE) == held
    await store.close()


async def test_a_taken_port_is_told_and_leaves_no_lease(settings):
    ready = asyncio.Event()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", settings.hub_port))
        taken.listen()
        with pytest.raises(Conflict) as raised:
            await run_hub(settings, ready)
    assert str(settings.hub_port) in f"{raised.value}"
    assert not ready.is_set()
    assert (await lease_of(settings)).holder == ""


async def test_a_hub_that_cannot_begin_says_why_and_closes_what_it_had_opened(
    settings, monkeypatch
):
    closed = []
    close = SqlStore.close

    async def unreadable(store):
        raise Unavailable("the history cannot be read", hint="look at the disk")

    async def note(store):
        closed.append(store)
        await close(store)

    monkeypatch.setattr(SqlStore, "newest_event_at", unreadable)
    monkeypatch.setattr(SqlStore, "close", note)

    with pytest.raises(Unavailable, match="the history cannot be read"):
        await run_hub(settings, asyncio.Event())

    assert closed


def test_work_is_traced_to_where_the_environment_says(monkeypatch):
    told = []
    with trace_receiver() as receiver:
        monkeypatch.setenv("NO_PROXY", "127.0.0.1")
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.address)
        with traced(told.append), tracing.span("work"):
            pass

    assert receiver.named("work")
    assert told == []


@pytest.mark.parametrize("why", ["off", "not-installed", "protocol"])
def test_work_goes_on_without_traces_whatever_is_wrong_with_them(monkeypatch, why):
    told, place = [], "" if why == "off" else "http://127.0.0.1:9"
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", place)
    if why == "not-installed":
        monkeypatch.setitem(sys.modules, "crossfade.adapters.tracing.otlp", None)
    if why == "protocol":
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_PROTOCOL", "grpc")

    with traced(told.append), tracing.span("work"):
        assert tracing.current() == ""

    hints = {"off": [], "not-installed": ["crossfade[otel]"], "protocol": ["http/protobuf"]}
    assert len(told) == len(hints[why])
    assert all(hint in line for hint, line in zip(hints[why], told, strict=True))


@pytest.mark.parametrize(
    ("setting", "runner", "kept_in"),
    [
        ("process", None, "ProcessRunner"),
        ("process", "container", "ContainerRunner"),
        ("container", None, "ContainerRunner"),
        ("container", "process", "ProcessRunner"),
        ("process", "pod", "ProcessRunner"),
        ("pod", None, "ProcessRunner"),
    ],
)
def test_what_outlives_a_build_is_kept_on_this_machine_as_its_steps_run(
    settings, setting, runner, kept_in
):
    from crossfade.adapters.runners.process import ProcessRunner
    from crossfade.core.pipeline.runtime import RunnerKind, Runtime
    from crossfade.wiring_steps import StepPlaces

    wanted = replace(settings, pipeline_runner=setting)
    places = StepPlaces(wanted, ProcessRunner(settings.pipelines_dir), None, None)
    found = places.outliving(Runtime(RunnerKind(runner) if runner else None))

    assert type(found._inner).__name__ == kept_in


async def test_all_who_deploy_over_http_share_one_limit_of_helm_processes(settings):
    async with services(settings) as parts:
        one, other = parts.acts(parts.documents), parts.acts(parts.documents)

    assert one.deployments.charts is other.deployments.charts
