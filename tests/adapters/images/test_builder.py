"""Builds make the image that the Dockerfile says, the same one for the same files."""

import os
import tarfile

import pytest

from crossfade.adapters.images import running
from crossfade.adapters.images.builder import BuiltInBuilder
from crossfade.adapters.images.cache import LayerCache
from crossfade.adapters.images.loading import loaded
from crossfade.adapters.images.store import ImageStore
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.image.reference import reference
from crossfade.ports.image_builder import BuildOrder


class World:
    """A store, a build context, and what was said."""

    def __init__(self, folder):
        self.context = folder / "context"
        self.context.mkdir()
        self.store = ImageStore(folder / "images")
        self.cache = LayerCache(self.store, folder / "images/cache")
        self.said = []

    def write(self, **files):
        for name, content in files.items():
            path = self.context / name.replace("__", "/").replace("_", ".")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(content)

    def build(self, text, name="app:1", **more):
        self.said.clear()
        path = self.context / "Dockerfile"
        path.write_text(text)
        names = (reference(name),)
        order = BuildOrder(text, path, self.context, names, **more)
        return BuiltInBuilder(self.store, self.cache, self.said.append).build(order)

    def image(self, name):
        found = self.store.find(reference(name))
        assert found is not None
        return found

    def files(self, name="app:1"):
        """Return path and content of the files of all layers; None for folders."""
        found = {}
        for layer in loaded(self.store, self.image(name)).layers:
            with tarfile.open(self.store.path(layer.blob.digest)) as archive:
                for each in archive:
                    content = archive.extractfile(each) if each.isreg() else None
                    found[each.name] = content.read().decode() if content else None
        return found


@pytest.fixture
def world(tmp_path):
    return World(tmp_path)


@pytest.fixture
def commands(world, tmp_path):
    """Skip where RUN cannot be done."""
    try:
        running.check_usable(tmp_path / "probe")
    except Unavailable as error:
        pytest.skip(str(error))


def test_the_image_has_the_files_and_the_configuration(world):
    world.write(a_txt="a", src__b_txt="b", src__deep__c_txt="c")

    world.build('FROM scratch\nWORKDIR /app\nCOPY a.txt src ./\nENV X=1\nCMD ["/app/a"]\n')

    assert world.files() == {
        "app/a.txt": "a",
        "app": None,
        "app/b.txt": "b",
        "app/deep": None,
        "app/deep/c.txt": "c",
    }
    config = loaded(world.store, world.image("app:1")).config
    assert (config.environment, config.command) == ({"X": "1"}, ("/app/a",))
    assert config.working_directory == "/app"


def test_nothing_is_made_again_while_nothing_changes(world):
    world.write(a_txt="a")
    first = world.build("FROM scratch\nCOPY a.txt /\n")
    second = world.build("FROM scratch\nCOPY a.txt /\n")

    assert (first.made, first.unchanged) == (1, False)
    assert (second.made, second.unchanged, second.image) == (0, True, first.image)


def test_a_changed_file_is_seen_and_only_what_depends_on_it_is_made_again(world):
    world.write(a_txt="a", b_txt="b")
    text = "FROM scratch\nCOPY a.txt /\nCOPY b.txt /\n"
    first = world.build(text)
    world.write(b_txt="changed")

    second = world.build(text)

    assert (second.made, second.unchanged) == (1, False)
    assert second.image != first.image
    assert world.files()["b.txt"] == "changed"


def test_the_same_files_make_the_same_image_on_another_day_in_another_place(tmp_path):
    digests = set()
    for number in (1, 2):
        (tmp_path / str(number)).mkdir()
        world = World(tmp_path / str(number))
        world.write(b_txt="b", a_txt="a")
        os.utime(world.context / "a.txt", (number * 10**8, number * 10**8))
        digests.add(world.build("FROM scratch\nCOPY . /x/\n").image.digest)

    assert len(digests) == 1


def test_a_cache_of_layers_that_were_pruned_is_no_harm(world):
    world.write(a_txt="a")
    first = world.build("FROM scratch\nCOPY a.txt /\n")
    world.store.remove(reference("app:1"))
    world.store.prune()
    world.cache.forget_pruned()

    second = world.build("FROM scratch\nCOPY a.txt /\n")

    assert (second.made, second.image) == (1, first.image)


