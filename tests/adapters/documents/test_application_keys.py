"""An application in the keys of its file: read again, it is the same one."""

import json
from dataclasses import replace
from pathlib import Path

import pytest

from crossfade.adapters.documents.application import parse
from crossfade.adapters.documents.application_keys import as_written

FOLDER = Path(__file__).parent
EXAMPLES = Path(__file__).parents[3] / "examples"
FILES = [FOLDER / "full.yaml", FOLDER / "short.yaml", *EXAMPLES.glob("*/crossfade.yaml")]


def empty(key, value):
    if value == {}:
        return key not in {"pause", "ramp", "analysis"}
    return value in (None, []) or (value == "" and key in {"title", "text", "path", "user"})


def said(value):
    """Return the value without what says nothing."""
    if isinstance(value, dict):
        kept = {key: said(each) for key, each in value.items()}
        return {key: each for key, each in kept.items() if not empty(key, each)}
    return [said(each) for each in value] if isinstance(value, list) else value


def without_runs(application):
    analysis = replace(application.analysis, runs=(), source=None)
    strategy = application.strategy
    steps = tuple(each for each in strategy.steps if getattr(each, "run", None) is None)
    source = replace(application.source, values={})
    return replace(
        application, source=source, analysis=analysis, strategy=replace(strategy, steps=steps)
    )


@pytest.mark.parametrize("path", FILES, ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_what_is_shown_is_what_its_author_could_have_written(path):
    (application,) = parse(path.read_text(), "file")
    application = without_runs(application)  # their queries are shown as they are kept
    head = {"apiVersion": "crossfade.dev/v1alpha1", "kind": "Application"}
    text = json.dumps(head | said(as_written(application)))

    assert parse(text, "shown") == (application,)


BLUE_GREEN = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {name: colors}
spec:
  source: {chart: "oci://registry.example.com/colors", version: 1.0.0}
  route: {host: colors.localhost, service: colors}
  rollout: {STRATEGY}
"""


@pytest.mark.parametrize(
    ("strategy", "key", "shown"),
    [
        ("blueGreen: {before: [analysis: {}]}", "blueGreen", "analysis: {}"),
        ("abTest: {match: [{cookie: beta, exact: a}], duration: 1h}", "abTest", "pause: "),
    ],
)
def test_a_strategy_that_stands_for_steps_is_told_in_its_own_place(strategy, key, shown):
    (application,) = parse(BLUE_GREEN.replace("STRATEGY", strategy), "file")
    rollout = as_written(application)["spec"]["rollout"]

    assert any(each.startswith(shown) for each in rollout[key])
    assert "canary" not in rollout
