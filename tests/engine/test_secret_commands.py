"""Secrets are kept sealed, rotated whole, and every change is told without its value."""

import pytest

from crossfade.adapters.secrets.sealing import KeyRing
from crossfade.base.errors import InputError, NotFound
from crossfade.base.secrets import Secret, SecretRef
from crossfade.engine.audit import AuditedDocuments, AuditLog
from crossfade.engine.secret_commands import SecretCommands
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_store import FakeStore

VALUE = Secret("very-secret")


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def commands(store, tmp_path):
    clock = FakeClock()
    documents = AuditedDocuments(store, "ann", "cli", clock)
    return SecretCommands(documents, KeyRing(tmp_path / "key", "KEY", ""), clock)


async def value_of(commands, name):
    from crossfade.adapters.secrets.sealed import SealedSecrets

    return await SealedSecrets(commands.documents, commands.sealing).resolve(SecretRef(name))


async def test_a_value_is_found_by_who_needs_it_and_by_nobody_in_the_store(commands, store):
    assert await commands.set("slack-url", VALUE) is False
    assert await commands.set("slack-url", VALUE) is True

    assert await value_of(commands, "slack-url") == VALUE
    everything = str(store.__dict__)
    assert VALUE.reveal() not in everything
    assert [each.name for each in await commands.all()] == ["slack-url"]


async def test_every_change_is_in_the_audit_log(commands, store):
    await commands.set("a", VALUE)
    await commands.rotate()
    await commands.remove("a")
    done = [each.deed.what[0] async for each in AuditLog(store).entries()]

    rotated = done.pop(1)
    assert rotated.startswith("secret-key/")
    assert rotated.endswith(": seals from now on")
    assert done == [
        "secret/a: set",
        "secret/a: sealed again with another key",
        "secret/a: removed",
    ]


async def test_a_rotation_loses_nothing_and_leaves_nothing_to_the_old_key(commands):
    for name in "abc":
        await commands.set(name, Secret(f"value of {name}"))
    before = {each.name: each for each in await commands.all()}
    done = await commands.rotate()
    after = await commands.all()

    assert done.sealed_again == 3
    assert {each.key for each in after} == {done.key} != {before["a"].key}
    assert [each.at for each in after] == [each.at for each in before.values()]
    for name in "abc":
        assert (await value_of(commands, name)).reveal() == f"value of {name}"


async def test_a_rotation_that_was_cut_off_is_finished_by_the_next_one(commands):
    await commands.set("a", VALUE)
    commands.sealing.rotate()  # and the process is killed
    await commands.set("b", VALUE)
    done = await commands.seal_again()

    assert done.sealed_again == 1
    assert (await commands.seal_again()).sealed_again == 0
    assert await value_of(commands, "a") == VALUE


@pytest.mark.parametrize("name", ["", "../up", ".hidden", "a/b", "a b", "x" * 254])
async def test_a_name_that_is_none_is_refused(commands, name):
    with pytest.raises(InputError, match="is not the name of a secret"):
        await commands.set(name, VALUE)


async def test_a_secret_that_is_not_there_is_not_removed(commands):
    with pytest.raises(NotFound):
        await commands.remove("a")
