"""What steps that make images ask our commands for."""

import shlex

import pytest

from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.orders import work_of
from crossfade.core.pipeline.run import begin
from crossfade.core.pipeline.state import Phase, Result, UnitState
from crossfade.core.pipeline.supported import refusals
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.core.pipeline.work import VOLUME, Access, CannotRun
from crossfade.testing.fake_build import graph_from

DIGEST = "sha256:" + "1" * 64
MADE = {"self": "r.example.com/team/app:1", "imageName": "app", "imageDigest": DIGEST}


def work(step, *, variables=None, version="v2"):
    steps = {"make": {"type": "build", "image_name": "app"}, "s": step}
    graph = graph_from({"steps": steps, "build_version": version})
    given = {n: Variable(n, v, Source.RUN) for n, v in (variables or {}).items()}
    done = UnitState(Phase.DONE, Result.SUCCESS, 0.0, members=MADE)
    state = type(begin(given))(units={"make": done}, variables=given)
    return work_of(graph.units["s"].step, context_of(graph, state, "s"))


def words(step, **more):
    """Return the call of our command."""
    return shlex.split(work(step, **more).script.splitlines()[0])


def build(**keys):
    return {"type": "build", "image_name": "app", **keys}


def push(**keys):
    return {"type": "push", "candidate": "${{make}}", **keys}


@pytest.mark.parametrize(
    ("step", "variables", "names"),
    [
        (build(), {}, ["app:latest"]),
        (build(), {"CF_BRANCH": "Feature/x y"}, ["app:feature-x-y"]),
        (build(tag_policy="original"), {"CF_BRANCH": "Feature/x"}, ["app:Feature-x"]),
        (build(), {"CF_REVISION": "abc", "CF_SHORT_REVISION": "ab"}, ["app:ab"]),
        (build(tag="A"), {}, ["app:a"]),
        (build(tags=["b", "A", "b"]), {}, ["app:b", "app:a"]),
        (build(image_name="Team/App", tag="1"), {}, ["team/app:1"]),
    ],
)
def test_an_image_is_named_as_codefresh_would_name_it(step, variables, names):
    called = [each[6:] for each in words(step, variables=variables) if each.startswith("--tag=")]

    assert called == names


@pytest.mark.parametrize(
    ("keys", "options"),
    [
        ({}, ["--push-default"]),
        ({"registry": "prod"}, ["--push", "--registry=prod"]),
        ({"disable_push": True}, []),
        ({"disable_push": "yes", "registry": "prod"}, []),
    ],
)
def test_an_image_is_pushed_unless_the_step_says_otherwise(keys, options):
    found = words(build(**keys))

    assert [e for e in found if e.startswith(("--push", "--registry="))] == options


@pytest.mark.parametrize(
    ("step", "line"),
    [
        (build(registry="prod"), ""),
        (
            push(tag="2", registry="prod"),
            f"crossfade image tag -- r.example.com/team/app:1@{DIGEST} app:2",
        ),
        (
            {"type": "push-tag", "image_name": "r/app:1", "tags": ["2"]},
            "crossfade image tag -- r/app:1 r/app:2",
        ),
    ],
)
def test_nothing_is_pushed_when_the_build_says_that_images_stay(step, line):
    script = work(step, variables={"CROSSFADE_PUSH": "false"}).script

    assert "image push" not in script
    assert "--push" not in script
    assert line in script


def test_pipelines_of_the_first_version_push_in_steps_of_their_own():
    assert "--push-default" not in words(build(), version="v1")


def test_what_the_step_says_of_the_build_comes_to_the_builder():
    found = words(
        build(
            target="run",
            no_cache=True,
            buildx=True,
            platform="linux/amd64",
            registry_contexts=["a", "b"],
            dockerfile="ci/Dockerfile",
            working_directory="./sub",
        )
    )

    assert f"{VOLUME}/sub" in found
    for each in ("--target=run", "--no-cache", "--platform=linux/amd64", "--registry-context=b"):
        assert each in found
    assert f"--file={VOLUME}/sub/ci/Dockerfile" in found


def test_values_of_build_arguments_are_on_no_command_line():
    step = build(build_arguments=["TOKEN=tok-1", "FROM_THE_BUILD", "NOT_THERE"])
    script = work(step, variables={"FROM_THE_BUILD": "v"}).script

    assert "tok-1" not in script.splitlines()[0]
    assert '{"TOKEN": "tok-1", "FROM_THE_BUILD": "v"}' in script.splitlines()


def test_a_dockerfile_in_the_step_cannot_end_early():
    script = work(build(dockerfile={"content": "FROM scratch\nEND\nLABEL a=b"})).script

    assert "0<<'END_'" in script.splitlines()[0]


def test_an_image_of_this_build_is_pushed_by_its_content():
    assert f"r.example.com/team/app:1@{DIGEST}" in words(push())
    assert "r.example.com/team/app:1" in words(push(candidate="r.example.com/team/app:1"))


@pytest.mark.parametrize(
    ("keys", "names"),
    [
        ({}, ["app:latest"]),
        ({"tag": "1", "tags": ["2"]}, ["app:1", "app:2"]),
        ({"image_name": "Other/name", "tag": "1"}, ["other/name:1"]),
        ({"candidate": "r.example.com/x/y:3", "tag": "1"}, ["x/y:1"]),
    ],
)
def test_a_pushed_image_has_the_name_of_its_candidate_unless_the_step_says_so(keys, names):
    assert [each[5:] for each in words(push(**keys)) if each.startswith("--as=")] == names


@pytest.mark.parametrize("key", ["registry", "registry_context"])
def test_an_image_is_pushed_to_the_registry_that_is_named(key):
    assert "--registry=prod" in words(push(**{key: "prod"}))


def test_a_password_of_a_step_is_a_secret_and_on_no_command_line():
    found = work(push(registry="r", credentials={"username": "u", "password": "pass-1"}))

    assert found.secrets == ("pass-1",)
    assert "pass-1" not in found.script.splitlines()[0]


def test_steps_that_make_images_use_our_own_commands_and_tell_what_they_made():
    found = work(build(tag="1"))

    assert (found.access, found.image) == (Access.HUB, "")
    assert found.members["imageTagName"] == "1"
    assert found.tells["IMAGE"] == "self"


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (build(image_name="${{X}}"), "what the image is called"),
        (build(image_name="a b"), "is not the name of an image"),
        (build(tag="${{X}}"), "it does not know the tag"),
        (push(candidate="${{nope}}"), "what to push"),
        ({"type": "push-tag", "image_name": "x", "tags": []}, "it has no tags"),
    ],
)
def test_what_cannot_be_known_is_said(step, said):
    with pytest.raises(CannotRun, match=said):
        work(step)


@pytest.mark.parametrize(
    ("step", "said"),
    [
        (build(secrets=["id=a,src=b"]), "`secrets` is not supported"),
        (build(ssh="default"), "`ssh` is not supported"),
        (build(cosign={"sign": True}), "`cosign` is not supported"),
        (build(buildx=True, platform="linux/amd64,linux/arm64"), "several platforms"),
        (build(provider={"type": "gcb", "arguments": {"cache": {"repo": "a"}}}), "provider: gcb"),
        (push(provider="ecr"), "provider: ecr"),
        (push(accessKeyId="a"), "`accessKeyId` is not supported"),
    ],
)
def test_what_is_not_there_is_refused_before_anything_runs(step, said):
    graph = graph_from({"steps": {"s": step}})

    (only,) = refusals(graph, lambda text: text, lambda _: True, ())

    assert said in only.why
