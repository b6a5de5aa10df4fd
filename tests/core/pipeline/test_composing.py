"""What steps with services ask of who runs them."""

import pytest

from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.orders import work_of
from crossfade.core.pipeline.run import begin
from crossfade.core.pipeline.supported import refusals
from crossfade.core.pipeline.work import VOLUME, CannotRun
from crossfade.testing.fake_build import graph_from

SERVICES = {"composition": {"db": {"image": "alpine", "command": "true"}}}
RUNS = {"image": "alpine", "commands": ["true"]}
READY = {"image": "alpine", "commands": ["true"], "periodSeconds": 1}


def work(step):
    graph = graph_from({"steps": {"s": step}})
    return work_of(graph.units["s"].step, context_of(graph, begin({}), "s"))


def refused(step):
    graph = graph_from({"steps": {"s": step}})
    return [each.why for each in refusals(graph, lambda text: text, lambda _: True, ())]


def test_services_run_beside_the_commands_of_a_step():
    found = work({**RUNS, "services": {**SERVICES, "readiness": READY, "setup": READY}})

    assert found.script == "set -e\ntrue\n"
    assert found.composition.document == SERVICES["composition"]
    assert found.composition.ready.period_seconds == 1
    assert found.composition.candidates is None


def test_candidates_run_in_place_of_commands():
    found = work(
        {
            "type": "composition",
            "composition": "./compose.yml",
            "composition_candidates": {"test": {"image": "alpine", "command": "true"}},
            "composition_variables": ["A=1"],
        }
    )

    assert (found.script, found.composition.document) == ("", "./compose.yml")
    assert found.composition.variables == {"A": "1"}


def test_the_commands_of_an_integration_test_stop_at_the_first_failure():
    test = {"image": "alpine", "commands": ["a", "b"], "working_directory": "sub"}
    found = work({"type": "integration-test", "services": {"db": {"image": "x"}}, "test": test})

    candidate = found.composition.candidates["test"]
    assert candidate["command"] == ["set -e\na\nb"]
    assert candidate["working_dir"] == f"{VOLUME}/sub"
    assert found.composition.document == {"services": {"db": {"image": "x"}}}


def test_a_step_without_services_has_no_composition():
    assert work(RUNS).composition is None


def test_a_readiness_that_cannot_be_read_is_said():
    with pytest.raises(CannotRun, match="periodSeconds is 'soon'"):
        work({**RUNS, "services": {**SERVICES, "readiness": {**READY, "periodSeconds": "soon"}}})


@pytest.mark.parametrize(
    ("step", "said"),
    [
        ({**RUNS, "services": ["named"]}, "there are no services `named`"),
        ({"type": "services", "composition": {}}, "services are no step"),
        ({**RUNS, "services": {"name": "x"}}, "without a `composition`"),
        ({**RUNS, "services": {**SERVICES, "readiness": {"commands": ["a"]}}}, "needs an image"),
        ({**RUNS, "services": {"composition": {"a": {"build": "."}}}}, "`build` is not supported"),
        (
            {
                "type": "integration-test",
                "preconfigured_services": ["mysql"],
                "test": {"image": "a", "commands": ["b"]},
            },
            "the service mysql is its image, and mysql is not at hand",
        ),
    ],
)
def test_what_is_not_there_is_refused_before_anything_runs(step, said):
    (only,) = refused(step)

    assert said in only


TEST = {"image": "alpine", "commands": ["make test"]}


def test_services_that_are_asked_for_by_name_are_public_images():
    step = {"type": "integration-test", "preconfigured_services": ["postgresql", "redis"]}
    found = work({**step, "services": {"redis": {"image": "mine"}}, "test": TEST})

    assert found.composition.document == {
        "services": {"postgresql": {"image": "postgres"}, "redis": {"image": "mine"}}
    }


@pytest.mark.parametrize(
    ("step", "services"),
    [
        ({"type": "travis", "services": {"db": {"image": "a"}}}, {"db": {"image": "a"}}),
        ({"type": "simple_travis", "services": ["mysql"]}, {"mysql": {"image": "mysql"}}),
    ],
)
def test_older_tests_are_integration_tests(step, services):
    found = work({**step, "test": {"image": "alpine", "command": "make test"}})

    assert found.composition.document == {"services": services}
    assert found.composition.candidates["test"]["command"] == ["set -e\nmake test"]
