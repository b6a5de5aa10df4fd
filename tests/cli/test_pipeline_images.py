"""Pipelines that build images and bring them to a real registry."""

import os
from pathlib import Path

import pytest

from crossfade.adapters.images.credentials import Credentials
from crossfade.adapters.images.registry import Registry
from crossfade.adapters.images.store import ImageStore
from crossfade.core.image.reference import reference
from crossfade.testing.registry_server import PASSWORD, USER, missing, registry_server

needs_registry = pytest.mark.skipif(bool(missing()), reason=missing())
WHO = Credentials(USER, PASSWORD)


@pytest.fixture
def source(tmp_path):
    folder = tmp_path / "app"
    folder.mkdir()
    (folder / "Dockerfile").write_text("FROM scratch\nARG V=1\nLABEL v=$V\nCOPY a.txt /\n")
    (folder / "a.txt").write_text("a")
    return folder


@pytest.fixture
def run(crossfade, tmp_path, source):
    """Run a pipeline on the source, and return what its steps told."""

    def go(steps, *more):
        file = tmp_path / "codefresh.yml"
        file.write_text(f"version: '1.0'\nsteps:\n{steps}")
        return crossfade("pipeline", "run", str(file), "--local-dir", str(source), *more)

    return go


@pytest.fixture
def registry(tmp_path, crossfade, monkeypatch):
    """A registry that wants a password, known as `prod`."""
    (tmp_path / "registry").mkdir()
    monkeypatch.setenv("CROSSFADE_SECRET_REGISTRY_PROD", PASSWORD)
    with registry_server(tmp_path / "registry", login=True) as address:
        added = crossfade("image", "registry", "add", "prod", f"{address}/team", "--username", USER)
        assert added.code == 0, added.err
        yield address


def digest_of(image):
    with Registry(reference(image), WHO) as found:
        return found.digest_of(reference(image).tag)


@needs_registry
def test_an_image_is_built_pushed_and_known_to_later_steps(run, registry):
    ran = run("""  make: {type: build, image_name: Colors, tag: V1, tags: ['2'], build_arguments: ['V=7']}
  tell:
    image: alpine
    commands:
    - 'echo "image ${{make}} ${{make.imageName}} ${{steps.make.imageTagName}}"'
    - 'echo "id ${{make.imageId}}"'
    - 'echo "left ${IMAGE-nothing}"'
""")

    assert ran.code == 0, ran.err
    assert f"image {registry}/team/colors:v1 colors v1" in ran.out
    assert "id sha256:" in ran.out
    assert "left nothing" in ran.out
    first, second = (digest_of(f"{registry}/team/colors:{tag}") for tag in ("v1", "2"))
    assert first == second != ""
    assert PASSWORD not in ran.out + ran.err


@needs_registry
def test_an_image_goes_on_to_another_registry_and_gets_tags_there(run, registry, crossfade):
    crossfade("image", "registry", "add", "other", f"{registry}/released", "--username", USER)
    os.environ["CROSSFADE_SECRET_REGISTRY_OTHER"] = PASSWORD  # monkeypatch of `registry` forgets it
    ran = run("""  make: {type: build, image_name: colors, tag: '1', disable_push: true}
  send: {type: push, candidate: '${{make}}', tags: ['1', latest], registry: other}
  more: {type: push-tag, image_name: '${{send}}', tags: [stable]}
  tell: {image: alpine, commands: ['echo "sent ${{send}} ${{send.imageRepoDigest}}"']}
""")
    del os.environ["CROSSFADE_SECRET_REGISTRY_OTHER"]

    assert ran.code == 0, ran.err
    name = f"{registry}/released/colors"
    found = {digest_of(f"{name}:{tag}") for tag in ("1", "latest", "stable")}
    assert len(found) == 1
    assert f"sent {name}:1 {name}@{found.pop()}" in ran.out
    assert digest_of(f"{registry}/team/colors:1") == ""


@needs_registry
def test_what_is_unchanged_is_neither_made_nor_sent_again(run, registry):
    steps = "  make: {type: build, image_name: colors, tag: '1'}\n"
    run(steps)

    again = run(steps)

    assert "colors:1 is there already" in again.out
    assert "unchanged" in again.out


@needs_registry
def test_a_password_can_be_given_by_the_step_and_is_not_shown(run, registry):
    steps = f"""  make: {{type: build, image_name: colors, disable_push: true}}
  send:
    type: push
    candidate: ${{{{make}}}}
    tag: '3'
    registry: {registry}
    credentials: {{username: {USER}, password: '{PASSWORD}'}}
"""
    ran = run(steps)

    assert ran.code == 0, ran.err
    assert digest_of(f"{registry}/team/colors:3") or digest_of(f"{registry}/colors:3")
    assert PASSWORD not in ran.out + ran.err


@needs_registry
def test_a_base_in_a_known_registry_is_fetched_with_its_password(run, registry, source, crossfade):
    run("  base: {type: build, image_name: base, tag: '1'}\n")
    crossfade("image", "rm", f"{registry}/team/base:1", "base:1")
    (source / "Dockerfile").write_text(f"FROM {registry}/team/base:1\nCOPY a.txt /b.txt\n")

    ran = run("  make: {type: build, image_name: app, registry_contexts: [prod]}\n")

    assert ran.code == 0, ran.err
    assert "it is fetched" in ran.out


def test_without_a_known_registry_the_image_stays_here_and_that_is_said(run, crossfade):
    ran = run("  make: {type: build, image_name: colors, tag: '1'}\n")

    assert ran.code == 0, ran.err
    assert "no registry is known, so the image stays on this machine" in ran.out
    assert [each["name"] for each in crossfade("image", "list", "-o", "json").data] == ["colors:1"]


def test_values_of_arguments_and_whole_dockerfiles_come_through_as_they_are(run, crossfade):
    ran = run("""  make:
    type: build
    image_name: colors
    tag: '1'
    build_arguments: ["V=it's\\n\\"$HOME\\" `x`", 'NAME']
    dockerfile:
      content: |
        FROM scratch
        ARG V
        ARG NAME=none
        LABEL END="$V" name=$NAME
  END: {image: alpine, commands: ['true']}
""", "--var", "NAME=Zoë")  # fmt: skip

    assert ran.code == 0, ran.err
    (image,) = crossfade("image", "list", "-o", "json").data
    store = ImageStore(Path(os.environ["CROSSFADE_HOME"], "images"))
    config = store.document(store.document(image["digest"])["config"]["digest"])
    assert config["config"]["Labels"] == {"END": 'it\'s\n"$HOME" `x`', "name": "Zoë"}


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ("{type: build, image_name: x, registry: nope}", "the registry nope is not known"),
        ("{type: build, image_name: '${{NOPE}}'}", "it does not know what the image is called"),
        ("{type: build, image_name: x, tag: '${{NOPE}}'}", "it does not know the tag"),
        ("{type: build, image_name: x, tag: 'a b'}", "has a tag that is none"),
        ("{type: build, image_name: x, dockerfile: nope}", "there is no Dockerfile"),
        (
            "{type: build, image_name: x, working_directory: /nope}",
            "the build context is no folder",
        ),
        ("{type: push, candidate: 'nope:1', registry: r.example.com}", "there is no image nope:1"),
        ("{type: push, candidate: '${{nope}}'}", "it does not know what to push"),
        ("{type: push-tag, image_name: nope, tags: [a]}", "nope:latest names no registry"),
    ],
)
def test_what_cannot_be_built_or_pushed_is_said(run, step, said):
    ran = run(f"  odd: {step}\n")

    assert ran.code == 1
    assert said in ran.out
    assert "Traceback" not in ran.out
