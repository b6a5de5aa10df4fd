"""Shared configurations are kept, sealed where they are secret, and read by builds."""

import pytest

from crossfade.adapters.secrets.sealing import KeyRing
from crossfade.base.errors import Conflict, Denied, InputError, NotFound
from crossfade.core.pipeline.shared_configuration import SharedKind
from crossfade.engine.audit import AuditedDocuments, AuditLog
from crossfade.engine.pipelines.records import Builds, Registered
from crossfade.engine.pipelines.shared_configurations import SharedConfigurations
from crossfade.engine.pipelines.starting import Registry
from crossfade.engine.secret_commands import SecretCommands
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_store import FakeStore

CONFIG, SECRET = SharedKind.CONFIG, SharedKind.SECRET


@pytest.fixture
def store():
    return FakeStore()


@pytest.fixture
def keys(tmp_path):
    return KeyRing(tmp_path / "key", "KEY", "")


@pytest.fixture
def builds(store):
    return Builds(AuditedDocuments(store, "ann", "cli", FakeClock()))


@pytest.fixture
def shared(builds, keys):
    return SharedConfigurations(builds, lambda: keys, FakeClock(1000.0))


async def values(shared, *names):
    return {name: each.value for name, each in (await shared.variables(names)).items()}


async def test_values_of_a_secret_one_reach_builds_and_are_nowhere_in_the_store(shared, store):
    made = await shared.create("tokens", SECRET, {"TOKEN": "hunter2hunter2"})

    assert made.data == {"TOKEN": "***"}
    assert await shared.show("tokens") == made
    assert await values(shared, "tokens") == {"TOKEN": "hunter2hunter2"}
    assert "hunter2" not in str(store.__dict__)


async def test_of_one_name_the_last_configuration_wins(shared):
    await shared.create("a", CONFIG, {"X": "1", "Y": "1"})
    await shared.create("b", CONFIG, {"X": "2"})

    assert await values(shared, "a", "b") == {"X": "2", "Y": "1"}
    assert await values(shared, "b", "a") == {"X": "1", "Y": "1"}


async def test_one_that_is_there_is_replaced_only_when_that_is_meant(shared):
    await shared.create("a", CONFIG, {"X": "1"})
    with pytest.raises(Conflict, match="already"):
        await shared.create("a", CONFIG, {"X": "2"})
    assert await values(shared, "a") == {"X": "1"}

    again = await shared.create("a", SECRET, {"Z": "3"}, again=True)
    assert again.type is SECRET
    assert await values(shared, "a") == {"Z": "3"}


async def test_one_that_pipelines_list_is_removed_only_by_force(shared, builds):
    await shared.create("a", CONFIG, {"X": "1"})
    spec = {"triggers": [{"name": "t", "type": "git", "contexts": ["a"]}]}
    registry = Registry(builds, FakeClock(), lambda _: None)
    wanted = Registered("shop/web", "", spec={"contexts": ["a"], **spec, "triggers": []})
    await registry.register(wanted)

    assert [each.pipelines for each in await shared.all()] == [("shop/web",)]
    with pytest.raises(Conflict, match="listed by shop/web"):
        await shared.remove("a")
    await shared.remove("a", force=True)
    with pytest.raises(NotFound, match="no shared configuration `a`"):
        await shared.remove("a")
    with pytest.raises(InputError, match="no shared configuration `a`"):
        await shared.variables(["a"])


async def test_keys_are_rotated_with_them_so_that_the_old_one_can_go(shared, store, keys, tmp_path):
    await shared.create("a", SECRET, {"X": "1"})
    await shared.create("b", CONFIG, {"Y": "2"})
    secrets = SecretCommands(store, keys, FakeClock())
    await secrets.rotate()
    await secrets.rotate()  # only the newest two are kept

    assert await values(shared, "a", "b") == {"X": "1", "Y": "2"}
    assert (await secrets.seal_again()).sealed_again == 0


async def test_without_its_key_nothing_is_read_and_nothing_is_told(shared, builds, tmp_path):
    await shared.create("a", SECRET, {"X": "hunter2"})
    there = KeyRing(tmp_path / "other", "KEY", "")
    there.newest()
    other = SharedConfigurations(builds, lambda: there, FakeClock())

    with pytest.raises(Denied, match="shared configuration a: ") as caught:
        await other.variables(["a"])
    assert "context create secret a --replace" in caught.value.hint
    assert "hunter2" not in str(caught.value)


async def test_every_change_is_in_the_audit_log_without_its_values(shared, store):
    await shared.create("a", SECRET, {"X": "hunter2"})
    await shared.create("a", SECRET, {"X": "hunter3"}, again=True)
    await shared.remove("a")

    done = [each.deed.what[0] async for each in AuditLog(store).entries()]
    assert done == [
        "context/a: made, of type secret",
        "context/a: changed, of type secret",
        "context/a: removed",
    ]
