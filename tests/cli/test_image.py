"""`crossfade image`"""

import pytest


@pytest.fixture
def context(tmp_path):
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nARG V=1\nLABEL v=$V\nCOPY a.txt /\n")
    (folder / "a.txt").write_text("a")
    return str(folder)


def test_an_image_is_built_listed_renamed_and_removed(crossfade, context):
    built = crossfade("image", "build", context, "-t", "colors:1", "-o", "json")
    assert built.data["names"] == ["colors:1"]
    assert (built.data["layers"], built.data["layersMade"], built.data["unchanged"]) == (
        1,
        1,
        False,
    )

    again = crossfade("image", "build", context, "-t", "colors:1")
    assert again.out == f"colors:1 is unchanged: {built.data['digest']}\n"

    assert crossfade("image", "tag", "colors:1", "colors:latest").code == 0
    assert [each["name"] for each in crossfade("image", "list", "-o", "json").data] == [
        "colors:1",
        "colors:latest",
    ]
    assert crossfade("image", "rm", "colors:1", "colors").code == 0
    assert crossfade("image", "list", "-o", "json").data == []
    assert crossfade("image", "prune", "-o", "json").data["files"] == 3
    assert crossfade("image", "build", context, "-o", "json").data["digest"] == built.data["digest"]


def test_build_arguments_make_another_image(crossfade, context, monkeypatch):
    monkeypatch.setenv("V", "3")
    digests = [
        crossfade("image", "build", context, "-o", "json", *more).data["digest"]
        for more in ([], ["--build-arg", "V=2"], ["--build-arg", "V"])
    ]
    assert len(set(digests)) == 3


def test_people_are_told_of_a_build_argument_that_nobody_asks_for(crossfade, context):
    ran = crossfade("image", "build", context, "--build-arg", "VERSOIN=2")
    assert "no ARG asks for the build argument VERSOIN" in ran.err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["build", "/nowhere"], 2, "the build context is no folder"),
        (["build", "CONTEXT", "-f", "/nowhere"], 3, "there is no Dockerfile"),
        (["build", "CONTEXT", "-t", "Colors"], 2, "is not the name of an image"),
        (["build", "CONTEXT", "--build-arg", "=x"], 2, "has no name"),
        (["build", "CONTEXT", "--target", "nope"], 2, "there is no stage nope"),
        (["tag", "nope:1", "yes:1"], 3, "there is no image nope:1"),
        (["rm", "nope"], 3, "there is no image nope:latest"),
    ],
)
def test_what_is_wrong_is_said_with_a_hint(crossfade, context, arguments, code, said):
    ran = crossfade("image", *(context if each == "CONTEXT" else each for each in arguments))
    assert ran.code == code
    assert said in ran.err
    assert "hint:" in ran.err


def test_a_date_that_is_none_is_refused(crossfade, context, monkeypatch):
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "yesterday")
    assert "SOURCE_DATE_EPOCH is 'yesterday'" in crossfade("image", "build", context).err


def test_the_time_of_files_can_be_given(crossfade, context, monkeypatch):
    first = crossfade("image", "build", context, "-o", "json").data["digest"]
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    assert crossfade("image", "build", context, "-o", "json").data["digest"] != first
