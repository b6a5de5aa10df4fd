"""Steps of type launch-composition."""

import json

import pytest

from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.orders import work_of
from crossfade.core.pipeline.run import begin
from crossfade.core.pipeline.supported import refusals
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.core.pipeline.work import Access, CannotRun
from crossfade.testing.fake_build import graph_from

LAUNCH = {"type": "launch-composition", "composition": {"services": {"a": {"image": "${{I}}"}}}}
GIVEN = {"CF_BUILD_ID": "7", "CF_PIPELINE_NAME": "shop/web", "I": "alpine"}


def work(step):
    graph = graph_from({"steps": {"up": step}})
    state = begin({name: Variable(name, each, Source.RUN) for name, each in GIVEN.items()})
    return work_of(graph.units["up"].step, context_of(graph, state, "up"))


def document(script):
    return json.loads(script.splitlines()[1])


def test_the_step_launches_what_is_written_with_the_variables_of_the_build():
    made = work({**LAUNCH, "environment_name": "review-${{I}}", "composition_variables": ["A=1=2"]})

    assert made.access is Access.HUB
    assert "environment launch --lifetime 24h --build 7" in made.script
    assert made.script.splitlines()[0].endswith("-- review-alpine <<'END'")
    told = document(made.script)
    assert told["composition"] == {"services": {"a": {"image": "alpine"}}}
    assert (told["variables"]["A"], told["variables"]["I"]) == ("1=2", "alpine")


def test_an_environment_without_a_name_is_that_of_its_pipeline_and_step():
    assert "-- shop/web/up <<" in work(LAUNCH).script


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"environment_name": "a b"}, "environment_name is 'a b'"),
        ({"lifetime": "soon"}, "lifetime is 'soon'"),
        ({"lifetime": "1000h"}, "at most 720h"),
        ({"lifetime": "0s"}, "lifetime is '0s'"),
    ],
)
def test_what_cannot_be_launched_is_said(more, said):
    with pytest.raises(CannotRun, match=said):
        work({**LAUNCH, **more})


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ({"lifetime": "soon"}, "lifetime is 'soon'"),
        ({"composition": {"a": {"build": "."}}}, "`build` is not supported"),
    ],
)
def test_what_is_known_to_be_wrong_is_said_before_anything_runs(more, said):
    graph = graph_from({"steps": {"up": {**LAUNCH, **more}}})
    (only,) = refusals(graph, str, lambda _: True, ())

    assert said in only.why


def test_its_paths_begin_in_its_folder():
    assert document(work({**LAUNCH, "working_directory": "ci"}).script)["directory"].endswith("/ci")
