"""Commands given to a hub over HTTP do and print what they do on the hub's own machine."""

import io
import json
import stat
from dataclasses import replace

import httpx
import pytest

from crossfade.base.secrets import Secret
from crossfade.engine.guesses import FAILURES
from crossfade.settings import load

LOOKS = [
    ("fleet", "list"),
    ("rollout", "list"),
    ("rollout", "list", "colors"),
    ("rollout", "why", "colors"),
    ("rollout", "why", "colors", "--replay"),
    ("failover", "status"),
    ("failover", "why", "aws"),
    ("rollout", "list", "nothing"),
    ("fleet", "drain", "nothing", "--dry-run"),
    ("rollout", "why", "colors", "--number", "9"),
    ("rollout", "resume", "colors"),
]


@pytest.fixture
def rolling(signed_in, world):
    """A rollout of `colors` is under way at the hub where one is signed in."""
    world.deploy(colour="blue")
    world.begin(colour="yellow")
    world.turn_until(lambda each: each.state.percent > 0)
    return signed_in


def known(data):
    """Leave out what is not told over HTTP: where credentials of clusters are."""
    for each in data.get("clusters", ()) if isinstance(data, dict) else ():
        if "cluster" in each and isinstance(each["cluster"], dict):
            each["cluster"] |= {"context": "", "kubeconfig": ""}
    return data


def test_whoever_looks_sees_the_same_over_http(rolling, crossfade):
    for command in LOOKS:
        here, there = crossfade(*command, "--hub", "local"), crossfade(*command)

        assert (there.code, there.out) == (here.code, here.out), command
        plain = (each.partition("\n")[0] for each in (there.err, here.err))
        assert len({each.split("(")[0] for each in plain}) == 1, (command, there.err, here.err)
        if here.code == 0:
            here = crossfade(*command, "--hub", "local", "-o", "json").data
            assert known(crossfade(*command, "-o", "json").data) == known(here), command


def test_commands_over_http_are_carried_out_there_by_who_is_signed_in(rolling, crossfade):
    paused = crossfade("rollout", "pause", "colors", "-o", "json")
    aborted = crossfade("rollout", "abort", "colors", "--why", "too slow")

    assert paused.data["paused"] is True
    assert aborted.code == 0, aborted.err
    log = crossfade("audit", "list", "--hub", "local", "-o", "json").data["entries"]
    assert [each["who"] for each in log[-2:]] == ["ann", "ann"]
    assert "aborted by a person: too slow" in str(log[-1])
    assert log[-1]["via"].startswith("token ")


def test_the_fleet_is_changed_over_http(rolling, crossfade):
    drained = crossfade("fleet", "drain", "aws", "--yes", "--wait", "0", "-o", "json")
    assert drained.data["drained"] == "aws"
    assert "drained" in crossfade("failover", "status", "--hub", "local").out
    assert crossfade("fleet", "restore", "aws").code == 0
    assert crossfade("fleet", "remove", "aws").code == 0
    assert "aws" not in crossfade("fleet", "list", "--hub", "local").out


def test_a_file_is_applied_over_http_with_its_folder(signed_in, crossfade, tmp_path):
    (tmp_path / "chart").mkdir()
    (tmp_path / "chart/Chart.yaml").write_text("name: shapes\nversion: 1.0.0\n")
    text = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {name: shapes}
