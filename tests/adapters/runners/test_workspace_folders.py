"""Workspaces that are forgotten."""

from crossfade.adapters.runners.workspace_folders import WorkspaceFolders


async def test_the_lists_of_what_a_workspace_had_go_with_it(tmp_path):
    (tmp_path / "7/volume").mkdir(parents=True)
    (tmp_path / "7/pods").mkdir()
    (tmp_path / "7/pods/agreed-1.json").write_text("{}")
    (tmp_path / "7/pods/home.json").write_text("{}")

    assert await WorkspaceFolders(tmp_path).forget("7")

    assert [each.name for each in (tmp_path / "7").rglob("*.json")] == ["home.json"]
