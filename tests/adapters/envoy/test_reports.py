"""What follows for clusters from two reports of one edge."""

from crossfade.adapters.envoy.reports import seconds, sights
from crossfade.adapters.envoy.statistics import Endpoint, Page
from crossfade.ports.edge import EdgeTargetSight

GCP = Endpoint("colors", "10.0.0.1:80", "gcp")
OTHER = Endpoint("colors", "10.0.0.2:80", "gcp")
GOOD, BAD = {"healthy": 1}, {"healthy": 0}


def counted(success: int = 0, error: int = 0, total: int | None = None, **more: int):
    total = success + error if total is None else total
    return {"healthy": 1, "rq_success": success, "rq_error": error, "rq_total": total} | more


def seen(healthy: bool = True, trouble: str = "", **counts: int) -> EdgeTargetSight:
    return EdgeTargetSight("colors", "gcp", healthy, trouble, **counts)


def one(now: Page, before: Page | None) -> EdgeTargetSight:
    (sight,) = sights(now, before)[0]
    return sight


def test_the_first_report_counts_nothing_for_nobody_knows_since_when():
    now = Page({GCP: counted(900, 100, cx_connect_fail=7)}, {"colors": {"5xx": 50}})

    assert one(now, None) == seen()


def test_the_next_report_counts_what_is_new():
    before = Page({GCP: counted(900, 100, cx_connect_fail=7)})
    now = Page({GCP: counted(950, 104, cx_connect_fail=8)})

    assert one(now, before) == seen(requests=54, failed=4, connect_failures=1)


def test_counters_that_began_anew_count_in_full():
    before, now = Page({GCP: counted(900, 100)}), Page({GCP: counted(10, 1)})

    assert one(now, before) == seen(requests=11, failed=1)


def test_a_cluster_that_is_new_since_the_report_before_counts_in_full():
    assert one(Page({GCP: counted(10, 1)}), Page()) == seen(requests=11, failed=1)


def test_an_application_s_own_500_is_no_failure_of_the_cluster():
    before = Page({GCP: counted(0, 10)}, {"colors": {"5xx": 10, "503": 4}})
    now = Page({GCP: counted(0, 20)}, {"colors": {"5xx": 18, "503": 6}})

    assert one(now, before) == seen(requests=10, failed=4)


def test_an_application_s_own_500_hides_no_cluster_that_fails():
    aws = Endpoint("colors", "10.0.1.1:80", "aws")
    before = Page({GCP: counted(), aws: counted()}, {"colors": {}})
    now = Page({GCP: counted(0, 100), aws: counted(90, 10)}, {"colors": {"5xx": 10}})

    targets, _ = sights(now, before)
    assert {each.cluster: each.failed for each in targets} == {"aws": 9, "gcp": 91}


def test_tries_that_were_given_up_are_slow_if_there_were_second_tries():
    def page(total: int, active: int, retries: int) -> Page:
        return Page(
            {GCP: counted(10, total=total, rq_active=active)},
            {"colors": {"upstream_rq_retry": retries}},
        )

    assert one(page(16, 1, 9), page(10, 0, 2)) == seen(requests=5, slow=5)
    assert one(page(16, 1, 4), page(10, 0, 2)) == seen(requests=2, slow=2)


def test_long_answers_that_end_are_not_slow():
    before = Page({GCP: counted(10, rq_active=10)})
    now = Page({GCP: counted(10, rq_active=0)})

    assert one(now, before) == seen()


def test_a_cluster_is_healthy_while_one_of_its_addresses_is():
    assert one(Page({GCP: BAD, OTHER: GOOD}), None) == seen()
    assert one(Page({GCP: BAD, OTHER: BAD}), None) == seen(healthy=False, trouble="probes fail")


def test_addresses_of_one_cluster_count_together():
    before = Page({GCP: counted(), OTHER: counted()})
    now = Page({GCP: counted(5), OTHER: counted(2, 1)})

    assert one(now, before) == seen(requests=8, failed=1)


def test_people_are_told_why_a_cluster_gets_no_requests():
    def trouble(ejected: int, probed_well: int) -> str:
        group = {
            "outlier_detection.ejections_active": ejected,
            "health_check.healthy": probed_well,
            "membership_total": 3,
        }
        return one(Page({GCP: BAD}, {"colors": group}), None).trouble

    assert trouble(ejected=0, probed_well=2) == "probes fail"
    assert trouble(ejected=1, probed_well=3) == "requests fail"
    assert trouble(ejected=1, probed_well=2) == "probes or requests fail"


def test_nothing_is_said_of_a_cluster_that_was_not_probed_yet():
    waiting = {"colors": {"membership_excluded": 1}}
    targets, kept = sights(Page({GCP: BAD}, waiting), Page())
    assert (targets, kept.endpoints) == ((), {})

    targets, _ = sights(Page({GCP: BAD}, {"colors": {"membership_excluded": 0}}), kept)
    assert targets == (seen(healthy=False, trouble="probes fail"),)


def test_a_known_cluster_stays_in_sight_while_another_waits_for_its_first_probe():
    waiting = {"colors": {"membership_excluded": 1}}

    assert one(Page({GCP: BAD}, waiting), Page({GCP: GOOD})).healthy is False


def test_a_cluster_with_and_without_users_is_one_cluster():
    standby = Endpoint("colors~standby", "10.0.0.1:80", "gcp")

    assert one(Page({GCP: BAD, standby: GOOD}), None) == seen()


def test_it_is_the_edge_s_own_clock_that_says_for_how_long_it_counted():
    assert seconds(Page(at=501.0), Page(at=500.0), 0.001) == 1.0
    assert seconds(Page(at=501.0), Page(at=500.0), 4.0) == 1.0


def test_a_clock_that_is_set_back_counts_for_no_time():
    assert seconds(Page(at=400.0), Page(at=500.0), 1.0) == 0.0


def test_an_edge_that_tells_no_time_has_counted_since_its_report_before_arrived():
    assert seconds(Page(), Page(), 1.5) == 1.5


def test_a_first_report_has_counted_for_no_time():
    assert seconds(Page(at=500.0), None, 0.0) == 0.0