spec: {source: {chart: chart}, route: {host: shapes.example.com, service: shapes}}
"""
    (tmp_path / "a.yaml").write_text(text)
    file = ("-f", str(tmp_path / "a.yaml"))

    assert crossfade("apply", *file, "--dry-run").out == "application shapes created (dry run)\n"
    assert crossfade("apply", *file).out == "application shapes created\n"
    assert crossfade("apply", *file).out == "application shapes unchanged\n"
    assert crossfade("apply", *file, "--hub", "local").out == "application shapes unchanged\n"


def test_a_deployment_over_http_ends_as_it_does_here(rolling, crossfade):
    there = crossfade("deploy", "colors", "--set", "colour=red")
    here = crossfade("deploy", "colors", "--set", "colour=red", "--hub", "local")
    again = crossfade("deploy", "colors", "--set", "colour=red")

    assert there.out.startswith("rollout colors.3 to ")
    assert (here.code, again.code) == (5, 5), "the revision is on its way already"
    assert here.err == again.err


def test_a_deployment_with_a_key_is_started_once_over_http(rolling, crossfade):
    command = ("deploy", "colors", "--set", "colour=red", "--once", "k", "-o", "json")
    numbers = [crossfade(*command).data["number"] for _ in range(2)]

    assert numbers == [3, 3]


def test_the_token_is_kept_for_its_owner_only_and_revoked_at_the_end(signed_in, crossfade):
    file = load().logins_file
    kept = json.loads(file.read_text())["hubs"][signed_in.url]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert kept["token"].startswith("cfd_")
    assert signed_in.password.reveal() not in file.read_text()
    assert crossfade("logout").code == 0
    assert crossfade("logout").code == 3
    from crossfade.remote.logins import Login, Logins

    revoked = Login(signed_in.url, "ann", Secret(kept["token"]), kept["token_id"])
    Logins(file).keep(revoked)
    ran = crossfade("fleet", "list")
    assert ran.code == 8
    assert "revoked" in ran.err


def test_who_has_a_token_signs_in_anew_whatever_others_guess(signed_in, crossfade, monkeypatch):
    body = {"name": "ann", "password": "guess"}
    for _ in range(FAILURES):
        assert httpx.post(f"{signed_in.url}/api/v1/session", json=body).status_code == 401
    assert httpx.post(f"{signed_in.url}/api/v1/session", json=body).status_code == 429
    monkeypatch.setattr("sys.stdin", io.StringIO("correct horse battery\n"))

    assert crossfade("login", signed_in.url, "--name", "ann", "--password-stdin").code == 0


def test_a_token_of_the_page_signs_in_too(signed_in, crossfade, monkeypatch):
    token = json.loads(load().logins_file.read_text())["hubs"][signed_in.url]["token"]
    load().logins_file.unlink()
    monkeypatch.setattr("sys.stdin", io.StringIO(f"{token}\n"))
    assert "as ann" in crossfade("login", signed_in.url, "--token-stdin").out
    assert crossfade("fleet", "list").code == 0


def test_who_is_not_let_in_is_told_why(hub, crossfade, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("wrong\n"))
    ran = crossfade("login", hub.url, "--password-stdin")
    assert (ran.code, "name or password is wrong" in ran.err) == (8, True)
    assert not load().logins_file.exists()
    assert "cannot be trusted" in crossfade("login", "http://hub.example.com").err
    assert "nobody can be asked" in crossfade("login", hub.url).err
    assert (
        "standard input is one"
        in crossfade("login", hub.url, "--password-stdin", "--token-stdin").err
    )


def test_a_hub_that_is_away_is_named_and_nothing_is_done_here_instead(signed_in, crossfade):
    signed_in.end()
    ran = crossfade("fleet", "list")

    assert ran.code == 6
    assert f"the hub at {signed_in.url} does not answer" in ran.err
    assert ran.out == ""
    out = crossfade("logout")
    assert (out.code, "not revoked" in out.err) == (0, True)
    assert crossfade("fleet", "list").code == 0


def test_the_hub_can_be_chosen_for_one_command(signed_in, crossfade, monkeypatch):
    ran = crossfade("fleet", "list", "--hub", "http://127.0.0.1:9")
    assert (ran.code, "you are not signed in at http://127.0.0.1:9" in ran.err) == (8, True)
    monkeypatch.setenv("CROSSFADE_HUB", "local")
    assert crossfade("audit", "list").code == 0
    here = crossfade("edge", "list")
    there = crossfade("edge", "list", "--hub", signed_in.url)
    assert (here.out, there.out) == ("no edge is connected\n", "no edge is connected\n")


def test_a_file_of_sign_ins_that_cannot_be_read_is_named(crossfade, tmp_path):
    settings = replace(load(), state_dir=tmp_path / "state")
    settings.state_dir.mkdir()
    settings.logins_file.write_text("{")
    ran = crossfade("fleet", "list")
    assert (ran.code, "file of sign-ins" in ran.err) == (2, True)
