"""Files for `crossfade traffic`: everything that is wrong is told, with its place."""

import pytest

from crossfade.adapters.documents.traffic import parse_goal, parse_levels
from crossfade.base.errors import InputError
from crossfade.core.traffic.destinations import (
    EVERYBODY,
    PARTS,
    Destination,
    Eligibility,
    Exposure,
    Goal,
    Mode,
    PriorityClass,
)
from crossfade.core.traffic.spill import Level

WHOLE = """\
mode: warm-standby
demand: 900
exposure: {revision: new, cap: 0.29}
classes: [{name: paying, share: 30}, {name: free, share: 70}]
exclusive: true
full: 70
clusters:
  - name: aws
    revisions: {old: 90, new: 10}
    weight: 45
    order: 1
    state: leaving
    capacity: 500
    startable: 200
    minimum: 50
    ramp: 25
    revisionCapacity: {new: 40}
before: {aws: {old: 10000}}
"""


def test_every_key_arrives():
    assert parse_goal(WHOLE, "traffic.yaml") == Goal(
        destinations=(
            Destination(
                "aws",
                {"old": 90, "new": 10},
                weight=45,
                order=1,
                eligibility=Eligibility.LEAVING,
                capacity=500,
                startable=200,
                minimum=50,
                ramp_percent=25,
                revision_capacity={"new": 40},
            ),
        ),
        demand=900,
        mode=Mode.WARM_STANDBY,
        exposure=Exposure("new", 29),
        classes=(PriorityClass("paying", 3000), PriorityClass("free", 7000)),
        before={"aws": {"old": 10_000}},
        exclusive=True,
        full_percent=70,
    )


def test_the_shortest_file_has_the_defaults():
    goal = parse_goal("clusters: [{name: aws, revisions: {r1: 100}}]", "-")

    assert (goal.demand, goal.mode, goal.classes) == (PARTS, Mode.ACTIVE_ACTIVE, EVERYBODY)
    assert goal.destinations == (Destination("aws", {"r1": 100}),)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "is empty"),
        ("{clusters: []}", "clusters: is empty"),
        ("{}", "clusters: is missing"),
        ("clusters: 7", "clusters: 7 is not allowed"),
        ("clusters: [{name: a, revisions: {r: 90}}]", "must sum to 100"),
        ("clusters: [{name: a, revisions: {r: 100}}, {name: a, revisions: {r: 100}}]", "a is given twice"),
        ("clusters: [{name: a, revisions: {r: 100}, capacity: 5}]", "demand: is missing: it gives capacity its unit"),
        ("clusters: [{name: a, revisions: {r: 100}, state: dead}]", '"dead" is not allowed; allowed: serves'),
        ("clusters: [{name: a, revisions: {r: 100}, revisionCapacity: {x: 1}}]\ndemand: 1", "gives no users to x"),
        ("clusters: [{name: a, revisions: {r: 100}}]\nmode: active", "did you mean"),
        ("clusters: [{name: a, revisions: {r: 100}}]\nclasses: [{name: x, share: 40}]", "must sum to 100 over all classes"),
        ("clusters: [{name: a, revisions: {r: 100}}]\nbefore: {a: {r: 9000}, b: {r: 1001}}", "sums to 10001"),
        ("clusters: [{name: a, revisions: {r: 100}, order: 1}]\nmode: pilot-light", "needs a `minimum`"),
        ("clusters: [{name: a, revisions: {r: 100}}]\nexposure: {revision: r, cap: 101}", "from 0 to 100"),
        ("clusters: [{name: a, revisions: {r: 100}}]\ndemand: 0", "demand: 0 is not allowed"),
        ("clusters: [{name: a, revisions: {r: 100}}]\n---\na: 1", "has 2 documents"),
        ("clusters: [", "is not valid YAML"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_told_with_its_place(text, told):
    with pytest.raises(InputError) as caught:
        parse_goal(text, "traffic.yaml")

    assert told in str(caught.value)
    assert str(caught.value).startswith("traffic.yaml")
    assert "traffic-file.md" in caught.value.hint


def test_priorities_are_json():
    text = (
        '[{"healthy": 25, "degraded": 5, "total": 100}, {"healthy": 1, "total": 3, "excluded": 2}]'
    )

    assert parse_levels(text, "-") == (Level(25, 100, degraded=5), Level(1, 3, excluded=2))


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[]", "0 priorities"),
        ("{}", "is not allowed"),
        ('[{"healthy": 2, "total": 1}]', "is 1, less than the 2"),
        ('[{"healthy": -1, "total": 1}]', "-1 is not allowed"),
        ('[{"healthy": 1.5, "total": 2}]', "1.5 is not allowed"),
        ('[{"healthy": 1, "total": 2, "degrated": 1}]', 'did you mean "degraded"?'),
        ("[" + ",".join(['{"healthy": 1, "total": 1}'] * 129) + "]", "129 priorities"),
    ],
)
def test_wrong_priorities_are_refused(text, told):
    with pytest.raises(InputError, match="priorities") as caught:
        parse_levels(text, "--priorities")

    assert told in str(caught.value)
