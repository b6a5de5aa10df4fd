"""What steps have left is found without following links without end, or out of the workspace."""

import os
import subprocess

import pytest

from crossfade.adapters.runners.workspace_files import NoFile, matching, open_inside


@pytest.fixture
def volume(tmp_path):
    for name in ("a/one.xml", "a/b/two.xml", "a/b/three.txt", ".hidden/four.xml", "five.xml"):
        path = tmp_path / "volume" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(name)
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside/secret.xml").write_text("secret")
    return tmp_path / "volume"


def found(volume, pattern):
    return sorted(os.path.relpath(each, volume) for each in matching(volume, volume, pattern))


@pytest.mark.parametrize(
    ("pattern", "wanted"),
    [
        ("five.xml", ["five.xml"]),
        ("*.xml", ["five.xml"]),
        ("**/*.xml", [".hidden/four.xml", "a/b/two.xml", "a/one.xml", "five.xml"]),
        ("a/**/t*", ["a/b/three.txt", "a/b/two.xml"]),
        ("a/**", ["a", "a/b", "a/b/three.txt", "a/b/two.xml", "a/one.xml"]),
        ("./a//b/[!x]wo.???", ["a/b/two.xml"]),
        ("*/b", ["a/b"]),
        ("nothing/*", []),
        ("five.xml/*", []),
    ],
)
def test_a_pattern_finds_what_it_names(volume, pattern, wanted):
    assert found(volume, pattern) == wanted


def test_links_in_circles_are_not_followed_without_end(volume):
    for name in ("x", "y", "a/x", "a/y"):
        (volume / name).symlink_to(volume)

    assert len(found(volume, "**/*.xml")) == 4
    assert "x/five.xml" in found(volume, "*/*.xml")
    assert found(volume, "x/a/*.xml") == ["x/a/one.xml"]


@pytest.mark.parametrize("pattern", ["out/*.xml", "*/secret.xml", "*/**", "o*/**/*.xml"])
def test_nothing_is_looked_for_behind_a_link_out_of_the_workspace(volume, tmp_path, pattern):
    (volume / "out").symlink_to(tmp_path / "outside")

    assert not [each for each in found(volume, pattern) if "secret" in each]


@pytest.mark.parametrize(
    "planted",
    ["ln -s {outside}/secret.xml {file}", "mkfifo {file}", "mkdir {file}", "true {file}"],
)
def test_what_has_become_something_else_meanwhile_is_not_read(volume, tmp_path, planted):
    command = planted.format(outside=tmp_path / "outside", file=volume / "late")
    subprocess.run(command.split(), check=True)

    with pytest.raises(NoFile, match="cannot be read"):
        open_inside(volume, volume / "late")


def test_a_file_behind_a_folder_that_has_become_a_link_is_not_read(volume, tmp_path):
    (volume / "late").symlink_to(tmp_path / "outside")

    with pytest.raises(NoFile, match="not in the workspace"):
        open_inside(volume, volume / "late/secret.xml")
