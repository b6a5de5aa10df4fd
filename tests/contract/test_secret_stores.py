"""What reading a secret store does, whichever kind it is, over the wire."""

import base64
from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from crossfade.adapters.secrets.stores import RemoteSecretStores
from crossfade.base.errors import Denied, InputError, NotFound, Unavailable
from crossfade.core.pipeline.secret_stores import KubernetesStore, VaultStore
from crossfade.testing.http_service import Asked, Reply, http_service

Store = KubernetesStore | VaultStore
VALUE = "hunter2 hunter2"


@dataclass(frozen=True)
class World:
    stores: RemoteSecretStores
    store: Store
    named: Store
    """The same, which says itself which resource is meant."""


def vault(version: int):
    """Answer as Vault's documentation has it."""
    inner = "data/" if version == 2 else ""

    def answer(asked: Asked) -> Reply:
        if asked.headers.get("x-vault-token") != "s.right":
            return Reply(403, {"errors": ["permission denied"]})
        if asked.path != f"/v1/kv/{inner}db":
            return Reply(404, {"errors": []})
        data = {"password": VALUE, "port": 5432}
        metadata = {"created_time": "2026-01-01T00:00:00Z", "version": 3, "destroyed": False}
        body = {"data": data, "metadata": metadata} if version == 2 else data
        return Reply(200, {"request_id": "1", "lease_id": "", "data": body, "warnings": None})

    return answer


async def no_cluster(name: str):
    raise NotFound(f"there is no cluster `{name}`", hint="the fleet: none")


@pytest.fixture(params=["secret", "configmap", "vault-1", "vault-2"])
async def held(request, sandbox_cloud, api) -> AsyncIterator[World]:
    async def cluster(name: str):
        return sandbox_cloud.cluster if name == "gcp" else await no_cluster(name)

    stores = RemoteSecretStores(cluster, seconds=2.0)
    if request.param.startswith("vault"):
        version = int(request.param[-1])
        async with http_service() as service:
            service.answer = vault(version)
            known = (service.address, "s.right", "kv", version, "")
            yield World(stores, VaultStore(*known), VaultStore(*known, "db"))
        return
    maps = request.param == "configmap"
    value = VALUE if maps else base64.b64encode(VALUE.encode()).decode()
    body = {
        "apiVersion": "v1",
        "kind": "ConfigMap" if maps else "Secret",
        "metadata": {"name": "db"},
        "data": {"password": value, "port": "5432" if maps else "NTQzMg=="},
    }
    await api.create(f"/api/v1/namespaces/default/{request.param}s", body)
    known = ("gcp", "default", maps)
    yield World(stores, KubernetesStore(*known), KubernetesStore(*known, "db"))


async def test_a_secret_is_read_whoever_says_which_it_is(held):
    assert (await held.stores.read(held.store, "db", "password")).reveal() == VALUE
    assert (await held.stores.read(held.named, "", "password")).reveal() == VALUE
    assert (await held.stores.read(held.named, "", "port")).reveal() == "5432"


async def test_what_is_not_there_is_named_without_what_is(held):
    with pytest.raises(NotFound, match="no key `passwort`") as raised:
        await held.stores.read(held.store, "db", "passwort")
    assert raised.value.hint == "it has: password, port"
    assert VALUE not in str(raised.value)
    with pytest.raises(NotFound, match="other"):
        await held.stores.read(held.store, "other", "password")


async def test_a_reference_that_says_too_little_too_much_or_a_way_out_is_refused(held):
    for store, resource in ((held.store, ""), (held.named, "db"), (held.store, "../db")):
        with pytest.raises(InputError):
            await held.stores.read(store, resource, "password")


async def test_a_vault_that_refuses_or_is_sealed_says_so_and_no_error_has_the_token():
    stores = RemoteSecretStores(no_cluster, seconds=2.0)
    async with http_service() as service:
        service.answer = vault(2)
        with pytest.raises(Denied, match="permission denied") as raised:
            await stores.read(VaultStore(service.address, "s.wrong", "kv"), "db", "password")
        assert "s.wrong" not in f"{raised.value}{raised.value.hint}{raised.value.facts}"
        service.say(Reply(503, {"errors": ["Vault is sealed"]}), Reply(200, "<html>"))
        for words in ("Vault is sealed", "not Vault's"):
            with pytest.raises(Unavailable, match=words):
                await stores.read(VaultStore(service.address, "s.right", "kv"), "db", "password")
    with pytest.raises(Unavailable, match="no answer"):
        await stores.read(VaultStore(service.address, "s.right", "kv"), "db", "password")


async def test_a_cluster_that_is_not_in_the_fleet_is_named():
    with pytest.raises(NotFound, match="no cluster `gcp`"):
        await RemoteSecretStores(no_cluster).read(KubernetesStore("gcp", "default"), "db", "key")
