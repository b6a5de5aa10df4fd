"""Workspaces that are forgotten."""

import os

from crossfade.adapters.runners.workspace_folders import WorkspaceFolders


async def test_the_lists_of_what_a_workspace_had_go_with_it(tmp_path):
    (tmp_path / "7/volume").mkdir(parents=True)
    (tmp_path / "7/pods").mkdir()
    (tmp_path / "7/pods/agreed-1.json").write_text("{}")
    (tmp_path / "7/pods/home.json").write_text("{}")

    assert await WorkspaceFolders(tmp_path).forget("7")

    assert [each.name for each in (tmp_path / "7").rglob("*.json")] == ["home.json"]


async def test_a_workspace_deeper_than_functions_may_call_each_other_is_counted_and_goes(tmp_path):
    (tmp_path / "7/volume").mkdir(parents=True)
    here = os.open(tmp_path / "7/volume", os.O_RDONLY)
    for _ in range(3000):
        os.mkdir("a", dir_fd=here)
        below = os.open("a", os.O_RDONLY, dir_fd=here)
        os.close(here)
        here = below
    os.close(here)
    (tmp_path / "7/volume/a/file").write_text("four")
    folders = WorkspaceFolders(tmp_path)

    assert await folders.size("7") == 4
    assert await folders.forget("7")

    assert not (tmp_path / "7/volume").exists()
