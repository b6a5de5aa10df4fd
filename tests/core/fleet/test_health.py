"""One bad answer is no outage, and an outage is not over with one good answer."""

from crossfade.core.fleet.health import ClusterHealth, Signal, observe, update


def after(*answers, start=None):
    signal = start or Signal()
    for now, good in enumerate(answers, 1):
        signal = observe(signal, good=good, detail="refused", now=float(now))
    return signal


def test_two_failures_change_nothing():
    assert after(False, False).up


def test_three_failures_in_a_row_are_down():
    down = after(False, False, False)

    assert (down.up, down.since, down.detail) == (False, 3.0, "refused")


def test_a_success_between_starts_the_count_again():
    assert after(False, False, True, False, False).up


def test_two_successes_in_a_row_are_up_again():
    down = after(False, False, False)

    assert not after(True, start=down).up
    assert after(True, True, start=down).up


DOWN, UP = Signal(up=False), Signal()


def test_a_cluster_is_lost_only_when_both_its_api_and_its_data_plane_are_down():
    new = ClusterHealth("aws")

    assert not update(new, DOWN, UP, 1.0).lost
    assert not update(new, UP, DOWN, 1.0).lost
    assert update(new, DOWN, DOWN, 1.0).lost_since == 1.0


def test_the_time_of_the_loss_stays_and_the_return_is_remembered():
    lost = update(update(ClusterHealth("aws"), DOWN, DOWN, 1.0), DOWN, DOWN, 5.0)
    back = update(lost, UP, UP, 9.0)
    later = update(back, UP, UP, 12.0)

    assert (lost.lost_since, back.lost_since, later.back_at) == (1.0, None, 9.0)


def test_each_state_has_a_word_of_its_own():
    new = ClusterHealth("aws")
    words = [update(new, api, data, 1.0).summary for api in (UP, DOWN) for data in (UP, DOWN)]

    assert words == ["healthy", "data-plane-down", "api-down", "lost"]
