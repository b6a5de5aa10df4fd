"""The engine of the machine builds where it can, and ours does the rest."""

from pathlib import Path

import pytest

from crossfade.adapters.images import builders
from crossfade.adapters.images.builder import BUILT_IN, BuiltInBuilder
from crossfade.adapters.images.builders import AUTO, builder
from crossfade.adapters.images.cache import LayerCache
from crossfade.adapters.images.store import ImageStore
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.image.reference import reference
from crossfade.ports.image_builder import BuildOrder


@pytest.fixture
def pick(tmp_path, monkeypatch):
    """Return the name of the builder, on a machine where only buildah works."""
    store = ImageStore(tmp_path)
    cache = LayerCache(store, tmp_path / "cache")
    monkeypatch.setattr(builders, "working_engine", lambda: "buildah")
    monkeypatch.setattr(
        builders, "why_no_builder", lambda name: "" if name == "buildah" else "no daemon"
    )

    def find(wanted, text="FROM scratch\n", names=()):
        order = BuildOrder(text, Path(tmp_path, "Dockerfile"), tmp_path, names)
        found = builder(wanted, order, store, cache, lambda _: None, lambda _: False)
        if names and isinstance(found, BuiltInBuilder):
            found.build(order)
        return found.name

    return find


def test_a_working_engine_builds_unless_people_say_otherwise(pick):
    assert pick(AUTO) == "buildah"
    assert pick(BUILT_IN) == BUILT_IN


def test_without_an_engine_the_built_in_builder_does_it(pick, monkeypatch):
    monkeypatch.setattr(builders, "working_engine", lambda: "")

    assert pick(AUTO) == BUILT_IN


def test_what_builds_on_this_machine_is_no_engines_business(pick):
    assert pick(AUTO, "FROM host\n", (reference("tools:1"),)) == BUILT_IN
    assert pick(AUTO, "FROM tools:1\nLABEL a=b\n") == BUILT_IN


def test_an_engine_that_was_asked_for_and_does_not_work_is_no_silent_other_one(pick):
    with pytest.raises(Unavailable, match="docker cannot build here: no daemon"):
        pick("docker")


def test_an_unknown_builder_is_refused(pick):
    with pytest.raises(InputError, match="no builder kaniko"):
        pick("kaniko")
