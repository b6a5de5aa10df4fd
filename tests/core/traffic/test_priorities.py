"""Classes of requests: each request is in one, and the last one is turned away first."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.traffic.destinations import EVERYBODY, PARTS, PriorityClass
from crossfade.core.traffic.matrix import shed
from crossfade.core.traffic.priorities import ALL, OTHERS, Priority, refused, sized, whole
from crossfade.core.traffic.split import HeaderMatch

GOLD = Priority("gold", (HeaderMatch("x-plan", "gold"),))
CRAWLERS = Priority("crawlers", path="/crawl")


def test_requests_that_no_class_names_come_last_unless_a_class_takes_them():
    assert whole(()) == (ALL,)
    assert whole((GOLD,)) == (GOLD, OTHERS)
    assert whole((OTHERS, CRAWLERS)) == (OTHERS, CRAWLERS)


def test_while_nobody_counts_all_requests_are_in_the_class_that_loses_first():
    assert sized((GOLD,), {}, EVERYBODY) == (
        PriorityClass("gold", 0),
        PriorityClass("others", PARTS),
    )


def test_classes_are_as_large_as_they_are_counted():
    found = sized((GOLD,), {"gold": 25.0, "others": 75.0}, EVERYBODY)

    assert [each.parts for each in found] == [2500, 7500]


def test_small_changes_of_a_class_change_no_plan():
    before = (PriorityClass("gold", 2500), PriorityClass("others", 7500))

    assert sized((GOLD,), {"gold": 25.4, "others": 74.6}, before) == before
    assert sized((GOLD,), {"gold": 27.0, "others": 73.0}, before)[0].parts == 2700


@pytest.mark.parametrize(
    ("turned_away", "of_gold", "of_others"),
    [(0, None, None), (3750, None, 5000), (7500, None, 10_000), (8750, 5000, 10_000)],
)
def test_the_higher_class_loses_only_what_the_lower_one_has_not(turned_away, of_gold, of_others):
    classes = (PriorityClass("gold", 2500), PriorityClass("others", 7500))
    found = refused(classes, shed(classes, turned_away))

    assert (found.get("gold"), found.get("others")) == (of_gold, of_others)


@given(
    st.lists(st.integers(0, 1000), min_size=1, max_size=6).filter(any),
    st.integers(0, PARTS),
)
def test_edges_turn_away_what_does_not_fit_and_hardly_more(counts, turned_away):
    priorities = tuple(Priority(f"c{i}", path=f"/{i}") for i in range(len(counts)))
    classes = sized(priorities, {f"c{i}": n for i, n in enumerate(counts)}, ())
    parts = {each.name: each.parts for each in classes}
    found = refused(classes, shed(classes, turned_away))

    lost = sum(parts[name] * share / PARTS for name, share in found.items())
    assert turned_away <= lost + 1e-6
    assert lost <= turned_away + len(counts)
