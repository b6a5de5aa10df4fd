"""The pipelines of the examples are accepted without a warning, and refused by nothing here."""

from pathlib import Path

import pytest

from crossfade.adapters.pipelines.judging import judge
from crossfade.core.pipeline.findings import Verdict
from crossfade.core.pipeline.graph import graph_of
from crossfade.core.pipeline.supported import refusals

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = [*EXAMPLES.rglob("codefresh*.yml"), *EXAMPLES.rglob("release.yml")]


@pytest.mark.parametrize("file", sorted(FILES), ids=lambda each: each.name)
def test_a_pipeline_of_the_examples_can_be_run_as_it_is(file):
    judged = judge(file.read_text())
    against = refusals(graph_of(judged.pipelines[0]), lambda text: text, lambda _: True, ())

    assert (judged.verdict, judged.warnings, against) == (Verdict.OK, (), ())
