"""`crossfade up`: the hub as a process of its own, as it is begun, ended and killed."""

import asyncio
import os
import secrets
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack

import httpx
import pytest

from crossfade.adapters.store.sql import SqlStore
from crossfade.engine.leadership import LEASE

PROGRAM = [sys.executable, "-c", "from crossfade.cli.main import run; run()"]


def free_base():
    """Return a first port whose hub port is free now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1] - 1


class Hub:
    """One `crossfade up`."""

    def __init__(self, folder, base, *arguments, database=None):
        self.base = base
        environment = os.environ | {"CROSSFADE_PORT_BASE": str(base)}
        environment.pop("CROSSFADE_DATABASE_URL", None)
        if "--port" not in arguments:  # the usual one may be taken by the test beside this one
            arguments = ("--no-api", *arguments)
        if database:
            environment["CROSSFADE_DATABASE_URL"] = database
        self.process = subprocess.Popen(
            [*PROGRAM, "--state-dir", str(folder), "up", *arguments],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
        )

    def wait_ready(self):
        """Return what it prints until it runs."""
        lines = []
        while True:
            line = self.process.stderr.readline()
            assert line, f"it ended: {lines}"
            lines.append(line)
            if "edges get their configuration" in line:
                return lines

    def end(self, number):
        """Send a signal, and return exit code, seconds, and the rest of what it prints."""
        asked = time.monotonic()
        self.process.send_signal(number)
        out, err = self.process.communicate(timeout=20)
        return self.process.returncode, time.monotonic() - asked, out + err

    def result(self):
        """Return exit code and errors of one that ends by itself."""
        _, err = self.process.communicate(timeout=30)
        return self.process.returncode, err


@pytest.fixture
def start(tmp_path):
    """Start hubs on one state folder."""
    hubs = []

    def hub(*arguments, base=None, database=None):
        hubs.append(Hub(tmp_path, base or free_base(), *arguments, database=database))
        return hubs[-1]

    yield hub
    for each in hubs:
        if each.process.poll() is None:
            each.process.kill()
        each.process.communicate()


def lease_on(folder):
    async def read():
        store = await SqlStore.open(f"sqlite:///{folder}/crossfade.db")
        try:
            return await store.current(LEASE)
        finally:
            await store.close()

    return asyncio.run(read())


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_hub_that_is_asked_to_end_ends_soon_and_lets_the_next_one_start(start, tmp_path, number):
    hub = start()
    lines = hub.wait_ready()
    code, seconds, rest = hub.end(number)

    assert f"the hub runs on {tmp_path}\n" in lines
    assert any(f"127.0.0.1:{hub.base + 1}" in line for line in lines)
    assert code == 0
    assert seconds < 3.0
    assert rest.endswith("the hub has ended; edges go on with what they have\n")
    assert "Traceback" not in rest
    assert lease_on(tmp_path).holder == ""


def test_a_second_hub_on_the_store_is_refused(start):
    start().wait_ready()
    code, err = start().result()

    assert code == 5
    assert "error: another hub runs on this store (holder=" in err
    assert "hint: stop that one first, or give this one its own `--state-dir`" in err
    assert "Traceback" not in err


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGKILL])
def test_a_hub_that_stands_by_on_postgresql_goes_on_where_the_other_ended(start, postgres, number):
    url = postgres.database(f"up-{secrets.token_hex(4)}")
    first = start(database=url)
    first.wait_ready()
    second = start("--standby", base=first.base, database=url)
    assert f"/{first.process.pid}/" in second.process.stderr.readline()
    first.process.send_signal(number)
    began = time.monotonic()
    second.wait_ready()

    assert time.monotonic() - began < 10
    assert second.end(signal.SIGTERM)[0] == 0


def test_a_hub_that_stands_by_answers_requests_and_goes_on_with_it_when_it_leads(start, tmp_path):
    ports = [free_base() + 1 for _ in range(2)]
    first = start("--port", str(ports[0]))
    first.wait_ready()
    lines = [first.process.stderr.readline() for _ in range(2)]
    password = lines[1].split("password ")[1].split()[0]
    second = start("--standby", "--port", str(ports[1]))
    told = [second.process.stderr.readline() for _ in range(2)]
    with httpx.Client(base_url=f"http://127.0.0.1:{ports[1]}", timeout=20) as client:
        credentials = {"name": "admin", "password": password}
        signed = client.post("/api/v1/session", json=credentials)
        assert signed.status_code == 201
        headers = {"X-CSRF-Token": signed.json()["csrf"]}
        wanted = {"name": "ann", "grants": [{"role": "viewer"}]}
        made = client.post("/api/v1/accounts", json=wanted, headers=headers)
        with httpx.Client(
            base_url=f"http://127.0.0.1:{ports[0]}", cookies=client.cookies, timeout=20
        ) as other:
            names = [each["name"] for each in other.get("/api/v1/accounts").json()]
        first.process.kill()
        second.wait_ready()

        assert made.status_code == 201
        assert names == ["admin", "ann"]
        assert any(f"/{first.process.pid}/" in line for line in told)
        assert client.get("/readyz").status_code == 200
        assert client.get("/api/v1/fleet").json()["items"] == []
    assert second.end(signal.SIGTERM)[0] == 0


def test_a_port_that_is_taken_is_taken_over_with_the_lead(start, tmp_path):
    port = str(free_base() + 1)
    first = start("--port", port)
    first.wait_ready()
    second = start("--standby", "--port", port, base=first.base)
    assert "no API until this hub leads" in second.process.stderr.readline()
    first.end(signal.SIGTERM)
    lines = second.wait_ready()
    while not any("the API is at" in line for line in lines):
        lines.append(second.process.stderr.readline())

    assert httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=20).status_code == 200


def test_a_taken_port_is_told_and_no_hub_is_left_behind(start, tmp_path):
    base = free_base()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", base + 1))
        taken.listen()
        code, err = start(base=base).result()

    assert code == 5
    assert str(base + 1) in err
    assert "hint: " in err
    assert "Traceback" not in err
    assert lease_on(tmp_path).holder == ""


def test_a_hub_that_was_killed_is_followed_at_once(start, tmp_path):
    """A hub that finds a living one is refused; this one must see that the first is dead."""
    first = start()
    first.wait_ready()
    first.process.kill()
    first.process.wait(10)
    killed = lease_on(tmp_path)
    start().wait_ready()

    assert lease_on(tmp_path).epoch > killed.epoch


def test_a_hub_whose_lease_was_taken_ends_with_an_error(start, tmp_path):
    hub = start()
    hub.wait_ready()

    async def usurp():
        store = await SqlStore.open(f"sqlite:///{tmp_path}/crossfade.db")
        held = await store.current(LEASE)
        await store.release(LEASE, held.holder)
        await store.acquire(LEASE, "usurper/1/1", held.expires_at, 60.0)
        await store.close()

    asyncio.run(usurp())
    code, err = hub.result()

    assert code == 5
    assert "error: " in err
    assert "usurper" in err
    assert "Traceback" not in err


def test_a_store_that_cannot_be_opened_is_told(start, tmp_path):
    (tmp_path / "crossfade.db").write_text("this is no database, and long enough to be sure")
    code, err = start().result()

    assert code == 2
    assert "error: the store is no database file" in err
    assert "Traceback" not in err


def test_a_hub_with_open_streams_ends_within_three_seconds(start):
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    hub = start("--port", str(port))
    hub.wait_ready()
    lines = [hub.process.stderr.readline() for _ in range(2)]
    assert f"http://127.0.0.1:{port}/api/v1" in lines[0]
    password = lines[1].split("password ")[1].split()[0]
    with ExitStack() as streams:
        client = streams.enter_context(
            httpx.Client(base_url=f"http://127.0.0.1:{port}/api/v1", timeout=20)
        )
        credentials = {"name": "admin", "password": password}
        assert client.post("/session", json=credentials).status_code == 201
        for _ in range(5):
            asked = client.stream("GET", "/events", headers={"Accept": "text/event-stream"})
            answer = streams.enter_context(asked)
            assert "retry" in next(answer.iter_text())
        code, seconds, _ = hub.end(signal.SIGTERM)

    assert code == 0
    assert seconds <= 3


def test_a_port_that_was_asked_for_and_is_taken_is_told(start):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        code, err = start("--port", str(taken.getsockname()[1])).result()

    assert code == 5
    assert "--port" in err
