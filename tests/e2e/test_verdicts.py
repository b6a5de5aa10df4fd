"""Right verdicts over real traffic, as `crossfade demo --verdicts` shows them."""

import pytest

ERRORS, LATENCY, INNOCENT, ONE_CLOUD = 1, 2, 3, 4


@pytest.fixture(scope="module")
def performance(demo):
    """One run: its exit code and what it said, and its record."""
    done, record, _ = demo("--verdicts")
    return done, record


@pytest.mark.timeout(300)
def test_every_verdict_is_right(performance):
    done, record = performance
    broken = [c for act in record["acts"] for c in act["claims"] if not c["held"]]

    assert broken == []
    assert record["ok"], record["trouble"]
    assert done.returncode == 0, done.stderr[-2000:]
    assert [act["act"] for act in record["acts"]] == [1, 2, 3, 4, 5]


def test_bad_versions_harm_fewer_users_than_the_budget_allows(performance):
    _, record = performance
    for number in (ERRORS, ONE_CLOUD):
        measured = record["acts"][number]["measured"]

        assert 0 < measured["harmed_requests"] < 100
        assert measured["evidence"] > 2
    assert record["acts"][LATENCY]["measured"]["errors"] < 20


def test_the_record_has_the_figures_of_each_verdict(performance):
    _, record = performance
    for act in record["acts"][1:]:
        measured = act["measured"]

        assert measured["requests"] > measured["errors"] >= 0
        assert measured["seconds_to_verdict"] > 0
        assert {"harmed_requests", "evidence", "strongest_evidence"} <= set(measured)


def test_an_innocent_version_met_many_errors_and_is_not_blamed(performance):
    _, record = performance
    measured = record["acts"][INNOCENT]["measured"]

    assert measured["errors"] > 10
    assert measured["strongest_evidence"] < 100
