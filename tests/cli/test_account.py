"""`crossfade account`: who may sign in."""

import io


def test_an_account_is_made_changed_and_disabled(crossfade):
    made = crossfade("account", "add", "ann", "--role", "viewer", "--role", "releaser:colors")
    assert "its password is " in made.out
    crossfade("account", "add", "bob", "--role", "admin")
    crossfade("account", "grant", "ann", "--role", "admin")
    crossfade("account", "disable", "ann")
    found, _ = crossfade("account", "list", "-o", "json").data["accounts"]

    assert (found["name"], found["roles"], found["disabled"]) == ("ann", ["admin"], True)
    assert crossfade("account", "enable", "ann").out == "account ann is enabled\n"
    assert "ann   active  admin" in crossfade("account", "list").out


def test_a_password_that_is_given_is_not_printed(crossfade, monkeypatch):
    monkeypatch.setattr("sys.stdin", io.StringIO("a long enough password\n"))
    made = crossfade("account", "add", "ann", "--role", "viewer", "--password-stdin")
    assert made.out == "account ann is made\n"
    other = crossfade("account", "password", "ann", "-o", "json").data
    assert len(other["password"]) == 20


def test_what_is_wrong_is_said(crossfade):
    assert "`king` is no role" in crossfade("account", "add", "ann", "--role", "king").err
    assert crossfade("account", "disable", "ann").code == 3
    crossfade("account", "add", "ann", "--role", "admin")
    last = crossfade("account", "disable", "ann")
    assert (last.code, "nobody would be left" in last.err) == (4, True)
