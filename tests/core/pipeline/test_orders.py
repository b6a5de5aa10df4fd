"""Where steps run and what they run."""

import pytest

from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.orders import work_of
from crossfade.core.pipeline.run import begin
from crossfade.core.pipeline.state import Phase, Result, UnitState
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.core.pipeline.work import VOLUME, CannotRun
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


def test_an_image_without_commands_cannot_be_run():
    with pytest.raises(CannotRun, match="commands"):
        work({"image": "alpine"})


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
