"""What every implementation of the Secrets port does."""

import base64
from dataclasses import dataclass
from typing import Any

import pytest

from crossfade.adapters.secrets.environment import EnvironmentSecrets
from crossfade.adapters.secrets.files import FileSecrets
from crossfade.adapters.secrets.kubernetes import KubernetesSecrets
from crossfade.adapters.secrets.places import SecretPlaces
from crossfade.adapters.secrets.sealed import SealedSecrets
from crossfade.adapters.secrets.sealing import KeyRing
from crossfade.base.codec import to_json
from crossfade.base.errors import NotFound
from crossfade.base.secrets import Secret, SecretRef
from crossfade.ports.documents import Document
from crossfade.ports.sealing import SEALED
from crossfade.testing.fake_secrets import FakeSecrets

HUBS = SecretRef("slack-url")
CLUSTERS = SecretRef("slack", "url", "infra", "aws")


class StoredSecret:
    """A cluster with one Secret."""

    def __init__(self, value: str) -> None:
        self.value = value

    async def find(self, path: str) -> dict[str, Any] | None:
        """Return the Secret at its path."""
        if path != "/api/v1/namespaces/infra/secrets/slack":
            return None
        return {"data": {"url": base64.b64encode(self.value.encode()).decode()}}


class SealedDocument:
    """A store with one sealed secret."""

    def __init__(self, ring: KeyRing, value: str) -> None:
        self.ring, self.value = ring, value

    async def get(self, kind: str, name: str) -> Document | None:
        """Return the secret, sealed."""
        if (kind, name) != (SEALED, "slack-url"):
            return None
        sealed = self.ring.seal(name, Secret(self.value), 0.0)
        return Document(kind, name, 1, to_json(sealed))


@dataclass
class Place:
    secrets: Any
    ref: SecretRef
    change: Any


@pytest.fixture(params=["memory", "environment", "files", "sealed", "kubernetes", "places"])
def place(request, tmp_path):
    """A place with one secret, `first`, and a way to rotate it."""
    environment, stored = {"X_SLACK_URL": "first"}, StoredSecret("first")
    file = tmp_path / "slack-url"
    file.write_text("first\n")
    fake = FakeSecrets(slack_url="first")
    files = FileSecrets(tmp_path)
    kubernetes = KubernetesSecrets(lambda _: stored)
    match request.param:
        case "memory":
            return Place(fake, HUBS, lambda value: fake.values.update({"slack-url": value}))
        case "environment":
            secrets = EnvironmentSecrets(environment, "X_")
            return Place(secrets, HUBS, lambda value: environment.update(X_SLACK_URL=value))
        case "sealed":
            kept = SealedDocument(KeyRing(tmp_path / "sealing.key", "KEY", ""), "first")
            change = lambda value: setattr(kept, "value", value)  # noqa: E731
            return Place(SealedSecrets(kept, kept.ring), HUBS, change)
        case "files":
            return Place(files, HUBS, file.write_text)
        case "kubernetes":
            return Place(kubernetes, CLUSTERS, lambda value: setattr(stored, "value", value))
        case _:
            places = SecretPlaces(kubernetes, EnvironmentSecrets({}, "X_"), files)
            return Place(places, HUBS, file.write_text)


async def test_a_secret_is_looked_up_by_its_reference(place):
    assert place.secrets.holds(place.ref)
    assert (await place.secrets.resolve(place.ref)).reveal() == "first"


async def test_a_rotated_secret_is_used_without_a_restart(place):
    await place.secrets.resolve(place.ref)
    place.change("second")
    assert (await place.secrets.resolve(place.ref)).reveal() == "second"


async def test_a_missing_secret_is_named_with_a_way_to_make_it(place):
    missing = SecretRef("other", place.ref.key, place.ref.namespace, place.ref.cluster)
    with pytest.raises(NotFound) as raised:
        await place.secrets.resolve(missing)
    assert "other" in str(raised.value)
    assert raised.value.hint
