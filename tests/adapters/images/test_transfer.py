"""Images go to a real registry and come back the same."""

import base64
import json

import httpx
import pytest

from crossfade.adapters.images.credentials import Credentials
from crossfade.adapters.images.loading import loaded
from crossfade.adapters.images.registry import Registry
from crossfade.adapters.images.store import ImageStore
from crossfade.adapters.images.transfer import pull, push
from crossfade.base.errors import Denied, InputError, NotFound, Unavailable
from crossfade.core.image.documents import (
    CONFIG,
    INDEX,
    LAYER,
    MANIFEST,
    Descriptor,
    ImageConfig,
    Layer,
    canonical,
    config_document,
    described,
    manifest_document,
)
from crossfade.core.image.reference import reference
from crossfade.testing.registry_server import PASSWORD, USER, missing, registry_server

pytestmark = pytest.mark.skipif(bool(missing()), reason=missing())
PLATFORM = ("linux", "amd64")


@pytest.fixture
def address(tmp_path):
    with registry_server(tmp_path) as found:
        yield found


@pytest.fixture
def store(tmp_path):
    return ImageStore(tmp_path / "images")


@pytest.fixture
def other(tmp_path):
    return ImageStore(tmp_path / "other")


def image(store, content=b"files" * 500_000):
    """Return an image of one layer."""
    blob, size = store.put([content])
    layer = Layer(Descriptor(LAYER, blob, size), blob, "COPY")
    config = canonical(config_document(ImageConfig({"A": "1"}), [layer], PLATFORM, "t"))
    manifest = canonical(manifest_document(described(CONFIG, config), [layer]))
    store.put([config])
    store.put([manifest])
    return described(MANIFEST, manifest)


def sent(store, found, name, credentials=None):
    with Registry(name, credentials) as registry:
        return push(store, found, registry, name.tag, lambda _: None)


def fetched(store, name, credentials=None, platform=PLATFORM):
    with Registry(name, credentials) as registry:
        return pull(store, name, registry, platform, lambda _: None)


def test_an_image_comes_back_as_it_went(address, store, other):
    name = reference(f"{address}/team/app:1")
    found = image(store)

    assert sent(store, found, name) == 2
    assert fetched(other, name) == found

    assert loaded(other, found).config.environment == {"A": "1"}
    by_digest = reference(f"{address}/team/app@{found.digest}")
    assert fetched(other, by_digest) == found


def test_what_the_registry_has_is_not_sent_again(address, store):
    found = image(store)
    sent(store, found, reference(f"{address}/app:1"))

    assert sent(store, found, reference(f"{address}/app:2")) == 0


def test_an_image_that_is_not_there_is_told_from_a_registry_that_is_not(address, store):
    with pytest.raises(NotFound, match="has no image"):
        fetched(store, reference(f"{address}/app:1"))

    with pytest.raises(Unavailable, match="does not serve us"):
        fetched(store, reference("127.0.0.1:9/app:1"))


def test_credentials_are_needed_where_the_registry_wants_them(tmp_path, store, other):
    found = image(store)
    with registry_server(tmp_path, login=True) as address:
        name = reference(f"{address}/app:1")
        for wrong in (None, Credentials(USER, "wrong")):
            with pytest.raises(Denied, match="does not let us"):
                sent(store, found, name, wrong)

        right = Credentials(USER, PASSWORD)
        assert sent(store, found, name, right) == 2
        assert fetched(other, name, right) == found
        with pytest.raises(Denied):
            fetched(other, name)
    assert PASSWORD not in repr(right)


def test_docker_s_own_login_is_enough(tmp_path, crossfade_with, monkeypatch):
    folder = tmp_path / "docker"
    folder.mkdir()
    monkeypatch.setenv("DOCKER_CONFIG", str(folder))
    (tmp_path / "Dockerfile").write_text("FROM scratch\nCOPY Dockerfile /\n")
    with registry_server(tmp_path, login=True) as address:
        secret = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
        (folder / "config.json").write_text(json.dumps({"auths": {address: {"auth": secret}}}))
        name = f"{address}/app:1"
        assert crossfade_with("image", "build", str(tmp_path), "-t", name) == 0
        assert crossfade_with("image", "push", name) == 0
        assert crossfade_with("image", "rm", name) == 0
        assert crossfade_with("image", "pull", name) == 0


@pytest.fixture
def crossfade_with(tmp_path, monkeypatch):
    from crossfade.cli.main import main

    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path / "state"))
    return lambda *arguments: main(list(arguments))


def test_of_several_platforms_the_one_of_this_machine_comes(address, store, other):
    name = reference(f"{address}/app:many")
    found = image(store)
    sent(store, found, reference(f"{address}/app:1"))
    entry = {"mediaType": MANIFEST, "digest": found.digest, "size": found.size}
    entry |= {"platform": {"os": "linux", "architecture": "amd64"}}
    index = {"schemaVersion": 2, "mediaType": INDEX, "manifests": [entry]}
    answer = httpx.put(
        f"http://{address}/v2/app/manifests/many",
        content=json.dumps(index),
        headers={"Content-Type": INDEX},
        trust_env=False,
    )
    assert answer.status_code == 201

    assert fetched(other, name) == found
    with pytest.raises(NotFound, match="linux/arm64"):
        fetched(other, name, platform=("linux", "arm64"))


def test_content_that_was_damaged_on_the_way_gets_no_name(address, store, other, tmp_path):
    name = reference(f"{address}/app:1")
    found = image(store)
    sent(store, found, name)
    layer = load_layer(store, found)
    damaged = next((tmp_path / "content").rglob(f"{layer.removeprefix('sha256:')}/data"))
    damaged.write_bytes(b"x" * damaged.stat().st_size)

    with pytest.raises(Unavailable, match="otherwise than it was announced"):
        fetched(other, name)
    assert other.images() == {}


def load_layer(store, found):
    return store.document(found.digest)["layers"][0]["digest"]


def test_a_manifest_that_leads_out_of_the_store_is_refused(store):
    class Evil:
        def manifest(self, _):
            layers = [{"digest": "sha256:../../../etc/passwd"}]
            return MANIFEST, json.dumps({"config": {"digest": "x"}, "layers": layers}).encode()

    with pytest.raises(InputError, match="a digest is none"):
        pull(store, reference("r.example.com/a:1"), Evil(), PLATFORM, lambda _: None)
