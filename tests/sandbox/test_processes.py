"""Processes are found by their markers, and nothing else is touched."""

import os
import subprocess
import sys
import time

import pytest

from crossfade.sandbox import ports, processes

SLEEP = [sys.executable, "-c", "import time; time.sleep(60)"]


@pytest.fixture
def start(tmp_path):
    running = []

    def begin(command=SLEEP, role="pod", cloud="aws", directory=tmp_path, stdout=None):
        marks = processes.markers(directory, role, cloud)
        process = subprocess.Popen(command, env={**os.environ, **marks}, stdout=stdout)
        running.append(process)
        return process

    yield begin
    for process in running:
        process.kill()
        process.wait()


def state_of(pid: int) -> str:
    with open(f"/proc/{pid}/stat") as file:
        return file.read().rpartition(")")[2].split()[0]


def test_only_processes_of_this_sandbox_and_cloud_are_found(start, tmp_path):
    mine, other = start(), start(cloud="gcp")
    start(directory=tmp_path / "another")
    found = processes.find(tmp_path, "aws")
    assert [(one.pid, one.cloud, one.role) for one in found] == [(mine.pid, "aws", "pod")]
    assert {one.pid for one in processes.find(tmp_path)} == {mine.pid, other.pid}


def test_a_child_that_wiped_its_environment_is_found_too(start, tmp_path):
    child = f"import subprocess; subprocess.run({SLEEP!r}, env={{}})"
    parent = start([sys.executable, "-c", child])
    deadline = time.monotonic() + 10
    while len(found := processes.find(tmp_path, "aws")) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.01)
    assert processes.end(tmp_path, "aws") == 2
    assert parent.wait() < 0
    assert processes.find(tmp_path) == ()
    assert {one.cloud for one in found} == {"aws"}


def test_end_kills_what_ignores_every_polite_signal(start, tmp_path):
    stubborn = "import signal, time; signal.signal(signal.SIGTERM, signal.SIG_IGN); time.sleep(60)"
    process = start([sys.executable, "-c", stubborn])
    bystander = start(cloud="gcp")
    assert processes.end(tmp_path, "aws") == 1
    assert process.wait() == -9
    assert bystander.poll() is None


def test_the_ports_of_what_was_ended_are_free_at_once(start, tmp_path):
    many_threads = (
        "import socket, threading, time; server = socket.create_server(('127.0.0.1', 0));"
        "[threading.Thread(target=time.sleep, args=(60,)).start() for _ in range(100)];"
        "print(server.getsockname()[1], flush=True); time.sleep(60)"
    )
    for _ in range(5):
        process = start([sys.executable, "-c", many_threads], stdout=subprocess.PIPE)
        with process.stdout as said:
            port = int(said.readline())
        assert processes.end(tmp_path, "aws") == 1
        assert ports.is_free(port)
        process.wait()


def test_stop_and_resume_reach_every_process(start, tmp_path):
    one, two = start(), start(role="cloud")
    assert processes.stop(tmp_path, "aws") == 2
    assert {state_of(one.pid), state_of(two.pid)} == {"T"}
    assert processes.resume(tmp_path, "aws") == 2
    deadline = time.monotonic() + 5
    while "T" in {state_of(one.pid), state_of(two.pid)}:
        assert time.monotonic() < deadline
        time.sleep(0.01)


def test_memory_of_processes_that_are_there_is_counted():
    assert processes.pss_kib([os.getpid(), 0]) > 1000


def test_the_caller_itself_is_never_found(tmp_path):
    marks = processes.markers(tmp_path, "pod", "aws")
    code = (
        "from pathlib import Path; from crossfade.sandbox import ports, processes; "
        f"print(processes.find(Path({str(tmp_path)!r})))"
    )
    told = subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **marks, "PYTHONPATH": os.pathsep.join(sys.path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stdout.strip() == "()"
