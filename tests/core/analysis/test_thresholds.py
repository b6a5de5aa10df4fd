"""A threshold fails on enough bad requests only, and silence is neither good nor bad."""

import pytest

from crossfade.core.analysis.judgement import Verdict
from crossfade.core.analysis.spec import ErrorThreshold
from crossfade.core.analysis.thresholds import judge

LIMIT = ErrorThreshold(max_percent=5.0, min_requests=50)


@pytest.mark.parametrize(
    ("requests", "errors", "silent", "verdict"),
    [
        pytest.param(0, 0, (), Verdict.UNKNOWN, id="nobody-came"),
        pytest.param(49, 49, (), Verdict.UNKNOWN, id="too-few-for-a-verdict"),
        pytest.param(50, 0, (), Verdict.PASS, id="good"),
        pytest.param(100, 5, (), Verdict.PASS, id="at-the-limit"),
        pytest.param(100, 6, (), Verdict.FAIL, id="above-the-limit"),
        pytest.param(100, 0, ("gcp",), Verdict.UNKNOWN, id="a-silent-cluster-is-no-pass"),
        pytest.param(100, 6, ("gcp",), Verdict.FAIL, id="what-is-known-to-be-bad-is-bad"),
    ],
)
def test_judge(requests, errors, silent, verdict):
    assert judge(LIMIT, requests, errors, silent).verdict is verdict


def test_the_figures_are_told():
    assert judge(LIMIT, 200, 30, ()).reason == "30 of 200 requests failed (15.0 %), limit 5 %"
    assert judge(LIMIT, 9, 0, ()).reason == "9 of 50 requests needed for a verdict"
