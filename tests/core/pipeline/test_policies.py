"""Builds wait for each other, and end for each other, as the policies of pipelines say."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.pipeline.policies import (
    Entry,
    Policies,
    Previous,
    Stage,
    admitted,
    policies_of,
    unwanted,
)

W, R = Stage.WAITING, Stage.RUNNING


def entry(number, stage=W, pipeline="p", **more) -> Entry:
    return Entry(number, pipeline, stage, **more)


@pytest.mark.parametrize(
    ("policies", "entries", "found"),
    [
        pytest.param(Policies(), [entry(1), entry(2)], (1, 2), id="without-limits-all-begin"),
        pytest.param(Policies(1), [entry(1), entry(2)], (1,), id="the-oldest-first"),
        pytest.param(Policies(1), [entry(1, R), entry(2)], (), id="one-at-a-time"),
        pytest.param(Policies(0), [entry(1)], (), id="a-frozen-pipeline-begins-nothing"),
        pytest.param(
            Policies(2), [entry(1, R), entry(2), entry(3)], (2,), id="what-begins-takes-a-place"
        ),
        pytest.param(
            Policies(1), [entry(1, Stage.ASKING), entry(2)], (), id="who-waits-for-people-counts"
        ),
        pytest.param(
            Policies(1, asking_counts=False),
            [entry(1, Stage.ASKING), entry(2)],
            (2,),
            id="unless-it-is-said-otherwise",
        ),
        pytest.param(
            Policies(1), [entry(1, Stage.ENDING), entry(2)], (), id="what-still-ends-has-its-place"
        ),
        pytest.param(
            Policies(None, None, 1),
            [entry(1, R, branch="a"), entry(2, branch="a"), entry(3, branch="b")],
            (3,),
            id="one-a-branch",
        ),
        pytest.param(
            Policies(None, 1),
            [entry(1, R, trigger="t"), entry(2, trigger="t"), entry(3, trigger="u")],
            (3,),
            id="one-a-trigger",
        ),
        pytest.param(
            Policies(1), [entry(1, R, pipeline="other"), entry(2)], (2,), id="others-do-not-count"
        ),
    ],
)
def test_builds_begin_when_there_is_a_place_for_them(policies, entries, found):
    assert admitted(entries, {"p": policies}) == found


def test_what_is_urgent_begins_before_what_is_older():
    policies = {"low": Policies(priority=-5), "high": Policies(priority=5)}

    assert admitted([entry(1, pipeline="low"), entry(2, pipeline="high")], policies) == (2, 1)


SAME_BRANCH = Policies(previous=(Previous(),))


@pytest.mark.parametrize(
    ("policies", "entries", "ended"),
    [
        pytest.param(Policies(), [entry(1, R), entry(2)], [], id="without-a-policy-nothing-ends"),
        pytest.param(SAME_BRANCH, [entry(1, R), entry(2)], [1], id="the-older-one-ends"),
        pytest.param(
            SAME_BRANCH, [entry(1, R, branch="a"), entry(2, branch="b")], [], id="not-of-another"
        ),
        pytest.param(
            Policies(previous=(Previous(any_branch=True),)),
            [entry(1, R, branch="a"), entry(2, branch="b")],
            [1],
            id="of-any-branch",
        ),
        pytest.param(
            Policies(previous=(Previous(branch="/^feature-/"),)),
            [entry(1, R, branch="feature-x"), entry(2, R, branch="main"), entry(3, branch="q")],
            [1],
            id="of-branches-of-a-pattern",
        ),
        pytest.param(
            SAME_BRANCH, [entry(1, R, trigger="t"), entry(2)], [], id="not-of-another-trigger"
        ),
        pytest.param(
            Policies(previous=(Previous(any_trigger=True),)),
            [entry(1, R, trigger="t"), entry(2)],
            [1],
            id="of-any-trigger",
        ),
        pytest.param(
            SAME_BRANCH,
            [entry(1, R, again=True), entry(2)],
            [],
            id="what-somebody-had-begin-again-stays",
        ),
        pytest.param(
            Policies(children=True),
            [entry(1, Stage.TERMINATED), entry(2, R, parent=1), entry(3, R)],
            [2],
            id="children-end-with-their-parent",
        ),
        pytest.param(
            Policies(),
            [entry(1, Stage.TERMINATED), entry(2, R, parent=1)],
            [],
            id="children-go-on-unless-it-is-said",
        ),
    ],
)
def test_builds_end_for_others(policies, entries, ended):
    assert sorted(unwanted(entries, {"p": policies})) == ended


def test_a_pipeline_says_its_policies_as_codefresh_does():
    found = policies_of(
        {
            "concurrency": 1,
            "triggerConcurrency": 2,
            "branchConcurrency": 0,
            "priority": -3,
            "options": {"pendingApprovalConcurrencyApplied": False},
            "terminationPolicy": [
                {"type": "branch", "event": "onCreate", "ignoreTrigger": True},
                {"type": "annotation", "event": "onTerminate", "key": "cf_predecessor"},
            ],
        }
    )

    assert found == Policies(1, 2, 0, False, -3, (Previous(any_trigger=True),), children=True)


@pytest.mark.parametrize(
    "spec",
    [
        {"concurrency": -1},
        {"concurrency": "many"},
        {"branchConcurrency": True},
        {"priority": 101},
        {"terminationPolicy": {"type": "branch"}},
        {"terminationPolicy": [{"type": "branch", "event": "onTerminate"}]},
        {"terminationPolicy": ["branch"]},
    ],
)
def test_what_is_no_policy_is_refused(spec):
    with pytest.raises(InputError) as raised:
        policies_of(spec)

    assert raised.value.hint
