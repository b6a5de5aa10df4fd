"""What every builder does, whatever makes its layers."""

import tarfile

import pytest

from crossfade.adapters.images.builder import BUILT_IN
from crossfade.adapters.images.builders import builder
from crossfade.adapters.images.cache import LayerCache
from crossfade.adapters.images.engines import ENGINES, why_no_builder
from crossfade.adapters.images.loading import loaded
from crossfade.adapters.images.store import ImageStore
from crossfade.base.errors import InputError
from crossfade.core.image.reference import reference
from crossfade.ports.image_builder import BuildOrder


class Place:
    """A builder, its store, and a build context."""

    def __init__(self, name, folder):
        self.context = folder / "context"
        self.context.mkdir()
        self.name, self.store, self.said = name, ImageStore(folder / "images"), []
        self.fetched = []

    def build(self, text, called="app:1", **more):
        path = self.context / "Dockerfile"
        path.write_text(text)
        names = (reference(called),) if called else ()
        order = BuildOrder(text, path, self.context, names, **more)
        cache = LayerCache(self.store, self.store.path("").parent / "cache")
        made = builder(self.name, order, self.store, cache, self.said.append, self._fetch)
        assert made.name == self.name
        return made.build(order)

    def _fetch(self, image):
        self.fetched.append(str(image))
        return False

    def image(self, called="app:1"):
        found = self.store.find(reference(called))
        return None if found is None else loaded(self.store, found)

    def files(self, called="app:1"):
        """Return path and content of the files of all layers."""
        found = {}
        for layer in self.image(called).layers:
            with tarfile.open(self.store.path(layer.blob.digest)) as archive:
                files = (each for each in archive if each.isreg())
                found |= {
                    each.name.lstrip("./"): archive.extractfile(each).read().decode()
                    for each in files
                }
        return found


@pytest.fixture(params=[BUILT_IN, *ENGINES])
def place(request, tmp_path):
    if request.param in ENGINES and (why := why_no_builder(request.param)):
        pytest.skip(f"{request.param} cannot build here: {why}")
    return Place(request.param, tmp_path)


def test_an_image_has_its_files_and_its_configuration(place):
    (place.context / "a.txt").write_text("a")
    built = place.build("""FROM scratch
COPY a.txt /data/
ENV A=1
WORKDIR /data
LABEL l=m
EXPOSE 80
ENTRYPOINT ["/run"]
CMD ["x", "y"]
""")

    config = place.image().config
    assert built.image == place.store.find(reference("app:1"))
    assert built.config_digest == place.image().config_digest
    assert place.files() == {"data/a.txt": "a"}
    assert config.environment["A"] == "1"
    assert (config.entrypoint, config.command) == (("/run",), ("x", "y"))
    assert (config.working_directory, config.ports) == ("/data", ("80/tcp",))
    assert config.labels["l"] == "m"


def test_arguments_come_through_whatever_is_in_them(place):
    values = {"A": 'it\'s "$HOME" `x`', "HOME": "/not-a-home"}
    place.build("FROM scratch\nARG A\nARG HOME\nLABEL a=$A p=$HOME\n", arguments=values)

    labels = place.image().config.labels
    assert (labels["a"], labels["p"]) == (values["A"], values["HOME"])


def test_only_the_stage_that_is_asked_for_is_named(place):
    place.build("FROM scratch AS one\nLABEL s=1\nFROM one AS two\nLABEL s=2\n", target="one")

    assert place.image().config.labels["s"] == "1"


def test_what_is_ignored_does_not_get_in(place):
    (place.context / "a.txt").write_text("a")
    (place.context / "b.txt").write_text("b")
    (place.context / "Dockerfile.dockerignore").write_text("b.txt\n")

    place.build("FROM scratch\nCOPY *.txt /\n")

    assert place.files() == {"a.txt": "a"}


def test_the_same_files_are_the_same_image_the_second_time(place):
    (place.context / "a.txt").write_text("a")
    text = "FROM scratch\nCOPY a.txt /\n"
    first = place.build(text)

    again = place.build(text)

    assert (again.image, again.unchanged, again.made) == (first.image, True, 0)
    (place.context / "a.txt").write_text("b")
    assert not place.build(text).unchanged
    assert place.files() == {"a.txt": "b"}


def test_images_that_are_kept_here_are_built_on_and_copied_from(place):
    (place.context / "a.txt").write_text("a")
    place.build("FROM scratch\nCOPY a.txt /\nENV A=1\n", "team/base:1")

    place.build("FROM team/base:1\nCOPY --from=team/base:1 /a.txt /b.txt\n")

    assert place.files() == {"a.txt": "a", "b.txt": "a"}
    assert place.image().config.environment["A"] == "1"
    assert place.fetched == []


def test_a_failed_build_leaves_the_names_as_they_were(place):
    place.build("FROM scratch\nLABEL v=1\n")

    with pytest.raises(InputError):
        place.build("FROM scratch\nCOPY missing.txt /\n")

    assert place.image().config.labels["v"] == "1"


def test_an_image_may_have_no_name(place):
    built = place.build("FROM scratch\nLABEL v=1\n", "")

    assert dict(place.store.images()) == {}
    assert loaded(place.store, built.image).config.labels["v"] == "1"
