"""Workspaces of builds: how large they are, and that they go whole or not at all."""

import fcntl
import os

import pytest

from crossfade.adapters.runners.workspace_folders import WorkspaceFolders


@pytest.fixture
def folder(tmp_path):
    for name in ("volume/a/b", "home", "runs/0-a-1", "logs", "kept"):
        (tmp_path / "7" / name).mkdir(parents=True)
    (tmp_path / "7/volume/a/b/file").write_bytes(b"12345")
    (tmp_path / "7/home/.npmrc").write_bytes(b"123")
    (tmp_path / "7/logs/a.log").write_text("what it printed")
    (tmp_path / "8/volume").mkdir(parents=True)
    return tmp_path / "7"


@pytest.fixture
def workspaces(folder):
    return WorkspaceFolders(folder.parent)


async def test_a_workspace_is_as_large_as_what_steps_have_left(workspaces, folder):
    (folder / "volume/link").symlink_to("/usr")

    assert await workspaces.size("7") == 8
    assert await workspaces.size("9") == 0


async def test_a_forgotten_workspace_leaves_logs_and_other_builds(workspaces, folder):
    (folder / "volume/a").chmod(0o500)

    assert await workspaces.forget("7")
    assert await workspaces.forget("7"), "it may be repeated"

    assert sorted(each.name for each in folder.iterdir()) == ["kept", "logs"]
    assert (folder.parent / "8/volume").is_dir()
    assert await workspaces.size("7") == 0


async def test_a_workspace_in_which_something_runs_stays_whole(workspaces, folder):
    lock = os.open(folder / "runs/0-a-1/lock", os.O_CREAT | os.O_RDWR)
    fcntl.flock(lock, fcntl.LOCK_EX)
    try:
        assert not await workspaces.forget("7")
        assert await workspaces.size("7") == 8
    finally:
        os.close(lock)


async def test_a_workspace_is_handed_on_whole_and_once(workspaces, folder):
    assert await workspaces.holds("7")
    await workspaces.hand_on("7", "9")
    await workspaces.hand_on("7", "9")

    assert (folder.parent / "9/volume/a/b/file").read_bytes() == b"12345"
    assert not await workspaces.holds("7")
    assert not await workspaces.holds("6")


async def test_a_workspace_in_which_something_runs_is_not_to_be_handed_on(workspaces, folder):
    with (folder / "runs/0-a-1/lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        assert not await workspaces.holds("7")


async def test_nothing_goes_through_a_link(workspaces, folder, tmp_path):
    (tmp_path / "precious").mkdir()
    (tmp_path / "precious/file").write_text("x")
    (folder / "volume/link").symlink_to(tmp_path / "precious")

    await workspaces.forget("7")

    assert (tmp_path / "precious/file").exists()
