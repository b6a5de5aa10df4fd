"""Files of workspaces: nothing leads out of them, nothing is seen by halves."""

import errno
import json
import os
import socket
import subprocess
import threading
from http.server import ThreadingHTTPServer

import pytest

from crossfade.adapters.runners.pods import files
from crossfade.adapters.runners.pods.files import Tree, Volume


@pytest.fixture
def tree(tmp_path):
    (tmp_path / "root").mkdir()
    return Tree(str(tmp_path / "root"))


def put(tree, path, data, mode=0o644):
    tree.write([[path, 0, len(data), mode]], data)


def test_files_folders_and_links_are_listed_with_what_tells_that_they_change(tree):
    put(tree, "deep/file", b"one", 0o755)
    tree.change([], [["empty", 0o700]], [["link", "deep/file"]])
    before = tree.listing()

    put(tree, "deep/file", b"two", 0o755)

    assert before["link"] == ["link", 0, 0, "deep/file"]
    assert before["empty"] == ["folder", 0o700, 0, ""]
    assert before["deep/file"][:3] == ["file", 0o755, 3]
    assert tree.listing()["deep/file"][3] != before["deep/file"][3]


def test_what_belongs_to_single_runs_and_what_is_half_written_is_not_listed(tree):
    put(tree, "env_vars_to_export", b"")
    put(tree, "sensitive/.kube/config", b"token")
    tree.write([["half", 0, 3, None]], b"abc")

    assert tree.listing() == {}


@pytest.mark.parametrize("path", ["../out", "/etc/passwd", "a/../../out", "link/out", "."])
def test_no_path_leads_out_of_the_workspace(tree, tmp_path, path):
    os.symlink(tmp_path, tmp_path / "root/link")

    with pytest.raises(ValueError, match="leads out"):
        put(tree, path, b"x")
    with pytest.raises(ValueError, match="leads out"):
        tree.read([[path, 0, 1]])


def test_a_link_in_the_place_of_a_file_is_replaced_and_not_followed(tree, tmp_path):
    (tmp_path / "victim").write_text("mine")
    tree.change([], [], [["file", str(tmp_path / "victim")]])

    assert tree.read([["file", 0, 4]]) == b"\0" * 4
    put(tree, "file", b"new")

    assert (tmp_path / "victim").read_text() == "mine"
    assert tree.read([["file", 0, 3]]) == b"new"


def test_a_server_goes_when_nobody_asks_and_stays_while_a_run_is_to_be_taken_in(tmp_path):
    volume = Volume(str(tmp_path))
    volume.answer("/begin", b'{"run": "r", "folders": ["a/b"]}')
    assert not volume.is_idle(0.0)

    volume.answer("/forget", b'{"run": "r"}')

    assert volume.is_idle(0.0)
    assert not volume.is_idle(60.0)
    assert (tmp_path / "volume/a/b").is_dir()


@pytest.mark.parametrize("name", ["", "../x", "a/b", ".."])
def test_a_run_without_a_proper_name_is_refused(tmp_path, name):
    with pytest.raises(ValueError, match="name of no run"):
        Volume(str(tmp_path)).answer("/run", b'{"run": "%s"}' % name.encode())


def test_a_file_that_cannot_be_read_just_now_does_not_count_as_removed(tree, monkeypatch):
    put(tree, "deep/file", b"one")

    def busy(_):
        raise OSError(errno.EMFILE, "too many open files")

    monkeypatch.setattr(os, "scandir", busy)

    with pytest.raises(OSError, match="too many"):
        tree.listing()


def test_who_copies_a_read_only_folder_can_put_files_into_it(tree, tmp_path):
    put(tree, "modules/file", b"one", 0o000)
    (tmp_path / "root/modules").chmod(0o555)

    listing = tree.listing()

    assert listing["modules"][:2] == ["folder", 0o755]
    assert listing["modules/file"][:2] == ["file", 0o400]


