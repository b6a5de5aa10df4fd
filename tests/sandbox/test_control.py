"""A sandbox's life as its user meets it: up, down, and everything that goes wrong between."""

import os
import signal
import socket
import threading
import time

import pytest

from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Conflict, InputError, NotFound, Unavailable
from crossfade.sandbox import control, ports, processes, state

CLOCK = SteadyClock()


def quiet(_):
    pass


@pytest.fixture
def layout(tmp_path, new_layout):
    made = new_layout(tmp_path / "state" / "sandbox", "one")
    yield made
    control.down(made.directory)


def test_up_twice_is_safe_and_down_leaves_no_process_port_or_file(layout, request_status):
    news = []
    assert not control.up(layout, CLOCK, news.append).already
    assert [one.cloud for one in news] == ["one"]
    before = {one.pid for one in processes.find(layout.directory)}
    assert control.up(layout, CLOCK, quiet).already
    assert {one.pid for one in processes.find(layout.directory)} == before
    assert request_status(layout.ports("one").gateway) == 404
    assert control.down(layout.directory)
    assert processes.find(layout.directory) == ()
    assert all(ports.is_free(port) for port in layout.own_ports())
    assert not layout.directory.exists()
    assert not control.down(layout.directory), "down twice is safe"


def test_two_ups_at_the_same_time_make_one_sandbox(layout):
    results, threads = [], []
    for _ in range(2):
        thread = threading.Thread(
            target=lambda: results.append(control.up(layout, CLOCK, quiet).already)
        )
        thread.start()
        threads.append(thread)
    for thread in threads:
        thread.join(30)
    assert sorted(results) == [False, True]


def test_files_with_secrets_are_for_their_owner_only(layout):
    control.up(layout, CLOCK, quiet)
    folder = layout.folder("one")
    for path in (layout.kubeconfig, folder / "token", folder / "server.key"):
        assert path.stat().st_mode & 0o077 == 0, path
    assert (layout.directory / "control.sock").stat().st_mode & 0o077 == 0
    assert layout.directory.stat().st_mode & 0o077 == 0


def test_other_clouds_than_those_that_run_are_refused_with_what_to_do(layout):
    control.up(layout, CLOCK, quiet)
    other = state.new_layout(layout.directory, ["one", "two"], layout.port_base)
    with pytest.raises(Conflict) as refused:
        control.up(other, CLOCK, quiet)
    assert "sandbox down" in refused.value.hint


def test_a_taken_port_is_named_with_its_holder_and_nothing_is_started(layout):
    with socket.socket() as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        server.bind(("127.0.0.1", layout.ports("one").gateway))
        server.listen()
        with pytest.raises(Conflict) as refused:
            control.up(layout, CLOCK, quiet)
    facts = refused.value.facts
    assert (facts["port"], facts["pid"]) == (layout.ports("one").gateway, os.getpid())
    assert processes.find(layout.directory) == ()
    assert not layout.directory.exists()


def test_what_a_killed_supervisor_left_behind_is_cleaned_by_the_next_up(layout, request_status):
    control.up(layout, CLOCK, quiet)
    left = processes.find(layout.directory)
    os.kill(_supervisor(layout), signal.SIGKILL)
    token = (layout.folder("one") / "token").read_text()
    _until(lambda: not any(one.role == "supervisor" for one in processes.find(layout.directory)))
    assert request_status(layout.ports("one").gateway) == 404, "the cloud itself goes on"
    assert not control.up(layout, CLOCK, quiet).already
    assert not {one.pid for one in left} & {one.pid for one in processes.find(layout.directory)}
    assert (layout.folder("one") / "token").read_text() == token, "kubeconfigs stay valid"


def test_what_a_killed_supervisor_left_behind_is_cleaned_by_down(layout):
    control.up(layout, CLOCK, quiet)
    os.kill(_supervisor(layout), signal.SIGKILL)
    assert control.down(layout.directory)
    assert processes.find(layout.directory) == ()


def test_a_stopped_supervisor_does_not_keep_down_from_working(layout):
    control.up(layout, CLOCK, quiet)
    os.kill(_supervisor(layout), signal.SIGSTOP)
    assert control.down(layout.directory)
    assert processes.find(layout.directory) == ()


def test_a_cloud_that_cannot_start_says_why_and_leaves_nothing(layout):
    folder = layout.folder("one")
    folder.mkdir(parents=True)
    state.save(layout)
    (folder / "objects.journal").mkdir()  # where the cloud wants to write a file
    with pytest.raises(Unavailable) as failed:
        control.up(layout, CLOCK, quiet)
    assert "cloud.log" in failed.value.hint
    assert "objects.journal" in str(failed.value.facts["log"])
    assert processes.find(layout.directory) == ()
    assert all(ports.is_free(port) for port in layout.own_ports())


def test_a_path_longer_than_a_socket_address_is_no_trouble(tmp_path, new_layout):
    directory = tmp_path / ("long" * 30) / "sandbox"
    layout = new_layout(directory, "one")
    try:
        control.up(layout, CLOCK, quiet)
        assert control.act(directory, "restore", "one") == "running"
    finally:
        control.down(directory)


def test_without_a_sandbox_there_is_a_hint(tmp_path):
    with pytest.raises(NotFound) as missing:
        control.act(tmp_path / "sandbox", "kill", "aws")
    assert "sandbox up" in missing.value.hint


def test_a_state_file_that_cannot_be_read_is_told_and_down_still_works(layout):
    control.up(layout, CLOCK, quiet)
    (layout.directory / "sandbox.json").write_text("{")
    with pytest.raises(InputError):
        control.require(layout.directory)
    assert control.down(layout.directory)
    assert processes.find(layout.directory) == ()


def test_a_folder_that_cannot_be_used_is_told(tmp_path, new_layout):
    (tmp_path / "file").write_text("")
    with pytest.raises(InputError, match="cannot be used") as refused:
        control.up(new_layout(tmp_path / "file" / "sandbox", "one"), CLOCK, quiet)
    assert "--state-dir" in refused.value.hint


def _supervisor(layout) -> int:
    return next(one.pid for one in processes.find(layout.directory) if one.role == "supervisor")


def _until(condition, seconds=5.0):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.01)