def test_files_that_are_ignored_cannot_get_in(world):
    world.write(a_txt="a", secret_txt="s", _dockerignore="secret.*\n")

    world.build("FROM scratch\nCOPY . /x/\n")
    with pytest.raises(InputError, match=r"no .secret\.txt. to copy") as refused:
        world.build("FROM scratch\n\nCOPY secret.txt /x/\n")

    assert "x/secret.txt" not in world.files()
    assert refused.value.facts["line"] == 3


@pytest.mark.parametrize(
    "source", ["../outside.txt", "/../outside.txt", "out", "folder/outside.txt"]
)
def test_nothing_outside_of_the_context_gets_in(world, source):
    (world.context.parent / "outside.txt").write_text("secret")
    (world.context / "out").symlink_to("../outside.txt")
    (world.context / "folder").symlink_to("..")

    with pytest.raises(InputError):
        world.build(f"FROM scratch\nCOPY {source} /x\n")


def test_a_stage_gives_files_to_another_one_and_nothing_else(world):
    world.write(a_txt="a", b_txt="b")

    world.build(
        "FROM scratch AS one\nCOPY a.txt b.txt /x/\n"
        "FROM scratch\nCOPY --from=one --chown=5:6 --chmod=600 /x/a.txt /y\n"
    )

    assert world.files() == {"y": "a"}
    layer = loaded(world.store, world.image("app:1")).layers[0]
    with tarfile.open(world.store.path(layer.blob.digest)) as archive:
        entry = archive.getmember("y")
    assert (entry.uid, entry.gid, entry.mode) == (5, 6, 0o600)


def test_a_file_that_changed_in_one_stage_changes_in_the_next(world):
    text = "FROM scratch AS one\nCOPY a.txt /\nFROM scratch\nCOPY --from=one /a.txt /y\n"
    for content in ("first", "second"):
        world.write(a_txt=content)
        world.build(text)
        assert world.files() == {"y": content}


def test_an_image_of_here_can_be_built_on(world):
    world.write(a_txt="a", b_txt="b")
    world.build("FROM scratch\nENV A=1\nCOPY a.txt /\n", name="base:1")

    world.build("FROM base:1\nENV B=2\nCOPY b.txt /\n")

    assert world.files() == {"a.txt": "a", "b.txt": "b"}
    assert loaded(world.store, world.image("app:1")).config.environment == {"A": "1", "B": "2"}


def test_a_base_that_is_nowhere_is_refused_with_the_ways_out(world):
    with pytest.raises(InputError, match="neither known nor kept here") as refused:
        world.build("FROM registry.example.com/team/base:1\n")

    assert "`host`" in refused.value.hint


def test_people_are_told_that_the_machine_stands_for_a_public_image(world):
    world.build("FROM python:3.13-slim\nENV A=1\n")

    assert any("python:3.13-slim is not here" in each for each in world.said)
    labels = loaded(world.store, world.image("app:1")).config.labels
    assert labels == {"crossfade.dev/base": "host"}


def test_add_unpacks_archives_and_copy_does_not(world):
    world.write(a_txt="a")
    with tarfile.open(world.context / "x.tar.gz", "w:gz") as archive:
        archive.add(world.context / "a.txt", "deep/a.txt")

    world.build("FROM scratch\nADD x.tar.gz a.txt /to/\n")
    assert world.files() == {"to/deep": None, "to/deep/a.txt": "a", "to/a.txt": "a"}

    world.build("FROM scratch\nCOPY a.txt x.tar.gz /to/\n", name="other:1")
    assert "to/x.tar.gz" in set(_names(world, "other:1"))


def _names(world, name):
    for layer in loaded(world.store, world.image(name)).layers:
        with tarfile.open(world.store.path(layer.blob.digest)) as archive:
            yield from archive.getnames()


def test_a_file_goes_into_a_folder_that_is_there_already(world):
    world.write(a_txt="a", b_txt="b")

    world.build("FROM scratch\nCOPY a.txt /to/\nCOPY b.txt /to\n")

    assert world.files() == {"to/a.txt": "a", "to/b.txt": "b"}


