"""Compositions come from the workspace alone."""

import pytest

from crossfade.adapters.runners.compositions import read_composition
from crossfade.base.errors import InputError
from crossfade.core.pipeline.composition import Composition
from crossfade.core.pipeline.work import VOLUME


def test_a_link_in_the_workspace_makes_no_other_file_a_composition(tmp_path):
    secret, volume = tmp_path / "secret.yaml", tmp_path / "volume"
    secret.write_text("services: {db: {image: alpine, environment: {TOKEN: tok-1}}}\n")
    volume.mkdir()
    (volume / "compose.yaml").symlink_to(secret)

    with pytest.raises(InputError, match=r"there is no composition compose\.yaml"):
        read_composition(Composition("compose.yaml"), {}, VOLUME, volume)
