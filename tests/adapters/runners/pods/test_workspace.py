"""The workspace of a build, here and on its claim: afterwards both have the same."""

import json
import os
import threading
from contextlib import suppress
from pathlib import Path

import pytest

from crossfade.adapters.runners.pods import files as server
from crossfade.adapters.runners.pods import workspace as module
from crossfade.adapters.runners.pods.files import Volume
from crossfade.adapters.runners.pods.workspace import Workspace
from crossfade.base.errors import Unavailable


class Claim:
    """A server of files that may stop to answer."""

    def __init__(self, root):
        self.place, self.volume, self.left = root / "volume", Volume(str(root)), 1000

    async def ask(self, path, question, data):
        self.left -= 1
        if self.left < 0:
            raise Unavailable("it does not answer", hint="try again")
        return self.volume.answer(path, json.dumps(question).encode() + b"\n" + data)


@pytest.fixture
def claim(tmp_path):
    (tmp_path / "claim").mkdir()
    return Claim(tmp_path / "claim")


@pytest.fixture
def here(tmp_path):
    return tmp_path / "here"


@pytest.fixture
def workspace(claim, here, tmp_path):
    return Workspace(here, tmp_path / "agreed.json", claim.ask)


def files(root):
    found = {}
    for folder, names, leaves in os.walk(root):
        for name in (*names, *leaves):
            path = os.path.join(folder, name)
            place = os.path.relpath(path, root)
            if os.path.islink(path):
                found[place] = ("link", os.readlink(path))
            elif os.path.isfile(path):
                found[place] = (os.stat(path).st_mode, Path(path).read_bytes())
            else:
                found[place] = ("folder",)
    return found


async def test_what_changes_on_either_side_comes_to_the_other(workspace, claim, here):
    (here / "source").write_text("mine")
    (here / "run.sh").write_text("#!/bin/sh")
    (here / "run.sh").chmod(0o755)
    await workspace.sync()
    (claim.place / "made/deep").mkdir(parents=True)
    (claim.place / "made/deep/file").write_bytes(b"\0theirs")
    (claim.place / "made/link").symlink_to("deep/file")
    (claim.place / "source").unlink()
    await workspace.sync()
    (here / "made/deep/file").write_text("mine again")
    await workspace.sync()

    assert files(here) == files(claim.place)
    assert (here / "made/deep/file").read_text() == "mine again"
    assert not (here / "source").exists()
    assert os.access(claim.place / "run.sh", os.X_OK)


async def test_files_that_are_larger_than_a_request_come_whole(workspace, claim, here, monkeypatch):
    monkeypatch.setattr(module, "PIECE_BYTES", 10)
    (here / "large").write_bytes(bytes(range(256)))
    (claim.place / "other").write_bytes(bytes(range(255, -1, -1)))
    (claim.place / "empty").touch()

    await workspace.sync()

    assert files(here) == files(claim.place)
    assert (here / "other").read_bytes() == bytes(range(255, -1, -1))


async def test_what_both_sides_have_changed_is_taken_from_the_claim(workspace, claim, here):
    (here / "file").write_text("old")
    await workspace.sync()
    (here / "file").write_text("mine")
    (claim.place / "file").write_text("theirs")

    await workspace.sync()

    assert (here / "file").read_text() == "theirs"


async def test_a_file_may_become_a_folder_and_a_folder_a_link(workspace, claim, here):
    (here / "one").write_text("file")
    (here / "two").mkdir()
    await workspace.sync()
    (claim.place / "one").unlink()
    (claim.place / "one").mkdir()
    (claim.place / "one/inner").write_text("x")
    (claim.place / "two").rmdir()
    (claim.place / "two").symlink_to("one")

    await workspace.sync()

    assert files(here) == files(claim.place)


@pytest.mark.parametrize("answers", range(6))
async def test_a_sync_that_breaks_off_loses_nothing(workspace, claim, here, answers):
    (here / "first").write_text("mine")
    await workspace.sync()
    (here / "first").write_text("changed")
    (here / "mine").write_text("m" * 100)
    (claim.place / "theirs").write_text("t" * 100)
    claim.left = answers
    with suppress(Unavailable):
        await workspace.sync()
    claim.left = 1000

    await workspace.sync()

    assert files(here) == files(claim.place)
    assert (claim.place / "first").read_text() == "changed"
    assert set(files(here)) == {"first", "mine", "theirs"}


async def test_a_new_claim_gets_all_that_our_copy_has(workspace, here, tmp_path):
    (here / "kept").write_text("mine")
    await workspace.sync()
    (tmp_path / "elsewhere").mkdir()
    other = Claim(tmp_path / "elsewhere")

    await Workspace(here, tmp_path / "agreed-2.json", other.ask).sync()

    assert (other.place / "kept").read_text() == "mine"


async def test_what_an_older_server_lists_in_one_piece_is_read_too(
    workspace, claim, here, monkeypatch
):
    (claim.place / "file").write_text("x")
    monkeypatch.setattr(server, "written", json.dumps)

    await workspace.sync()

    assert (here / "file").read_text() == "x"


async def test_looking_at_many_files_does_not_hold_up_what_else_there_is_to_do(
    workspace, claim, monkeypatch
):
    found = module._differences

    def differences(*sides):
        assert threading.current_thread() is not threading.main_thread()
        return found(*sides)

    monkeypatch.setattr(module, "_differences", differences)
    (claim.place / "file").write_text("x")

    await workspace.sync()
