"""What people see of traffic is what edges counted, and no more memory than agreed is taken."""

import pytest

from crossfade.engine import figures
from crossfade.engine.figures import BUCKET_SECONDS, KEPT_SECONDS, Count, Figures

HALF = {"blue": 75.0, "yellow": 25.0}


def seen(requests, failed=0, *, application="colors", cluster="aws", shares=HALF):
    return Count(application, cluster, requests, failed, shares)


def test_requests_are_split_over_revisions_as_the_data_plane_confirms():
    known = Figures()
    known.add(1000, [seen(100, 4)])
    known.add(1001, [seen(100, 1, shares={"yellow": 100.0})])

    (point,) = known.history("colors")["aws"]

    assert (point.requests, point.failed) == (200, 5)
    assert point.revisions == {"blue": 75.0, "yellow": 125.0}


def test_nothing_of_another_application_is_in_the_history():
    known = Figures()
    known.add(1000, [seen(1), seen(9, application="shapes", cluster="gcp")])

    assert set(known.history("colors")) == {"aws"}


def test_the_rate_now_is_of_the_newest_seconds_only():
    known = Figures()
    known.add(1000, [seen(1_000_000)])
    for second in range(100):
        known.add(1100 + second, [seen(60)])

    now = known.now(1199.9)[("colors", "aws")]

    assert now.requests / now.seconds == pytest.approx(60, rel=0.1)


def test_steady_users_are_a_flat_line_however_reports_fall_into_stretches():
    known = Figures()
    for tick in range(150):  # a look every 0.4 s, and a report with every third of them
        known.add(1000 + 0.4 * tick, [seen(72)] if tick % 3 == 0 else [])

    whole = known.history("colors")["aws"][1:-1]
    assert {each.requests for each in whole} > {288}, "as many reports in every stretch"
    assert [each.requests / each.seconds for each in whole] == pytest.approx([60] * len(whole))


def test_users_that_stay_away_are_seen_within_seconds():
    known = Figures()
    for second in range(20):
        known.add(1000 + second, [seen(60)])
    known.add(1027, [])

    now = known.now(1027)[("colors", "aws")]
    assert now.requests / now.seconds < 35


def test_a_first_report_is_no_flood():
    known = Figures()
    known.add(1000.0, [seen(60)])

    now = known.now(1000.01)[("colors", "aws")]

    assert now.requests / now.seconds <= 60


def test_a_cluster_that_gets_nothing_any_more_is_at_zero_soon():
    known = Figures()
    known.add(1000, [seen(60)])
    known.add(1030, [])

    assert known.now(1030) == {}


def test_what_is_older_than_half_an_hour_is_forgotten():
    known = Figures()
    for second in range(0, int(2 * KEPT_SECONDS), int(BUCKET_SECONDS)):
        known.add(10_000 + second, [seen(1)])

    points = known.history("colors")["aws"]

    assert len(points) == KEPT_SECONDS / BUCKET_SECONDS + 1
    assert points[-1].at - points[0].at == KEPT_SECONDS


def test_many_applications_are_kept_for_less_time_instead_of_more_memory(monkeypatch):
    monkeypatch.setattr(figures, "MOST_CELLS", 100)
    known = Figures()
    for second in range(0, 300, 5):
        known.add(1000 + second, [seen(1, application=f"a{at}") for at in range(30)])

    assert 2 <= len(known.history("a7")["aws"]) <= 4
    assert known.history("a7")["aws"][-1].at == 1295


def test_one_moment_with_more_than_all_memory_is_kept_all_the_same(monkeypatch):
    monkeypatch.setattr(figures, "MOST_CELLS", 10)
    known = Figures()
    known.add(1000, [seen(1, application=f"a{at}") for at in range(30)])

    assert known.history("a29")
