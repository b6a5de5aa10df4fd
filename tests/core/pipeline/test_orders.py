"""Where steps run and what they run."""

from dataclasses import replace

import pytest

from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.orders import work_of
from crossfade.core.pipeline.run import begin
from crossfade.core.pipeline.state import Phase, Result, UnitState
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.core.pipeline.work import VOLUME, CannotRun, Inside
from crossfade.testing.fake_build import graph_from


def work(step, *, clone="", local_dir="", name="s", variables=None):
    graph = graph_from({"steps": {"main_clone": {"type": "git-clone", "repo": "a/b"}, name: step}})
    given = {n: Variable(n, v, Source.RUN) for n, v in (variables or {}).items()}
    state = begin(given)
    if clone:
        done = UnitState(Phase.DONE, Result.SUCCESS, 0.0, members={"self": clone})
        state = type(state)(units={"main_clone": done}, variables=given)
    return work_of(graph.units[name].step, context_of(graph, state, name), local_dir)


RUNS = {"image": "alpine", "commands": ["a", "b"]}


@pytest.mark.parametrize(
    ("keys", "variables", "target"),
    [
        ({"repo": "a/shop"}, {}, "shop"),
        ({"repo": "https://git.example.com/a/shop.git/"}, {}, "shop"),
        ({"repo": "git@example.com:shop.git"}, {}, "shop"),
        ({"repo": "${{CF_REPO_OWNER}}/${{CF_REPO_NAME}}"}, {}, "folder"),
        ({"repo": "${{CF_REPO_CLONE_URL}}"}, {"CF_REPO_NAME": "shop"}, "shop"),
        ({"repo": "a/shop", "working_directory": "deep/er"}, {}, "deep/er/shop"),
    ],
)
def test_a_folder_goes_where_the_clone_would_be(keys, variables, target):
    graph = graph_from({"steps": {"main_clone": {"type": "git-clone", **keys}}})
    step = replace(graph.units["main_clone"].step, main=True)
    state = begin({n: Variable(n, v, Source.RUN) for n, v in variables.items()})

    found = work_of(step, context_of(graph, state, "main_clone"), "/my/folder")

    assert found.members["self"] == f"{VOLUME}/{target}"


def test_a_folder_goes_nowhere_outside_of_the_workspace():
    graph = graph_from({"steps": {"main_clone": {"type": "git-clone", "repo": "a/shop"}}})
    step = graph.units["main_clone"].step
    step = replace(step, main=True, settings={**step.settings, "working_directory": "../.."})

    with pytest.raises(CannotRun, match="is not below"):
        work_of(step, context_of(graph, begin({}), "main_clone"), "/my/folder")


@pytest.mark.parametrize(
    ("given", "clone", "directory"),
    [
        pytest.param(None, "", VOLUME, id="the-workspace"),
        pytest.param(None, f"{VOLUME}/b", f"{VOLUME}/b", id="the-main-clone"),
        pytest.param("sub", f"{VOLUME}/b", f"{VOLUME}/b/sub", id="below-the-main-clone"),
        pytest.param("${{main_clone}}/x", f"{VOLUME}/b", f"{VOLUME}/b/x", id="a-step-and-more"),
        pytest.param("/etc", f"{VOLUME}/b", "/etc", id="absolute"),
        pytest.param("../..", f"{VOLUME}/b", "/codefresh", id="no-dots-are-left"),
    ],
)
def test_a_step_runs_where_codefresh_would_run_it(given, clone, directory):
    step = RUNS if given is None else {**RUNS, "working_directory": given}

    assert work(step, clone=clone).directory == directory


def test_commands_run_in_one_session_that_stops_at_the_first_failure():
    assert work(RUNS).script == "set -e\na\nb\n"


def test_commands_run_in_the_shell_that_they_are_written_for():
    assert (work(RUNS).shell, work({**RUNS, "shell": "bash"}).shell) == ("sh", "bash")


def test_values_are_put_into_commands():
    assert (
        "echo 1 ${{NONE}}"
        in work(
            {"image": "alpine", "commands": ["echo ${{A}} ${{NONE}}"]}, variables={"A": "1"}
        ).script
    )


def test_an_entry_point_runs_with_its_arguments_quoted():
    step = {"image": "alpine", "entry_point": ["printf", "%s"], "cmd": ["two words"]}

    assert work(step).script == "exec printf %s 'two words'\n"


def test_an_image_without_commands_runs_its_entry_point_or_says_that_it_is_not_there():
    found = work({"image": "team/tool", "cmd": "a 'b c'"})

    assert found.inside == Inside(arguments=("a", "b c"), runs_script=False)
    assert "it has no commands" in found.script


def test_an_image_of_this_build_is_run_by_its_content():
    made = {"self": "r.example.com/tool:1", "imageDigest": "sha256:" + "1" * 64}
    graph = graph_from(
        {
            "steps": {
                "make": {"type": "build", "image_name": "tool"},
                "s": {"image": "${{make}}", "commands": ["true"]},
            }
        }
    )
    done = UnitState(Phase.DONE, Result.SUCCESS, 0.0, members=made)
    state = type(begin({}))(units={"make": done})

    found = work_of(graph.units["s"].step, context_of(graph, state, "s"))

    assert found.image == f"r.example.com/tool:1@sha256:{'1' * 64}"


@pytest.mark.parametrize(
    ("given", "seen"),
    [
        (["./a:/b"], ((f"{VOLUME}/a", "/b"),)),
        (["a/../c:/b/"], ((f"{VOLUME}/c", "/b"),)),
        ([f"{VOLUME}/a:/b", "x:/y:rw"], ((f"{VOLUME}/a", "/b"), (f"{VOLUME}/x", "/y"))),
    ],
)
def test_folders_of_the_workspace_can_be_seen_elsewhere(given, seen):
    assert work({**RUNS, "volumes": given}).volumes == seen


@pytest.mark.parametrize("given", ["/etc:/b", "../x:/b", "a:b", "/codefresh/volumes:/b"])
def test_nothing_but_the_workspace_can_be_seen_elsewhere(given):
    with pytest.raises(CannotRun, match="volumes"):
        work({**RUNS, "volumes": [given]})


def test_a_clone_tells_where_it_is_and_hides_its_password():
    step = {
        "type": "git-clone",
        "repo": "https://git.example.com/team/thing.git",
        "credentials": {"username": "u", "password": "p-123"},
    }
    found = work(step)

    assert found.members["self"] == f"{VOLUME}/thing"
    assert found.secrets == ("p-123",)
    assert "p-123" not in found.script


def test_a_clone_that_does_not_know_what_is_no_clone_of_something_else():
    with pytest.raises(CannotRun, match="OWNER"):
        work({"type": "git-clone", "repo": "${{OWNER}}/x"})


def test_a_name_with_quotes_cannot_leave_its_command():
    assert (
        "'https://github.com/a/b;'\"'\"'x.git'"
        in work({"type": "git-clone", "repo": "a/b;'x"}).script
    )
