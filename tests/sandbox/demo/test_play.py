"""The demo finds its example and its ports, and leaves no process behind."""

import asyncio
import os
import socket
import sys
from contextlib import suppress
from dataclasses import replace

import pytest

from crossfade import settings
from crossfade.adapters.documents.application import read_application
from crossfade.base.errors import Conflict, InputError, Unavailable
from crossfade.sandbox.demo import acts, play
from crossfade.sandbox.ports import is_free

SLEEPER = (sys.executable, "-c", "import time; time.sleep(60)")
STUBBORN = (
    sys.executable,
    "-c",
    "import signal, sys, time; signal.signal(signal.SIGTERM, signal.SIG_IGN);"
    " print('deaf', flush=True); time.sleep(60)",
)


def alive(pid):
    with suppress(ProcessLookupError):
        os.kill(pid, 0)
        return True
    return False


@pytest.fixture
def layout(tmp_path):
    return play.choose_layout(tmp_path, None)


def test_the_example_is_there_and_is_shortened_not_changed():
    read = read_application(play.example() / "crossfade.yaml")
    short = play.prepared(read, acts.PROGRAMME)

    assert (short.name, short.route, short.source) == (read.name, read.route, read.source)
    assert sum(getattr(step, "seconds", 0) or 0 for step in short.strategy.steps) < 60


def test_ports_that_are_taken_are_passed_over(tmp_path, monkeypatch):
    first = play.choose_layout(tmp_path, None)
    with socket.create_server(("127.0.0.1", first.hub_port)):
        second = play.choose_layout(tmp_path, None)

    assert second.port_base != first.port_base
    assert is_free(second.edge_port)


def test_ports_that_a_person_chose_are_taken_or_refused(tmp_path, layout):
    assert play.choose_layout(tmp_path, layout.port_base) == layout
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", layout.edge_port))
        taken.listen()
        with pytest.raises(Conflict):
            play.choose_layout(tmp_path, layout.port_base)


def test_without_a_free_port_the_demo_says_what_to_do(tmp_path, monkeypatch):
    def taken(_):
        raise Conflict("taken", hint="free it")

    monkeypatch.setattr("crossfade.sandbox.ports.require_free", taken)
    with pytest.raises(Conflict, match="no free ports") as raised:
        play.choose_layout(tmp_path, None)
    assert "--port-base" in raised.value.hint


def test_an_example_that_is_missing_is_told(monkeypatch, tmp_path):
    monkeypatch.setattr(play, "__file__", str(tmp_path / "a/b/c/play.py"))
    with pytest.raises(InputError, match="`colors` is missing"):
        play.example()


SHOWING = (
    sys.executable,
    "-c",
    "import os, time; print(sorted(os.environ), flush=True); time.sleep(60)",
)


async def test_the_demo_touches_no_store_that_somebody_works_with(
    tmp_path, layout, monkeypatch, until
):
    """Whoever runs a hub has these set, and tries the demo in the same shell."""
    theirs = ("CROSSFADE_DATABASE_URL", "CROSSFADE_EDGE_TLS", "CROSSFADE_SECRET_SLACK_URL")
    for name in theirs:
        monkeypatch.setenv(name, "theirs")
    monkeypatch.setattr(play, "_HUB", SHOWING)

    async def shown() -> bool:
        return "PATH" in (tmp_path / "hub.log").read_text()

    async with play.hub(tmp_path, layout, keep=False):
        await until(shown)
    said = (tmp_path / "hub.log").read_text()

    assert [name for name in theirs if name in said] == []
    assert "CROSSFADE_PORT_BASE" in said
    assert settings.load(play.alone(os.environ), tmp_path).database_url.startswith("sqlite")


async def test_the_hub_ends_with_the_demo_and_leaves_its_log(tmp_path, layout, monkeypatch):
    monkeypatch.setattr(play, "_HUB", SLEEPER)
    async with play.hub(tmp_path, layout, keep=False) as pid:
        assert alive(pid)
    assert not alive(pid)
    assert (tmp_path / "hub.log").exists()


async def test_the_hub_ends_with_a_demo_that_fails_even_if_it_was_to_be_kept(
    tmp_path, layout, monkeypatch
):
    monkeypatch.setattr(play, "_HUB", SLEEPER)
    with pytest.raises(Unavailable):
        async with play.hub(tmp_path, layout, keep=True) as pid:
            raise Unavailable("interrupted", hint="again")
    assert not alive(pid)


async def test_people_who_watch_learn_where_the_page_is_and_how_to_sign_in(tmp_path):
    log = tmp_path / "hub.log"
    log.write_text("2026 INFO x\nthe page is at http://127.0.0.1:1/, the API is at ...\nsign in as")
    said = asyncio.ensure_future(play.door(log))
    await asyncio.sleep(0)
    assert not said.done()
    with log.open("a") as more:
        more.write(" `admin` with the password abc (it is not kept)\n")

    assert await said == (
        "the page is at http://127.0.0.1:1/, the API is at ...; "
        "sign in as `admin` with the password abc (it is not kept)"
    )


async def test_a_hub_that_never_says_where_its_page_is_delays_the_demo_for_a_while_only(
    tmp_path, monkeypatch
):
    monkeypatch.setattr(play, "DOOR_SECONDS", 0.05)
    (tmp_path / "hub.log").write_text("")

    assert "hub.log" in await play.door(tmp_path / "hub.log")


async def test_a_hub_that_does_not_end_by_itself_is_killed(tmp_path, layout, monkeypatch, until):
    monkeypatch.setattr(play, "_HUB", STUBBORN)
    monkeypatch.setattr(play, "END_SECONDS", 0.1)
    async with play.hub(tmp_path, layout, keep=False) as pid:

        async def deaf():
            return "deaf" in (tmp_path / "hub.log").read_text()

        await until(deaf)
    assert not alive(pid)


class Load:
    """Users who come until they are stopped."""

    def __init__(self):
        self.stopped = asyncio.Event()

    def stop(self):
        self.stopped.set()

    async def run(self):
        await self.stopped.wait()


@pytest.fixture
def short(theatre):
    """The stage of a play whose users come until they are stopped."""
    theatre.stage.load = Load()
    return theatre.stage


def programme(*plays):
    """Return a programme of one act, and then these."""
    return replace(acts.PROGRAMME, opening=begins("one"), acts=plays)


def begins(title):
    async def act(stage):
        stage.begin(title)

    return act


async def test_the_play_ends_users_and_picture(short):
    drawn = []
    await play.play(short, programme(begins("two")), lambda: drawn.append(1))

    assert short.record.ok
    assert short.load.stopped.is_set()
    assert drawn
    assert [act.title for act in short.record.acts] == ["one", "two"]


async def test_what_goes_wrong_is_in_the_record_and_every_act_has_an_end(short):
    async def fails(stage):
        stage.begin("two")
        raise Unavailable("waited 40 s for gcp", hint="see the hub's log")

    await play.play(short, programme(fails, begins("never")), lambda: None)

    assert not short.record.ok
    assert short.record.trouble == "waited 40 s for gcp"
    assert [act.title for act in short.record.acts] == ["one", "two"]
    assert all(act.ended >= act.began for act in short.record.acts)
    assert short.load.stopped.is_set()
