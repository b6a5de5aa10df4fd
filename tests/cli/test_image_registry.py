"""`crossfade image registry`, and pushing by the names of registries."""

import io
from pathlib import Path

import pytest

from crossfade.testing.registry_server import PASSWORD, USER, missing, registry_server


@pytest.fixture
def typed(monkeypatch):
    """Type a password on standard input."""
    return lambda text: monkeypatch.setattr("sys.stdin", io.StringIO(text))


def test_a_registry_is_made_known_listed_and_forgotten(crossfade, typed, tmp_path):
    typed("pass-1\n")
    add = ["image", "registry", "add"]
    added = crossfade(*add, "prod", "r.example.com/team", "--username", "u", "--password-stdin")
    assert added.out == "prod is known: r.example.com/team\n"
    crossfade(*add, "other", "o.example.com", "--default")

    listed = crossfade("image", "registry", "list")
    rows = [line.split() for line in listed.out.splitlines()]
    assert rows[1:] == [
        ["other", "o.example.com", "-", "yes"],
        ["prod", "r.example.com/team", "u", "no"],
    ]
    secret = tmp_path / "state/secrets/registry-prod"
    assert (secret.read_text(), secret.stat().st_mode & 0o777) == ("pass-1", 0o600)
    assert "pass-1" not in Path(tmp_path, "state/registries.json").read_text()

    assert crossfade("image", "registry", "rm", "prod").code == 0
    assert crossfade("image", "registry", "rm", "prod").code == 3


def test_a_user_without_a_password_is_told_where_it_is_looked_for(crossfade, source_image):
    added = crossfade("image", "registry", "add", "prod", "r.example.com", "--username", "u")
    assert "its password is the secret registry-prod" in added.err

    ran = crossfade("image", "push", "app:1")
    assert ran.code == 3
    assert "the registry prod has no password" in ran.err
    assert "CROSSFADE_SECRET_REGISTRY_PROD" in ran.err


@pytest.fixture
def source_image(crossfade, tmp_path):
    folder = tmp_path / "context"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nCOPY a.txt /\n")
    (folder / "a.txt").write_text("a")
    assert crossfade("image", "build", str(folder), "-t", "app:1").code == 0
    return str(folder)


@pytest.fixture
def known(crossfade, tmp_path, typed, source_image):
    (tmp_path / "registry").mkdir()
    with registry_server(tmp_path / "registry", login=True) as address:
        typed(PASSWORD)
        add = ["image", "registry", "add", "prod", f"{address}/team"]
        assert crossfade(*add, "--username", USER, "--password-stdin").code == 0
        yield f"{address}/team"


@pytest.mark.skipif(bool(missing()), reason=missing())
def test_images_go_to_known_registries_and_come_from_them(crossfade, known, source_image):
    pushed = crossfade("image", "push", "app:1", "-o", "json")
    assert pushed.data["names"] == [f"{known}/app:1"]
    assert "is there already" in crossfade("image", "push", "app:1").err

    tagged = crossfade("image", "push-tag", "app:1", "2", "stable", "-o", "json")
    assert tagged.data["digest"] == pushed.data["digest"]
    crossfade("image", "rm", "app:1", f"{known}/app:1")
    assert crossfade("image", "pull", f"{known}/app:2").code == 0

    other = crossfade("image", "push", f"{known}/app:stable", "--as", "moved:1", "-o", "json")
    assert other.data["names"] == [f"{known}/moved:1"]

    built = crossfade("image", "build", source_image, "-t", "new:1", "--push", "-o", "json")
    assert built.data["pushed"] == [f"{known}/new:1"]


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["build", "CONTEXT", "-t", "a:1", "--push"], 2, "no registry is known to push to"),
        (["build", "CONTEXT", "--push"], 2, "without a name cannot be pushed"),
        (["build", "CONTEXT", "-t", "a", "--registry", "nope"], 3, "nope is not known"),
        (["build", "CONTEXT", "--registry-context", "nope"], 3, "nope is not known"),
        (["build", "CONTEXT", "--platform", "plan9/vax"], 2, "--platform is plan9/vax"),
        (["build", "CONTEXT", "--build-arg-file", "/nowhere"], 2, "--build-arg-file"),
        (["build", "CONTEXT", "--export-file", "/nowhere/x"], 2, "--export-file"),
        (["push", "app:1"], 2, "app:1 names no registry"),
        (["push", "app:1", "--registry", "nope"], 3, "nope is not known"),
        (["push-tag", "app:1", "2"], 2, "app:1 names no registry"),
        (["push-tag", "127.0.0.1:9/app:1", "a b"], 2, "has a tag that is none"),
        (["registry", "add", "x", "nowhere"], 2, "is no address of a registry"),
        (["registry", "add", "x", "http://127.0.0.1:5000"], 2, "leave `http://` out"),
    ],
)
def test_what_is_wrong_is_said_with_a_hint(crossfade, source_image, arguments, code, said):
    given = (source_image if each == "CONTEXT" else each for each in arguments)
    ran = crossfade("image", *given)

    assert ran.code == code, ran.err
    assert said in ran.err
    assert "hint:" in ran.err


def test_a_damaged_file_of_registries_is_no_riddle(crossfade, tmp_path):
    (tmp_path / "state").mkdir()
    (tmp_path / "state/registries.json").write_text("{")

    ran = crossfade("image", "registry", "list")

    assert ran.code == 2
    assert "registries.json" in ran.err


def test_build_arguments_and_dockerfiles_can_be_read_from_files(crossfade, source_image, tmp_path):
    (tmp_path / "args").write_text("# none\nA=1\n")
    (tmp_path / "Dockerfile").write_text("FROM scratch\nARG A\nLABEL a=$A\n")
    build = ["image", "build", source_image, "-f", str(tmp_path / "Dockerfile"), "-o", "json"]

    by_lines = crossfade(*build, "--build-arg-file", str(tmp_path / "args"))
    (tmp_path / "args").write_text('{"A": "1"}')
    by_json = crossfade(*build, "--build-arg-file", str(tmp_path / "args"))

    assert by_lines.data["digest"] == by_json.data["digest"]
    assert by_lines.data["digest"] != crossfade(*build).data["digest"]
