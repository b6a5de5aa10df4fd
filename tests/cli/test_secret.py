"""`crossfade secret`: set from standard input, never shown, used by the hub."""

import io
import sqlite3

import pytest


@pytest.fixture
def typed(monkeypatch):
    def give(data):
        stdin = io.TextIOWrapper(io.BytesIO(data))
        monkeypatch.setattr("sys.stdin", stdin)

    return give


def test_a_secret_is_kept_listed_and_removed_and_its_value_is_nowhere(crossfade, typed, tmp_path):
    typed(b"hunter2-hunter2\n")
    assert crossfade("secret", "set", "slack-url").out == "secret slack-url is set\n"
    listed = crossfade("secret", "list", "-o", "json")

    assert [each["name"] for each in listed.data["secrets"]] == ["slack-url"]
    assert "hunter2" not in listed.out + crossfade("secret", "list").out
    assert b"hunter2" not in (tmp_path / "state/crossfade.db").read_bytes()
    with sqlite3.connect(tmp_path / "state/crossfade.db") as store:
        assert "hunter2" not in str(store.execute("select * from documents").fetchall())
    store.close()
    assert crossfade("secret", "rm", "slack-url").code == 0
    assert "has no secrets" in crossfade("secret", "list").err
    assert crossfade("secret", "rm", "slack-url").code == 3


def test_what_is_set_is_what_the_hub_finds(crossfade, typed, tmp_path, monkeypatch):
    import asyncio

    from crossfade.base.secrets import SecretRef
    from crossfade.settings import load
    from crossfade.wiring import _secrets, session

    typed(b"from-the-store")
    crossfade("secret", "set", "slack-url")

    async def found():
        async with session(load()) as opened:
            places = _secrets(opened.settings, opened.connections, opened.store)
            return (await places.resolve(SecretRef("slack-url"))).reveal()

    assert asyncio.run(found()) == "from-the-store"
    monkeypatch.setenv("CROSSFADE_SECRET_SLACK_URL", "from-the-environment")
    assert asyncio.run(found()) == "from-the-environment"


def test_a_key_is_rotated_with_all_secrets(crossfade, typed):
    for name in ("a", "b"):
        typed(b"x")
        crossfade("secret", "set", name)
    done = crossfade("secret", "rotate-key", "-o", "json").data

    assert done["sealed_again"] == 2
    keys = {each["key"] for each in crossfade("secret", "list", "-o", "json").data["secrets"]}
    assert keys == {done["key"]}


@pytest.mark.parametrize(
    ("name", "data", "said"),
    [
        ("a", b"", "a secret of 0 bytes is not kept"),
        ("../a", b"x", "is not the name of a secret"),
        ("a", b"\xff\xfe", "standard input is no text"),
        ("a", b"x" * 70_000, "is not kept"),
    ],
)
def test_what_cannot_be_kept_is_refused(crossfade, typed, name, data, said):
    typed(data)
    ran = crossfade("secret", "set", name)

    assert ran.code == 2
    assert said in ran.err
    assert "hint:" in ran.err