@pytest.mark.parametrize("target", ["/", "./"])
def test_several_files_go_into_the_root(world, target):
    world.write(a_txt="a", b_txt="b")

    world.build(f"FROM scratch\nADD a.txt b.txt {target}\n")

    assert world.files() == {"a.txt": "a", "b.txt": "b"}


def test_links_in_the_image_do_not_lead_files_out_of_it(world, tmp_path):
    outside = tmp_path / "outside"
    outside.mkdir()
    (world.context / "to").mkdir()
    (world.context / "to/link").symlink_to(outside)
    world.write(a_txt="a")

    world.build("FROM scratch\nCOPY to /to\nCOPY a.txt /to/link/\n")

    assert list(outside.iterdir()) == []
    assert world.files()[f"{outside}/a.txt".lstrip("/")] == "a"


def test_a_failed_build_leaves_the_name_with_the_image_that_it_had(world):
    world.write(a_txt="a")
    first = world.build("FROM scratch\nCOPY a.txt /\n")

    with pytest.raises(InputError):
        world.build("FROM scratch\nENV X=1\nCOPY missing.txt /\n")

    assert world.store.find(reference("app:1")) == first.image


@pytest.mark.usefixtures("commands")
class TestRun:
    """Commands run on the image's files over those of the machine."""

    def test_what_a_command_changes_is_the_layer(self, world):
        world.write(old_txt="old", gone_txt="gone")

        world.build(
            "FROM host\nWORKDIR /app\nCOPY old.txt gone.txt ./\n"
            "RUN cat old.txt > new.txt && rm gone.txt && mkdir -p /usr/local/of-us && "
            "echo x > /usr/local/of-us/x\n"
        )

        files = world.files()
        assert files["app/new.txt"] == "old"
        assert "app/.wh.gone.txt" in files
        assert files["usr/local/of-us/x"] == "x\n"
        assert not os.path.lexists("/usr/local/of-us"), "the machine was changed"

    def test_later_instructions_see_what_earlier_ones_made(self, world):
        world.write(a_txt="a")

        world.build(
            "FROM host\nCOPY a.txt /app/\nRUN rm /app/a.txt && mkdir /app/b\nCOPY a.txt /app/b\n"
            "RUN test ! -e /app/a.txt && cat /app/b/a.txt > /app/result\n"
        )

        assert world.files()["app/result"] == "a"

    def test_a_command_that_fails_is_named_with_its_line_and_what_it_printed(self, world):
        with pytest.raises(InputError, match="exit code 3") as refused:
            world.build("FROM host\n\nRUN echo why; exit 3\n")

        assert refused.value.facts["line"] == 3
        assert "  why" in world.said

    def test_variables_reach_the_command_and_a_list_needs_no_shell(self, world):
        world.build(
            "FROM host\nARG A=1\nENV B=2\nWORKDIR /w\n"
            'RUN ["/bin/sh", "-c", "echo $A$B$(pwd) > /out"]\n',
            arguments={"A": "7"},
        )

        assert world.files()["out"] == "72/w\n"

    def test_folders_that_every_system_has_are_there_and_leave_nothing_behind(self, world):
        world.build("FROM host\nRUN cd home && mkdir app && touch app/x && ls /srv /mnt /media\n")

        files = world.files()
        assert "home/app/x" in files
        assert "srv" not in files

    def test_pip_may_install_where_the_machine_cannot_be_harmed(self, world):
        world.build('FROM host\nRUN test "$PIP_BREAK_SYSTEM_PACKAGES" = 1\n')

        config = loaded(world.store, world.image("app:1")).config
        assert config.environment == {}

    def test_it_is_done_once_while_nothing_changes(self, world):
        first = world.build("FROM host\nRUN date +%N > /now\n")
        second = world.build("FROM host\nRUN date +%N > /now\n")
        third = world.build("FROM host\nRUN date +%N > /now\n", no_cache=True)

        assert second.image == first.image
        assert third.image != first.image

    def test_without_the_machines_files_there_is_no_shell(self, world):
        with pytest.raises(InputError) as refused:
            world.build("FROM scratch\nRUN true\n")

        assert "build on `host`" in refused.value.hint

    def test_another_user_is_refused_rather_than_ignored(self, world):
        with pytest.raises(InputError, match="as the user 65532"):
            world.build("FROM host\nUSER 65532\nRUN true\n")