@pytest.mark.parametrize("planted", ["rm", "mkfifo", "mkdir", "ln -s /etc/passwd"])
def test_a_run_that_spoils_the_files_it_tells_by_has_told_nothing(tmp_path, planted):
    volume = Volume(str(tmp_path))
    volume.answer("/begin", b'{"run": "r", "folders": []}')
    place = tmp_path / "runs/r/exports"
    place.unlink()
    if planted != "rm":
        subprocess.run([*planted.split(), str(place)], check=True)

    told = json.loads(volume.answer("/run", b'{"run": "r"}'))
    assert told == {"exports": "", "masked": "", "whole": True}


def test_only_so_many_exports_are_held_in_memory(tmp_path, monkeypatch):
    monkeypatch.setattr(files, "MOST_TOLD_BYTES", 12)
    volume = Volume(str(tmp_path))
    volume.answer("/begin", b'{"run": "r", "folders": []}')
    (tmp_path / "runs/r/exports").write_text("A=12345\nB=12345\nC=1\n")

    assert json.loads(volume.answer("/run", b'{"run": "r"}'))["exports"] == "A=12345\n"


DEEP = 1500


@pytest.fixture
def deep(tmp_path):
    """Folders in folders, deeper than functions may call each other."""
    (tmp_path / "root").mkdir()
    here = os.open(tmp_path / "root", os.O_RDONLY)
    for _ in range(DEEP):
        os.mkdir("a", dir_fd=here)
        below = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(os.open("file", os.O_CREAT, dir_fd=here))
    os.close(here)
    yield tmp_path / "root"
    files.remove(str(tmp_path / "root"))
    assert not (tmp_path / "root").exists()


def test_folders_may_be_as_deep_as_they_like(deep):
    found = Tree(str(deep)).listing()

    assert len(found) == DEEP + 1
    assert found["a/" * DEEP + "file"][0] == "file"


def test_a_listing_is_json_with_an_entry_a_line(tree):
    for name in ("plain", 'a "b"\n', "\u2028ü"):
        put(tree, name, b"x")

    text = files.written(tree.listing())

    assert json.loads(text) == tree.listing()
    assert len(text.split("\n")) == 2 + 3
    assert json.loads(files.written({})) == {}


def test_a_folder_goes_with_what_nobody_may_enter(tmp_path):
    (tmp_path / "run/a/b").mkdir(parents=True)
    (tmp_path / "run/a/file").write_text("x")
    (tmp_path / "kept").mkdir()
    (tmp_path / "kept/file").touch()
    (tmp_path / "run/link").symlink_to(tmp_path / "kept")
    (tmp_path / "run/a").chmod(0)

    files.remove(str(tmp_path / "run"))

    assert [each.name for each in tmp_path.iterdir()] == ["kept"]
    assert (tmp_path / "kept/file").exists()


@pytest.mark.parametrize(
    ("token", "size", "answer"),
    [
        ("wrong", "900000000", b"401"),
        ("ü", "900000000", b"401"),
        ("right", "900000000", b"413"),
        ("right", "-1", b"413"),
        ("right", "many", b"413"),
    ],
)
def test_nothing_is_read_of_who_does_not_know_the_token_or_says_too_much(
    tmp_path, token, size, answer
):
    class Handler(files._Handler):
        volume, token = Volume(str(tmp_path)), "right"

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        with socket.create_connection(server.server_address, timeout=10) as client:
            head = f"POST /listing HTTP/1.1\r\n{files.TOKEN_HEADER}: {token}\r\n"
            client.sendall(f"{head}Content-Length: {size}\r\n\r\n".encode())
            told = client.makefile("rb").read()
        server.shutdown()

    assert told.split()[1] == answer


@pytest.mark.parametrize("name", ["1-0-0", "a"])
def test_a_run_is_forgotten_whatever_its_folders_are_called(tmp_path, name):
    (tmp_path / "run" / name / name / "inner").mkdir(parents=True)
    (tmp_path / "run" / name / "file").touch()

    files.remove(str(tmp_path / "run"))

    assert not (tmp_path / "run").exists()
