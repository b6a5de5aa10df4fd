"""`crossfade sandbox` as it is typed."""

import asyncio
import json
import os
import subprocess
import sys

import pytest

from crossfade.sandbox import control, processes

PROGRAM = [sys.executable, "-c", "from crossfade.cli.main import run; run()"]


def call(home, *arguments: str, seconds: float = 60.0):
    environment = {
        **os.environ,
        "CROSSFADE_HOME": str(home),
        "PYTHONPATH": os.pathsep.join(part for part in sys.path if part),
    }
    return subprocess.run(
        [*PROGRAM, *arguments], env=environment, capture_output=True, text=True, timeout=seconds
    )


def sandbox(home, *arguments: str):
    return call(home, "sandbox", *arguments)


def test_a_sandbox_from_up_to_down_by_its_commands(tmp_path, free_port_base):
    base = free_port_base(2)
    started = sandbox(
        tmp_path, "up", "--clouds", "aws,gcp", "--port-base", str(base), "--output", "json"
    )
    try:
        assert started.returncode == 0, started.stderr
        told = json.loads(started.stdout)
        assert set(told["clouds"]) == {"aws", "gcp"}
        assert "is ready after" in started.stderr
        again = sandbox(tmp_path, "up")
        assert "running already" in again.stdout, "without options it is the same sandbox"
        config = sandbox(tmp_path, "kubeconfig")
        assert config.stdout == (tmp_path / "sandbox" / "kubeconfig").read_text()
        assert config.stderr == ""
        killed = sandbox(tmp_path, "kill", "aws", "-o", "json")
        assert json.loads(killed.stdout) == {"cloud": "aws", "state": "dead"}
        status = sandbox(tmp_path, "status", "--output", "json")
        assert [one["state"] for one in json.loads(status.stdout)["clouds"]] == ["dead", "running"]
        table = sandbox(tmp_path, "status").stdout
        assert table.splitlines()[0].split()[:2] == ["CLOUD", "STATE"]
        assert "cloud aws is running" in sandbox(tmp_path, "restore", "aws").stdout
    finally:
        gone = sandbox(tmp_path, "down")
    assert gone.returncode == 0
    assert not (tmp_path / "sandbox").exists()
    assert processes.find(tmp_path / "sandbox") == ()


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["status"], 3, "there is no sandbox"),
        (["kubeconfig"], 3, "there is no sandbox"),
        (["kill", "aws"], 3, "there is no sandbox"),
        (["up", "--clouds", "a,a"], 2, "named twice"),
        (["up", "--clouds", "A"], 2, "cannot be the name"),
        (["up", "--port-base", "80"], 2, "first port"),
        (["load", "--duration", "soon"], 2, "duration"),
        (["load", "--rate", "0"], 2, "requests per second"),
        (["load", "--url", "nowhere"], 2, "cannot be loaded"),
    ],
)
def test_mistakes_get_an_error_a_hint_and_an_exit_code(tmp_path, arguments, code, said):
    done = sandbox(tmp_path, *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "hint: " in done.stderr
    assert done.stdout == ""
    assert not list(tmp_path.iterdir()), "nothing is left of what was refused"


async def test_load_prints_figures_and_who_answered(tmp_path):
    body = b'{"version": "2", "colour": "red", "cloud": "gcp", "pod": "p"}'

    async def handle(reader, writer):
        try:
            while await reader.readuntil(b"\r\n\r\n"):
                writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n" % len(body) + body)
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    server = await asyncio.start_server(handle, "127.0.0.1", 0)
    url = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    arguments = ("load", "--url", url, "--rate", "50", "--duration", "1200ms")
    as_json = await asyncio.to_thread(sandbox, tmp_path, *arguments, "--output", "json")
    as_text = await asyncio.to_thread(sandbox, tmp_path, *arguments)
    server.close()
    found = json.loads(as_json.stdout)
    assert (found["requests"], found["failed"], found["versions"]) == (60, 0, {"2": 60})
    assert "60 requests, 0 failed" in as_text.stdout
    assert "1 s" in as_text.stderr, "a line a second while it runs"


def test_an_interrupted_up_leaves_no_process(tmp_path, free_port_base):
    base = free_port_base(3)
    environment = {
        **os.environ,
        "CROSSFADE_HOME": str(tmp_path),
        "PYTHONPATH": os.pathsep.join(part for part in sys.path if part),
    }
    command = [*PROGRAM, "sandbox", "up", "--port-base", str(base)]
    with subprocess.Popen(command, env=environment, stderr=subprocess.PIPE) as starting:
        directory = (tmp_path / "sandbox").resolve()
        while not any(one.role == "cloud" for one in processes.find(directory)):
            assert starting.poll() is None
        starting.send_signal(2)
        starting.wait(20)
    assert starting.returncode == 130
    assert processes.find(directory) == ()
    control.down(directory)
