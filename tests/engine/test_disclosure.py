"""What is kept for those who may see all applications."""

from crossfade.engine.disclosure import in_full, told_in_full, with_more
from crossfade.ports.documents import Event

PLAIN = Event("cluster/gcp", 1.0, "drill 1: refused", {"drill": 1})


def test_what_says_no_more_in_full_is_kept_once():
    assert with_more(PLAIN, PLAIN.reason) == PLAIN
    assert told_in_full(PLAIN) == PLAIN


def test_those_who_may_see_all_read_the_whole_reason_and_others_do_not():
    event = with_more(PLAIN, "drill 1: refused: a rollout of colors is under way")

    assert event.reason == PLAIN.reason
    assert in_full(event) == "drill 1: refused: a rollout of colors is under way"
    assert told_in_full(event).facts == PLAIN.facts
    assert in_full(told_in_full(event)) == in_full(event)
