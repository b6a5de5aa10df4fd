"""Several places for secrets."""

import pytest

from crossfade.adapters.secrets.environment import EnvironmentSecrets
from crossfade.adapters.secrets.files import FileSecrets
from crossfade.adapters.secrets.places import SecretPlaces
from crossfade.base.errors import InputError, NotFound
from crossfade.base.secrets import SecretRef


async def test_the_first_place_that_has_the_secret_wins(tmp_path):
    (tmp_path / "token").write_text("from the file")
    places = SecretPlaces(
        EnvironmentSecrets({"X_TOKEN": "from outside"}, "X_"), FileSecrets(tmp_path)
    )
    assert (await places.resolve(SecretRef("token"))).reveal() == "from outside"


async def test_a_missing_secret_names_every_place_it_could_be_put(tmp_path):
    places = SecretPlaces(EnvironmentSecrets({}, "X_"), FileSecrets(tmp_path))
    with pytest.raises(NotFound) as raised:
        await places.resolve(SecretRef("slack-url"))
    assert "X_SLACK_URL" in raised.value.hint
    assert f"{tmp_path}/slack-url" in raised.value.hint


async def test_a_reference_to_a_cluster_without_clusters_is_refused():
    with pytest.raises(InputError, match="no place for the secret"):
        await SecretPlaces(EnvironmentSecrets({}, "X_")).resolve(SecretRef("a", "b", "c", "d"))
