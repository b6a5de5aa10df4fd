"""What goes when artifacts and caches are old or too many, and what never does."""

from collections import Counter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.pipeline.forgetting import (
    DAY_SECONDS,
    Entry,
    InUse,
    Kind,
    Limits,
    forgotten,
)

NOW = 100 * DAY_SECONDS
NOBODY, USUAL = InUse(), Limits()


def artifacts(build, days_ago, **contents):
    return Entry(Kind.ARTIFACTS, f"a{build}", NOW - days_ago * DAY_SECONDS, contents, build)


def cache(name, days_ago, **contents):
    return Entry(Kind.CACHE, name, NOW - days_ago * DAY_SECONDS, contents)


def names(entries, limits=USUAL, in_use=NOBODY):
    return [each.entry.name for each in forgotten(entries, limits, in_use, NOW)]


def test_what_is_older_than_a_month_goes_and_says_why():
    old, new = artifacts("1", 31, a=5), artifacts("2", 29, b=5)

    (gone,) = forgotten([old, new], Limits(), NOBODY, NOW)

    assert (gone.entry, gone.size, gone.why) == (old, 5, "older than 30 days")


def test_of_more_than_there_is_room_for_the_longest_unused_goes_first():
    entries = [artifacts("1", 1, a=6), cache("c", 3, c=6), artifacts("2", 2, b=6)]

    assert names(entries, Limits(size=18)) == []
    assert names(entries, Limits(size=12)) == ["c"]
    assert names(entries, Limits(size=11)) == ["c", "a2"]
    (gone, _) = forgotten(entries, Limits(size=6), NOBODY, NOW)
    assert "GiB are kept" in gone.why


def test_what_several_share_takes_room_once_and_is_freed_by_the_last():
    entries = [artifacts("1", 3, a=10), artifacts("2", 2, a=10), artifacts("3", 1, b=1)]

    assert names(entries, Limits(size=11)) == []
    gone = forgotten(entries, Limits(size=5), NOBODY, NOW)
    assert [(each.entry.name, each.size) for each in gone] == [("a1", 0), ("a2", 10)]


@pytest.mark.parametrize("limits", [Limits(size=0), Limits(seconds=0)])
def test_a_build_under_way_loses_nothing(limits):
    running = InUse(frozenset("1"), NOW - 5 * DAY_SECONDS)
    entries = [artifacts("1", 90, a=5), cache("fresh", 4, b=5), cache("stale", 6, c=5)]

    assert names(entries, limits, running) == ["stale"]


def test_the_newest_build_of_a_pipeline_is_not_forgotten_for_its_age_alone():
    entries = [artifacts("1", 90, a=5), artifacts("2", 80, b=5)]
    newest = InUse(newest=frozenset("2"))

    assert names(entries, Limits(), newest) == ["a1"]
    assert names(entries, Limits(size=0), newest) == ["a1", "a2"]


CONTENTS = st.dictionaries(st.sampled_from("abcdef"), st.just(3), max_size=4)


@given(
    st.lists(st.tuples(CONTENTS, st.integers(0, 60), st.booleans()), max_size=12),
    st.integers(0, 20),
)
def test_whatever_is_kept_fits_and_nothing_goes_that_would_have_fitted(rows, size):
    entries = [
        artifacts(str(i), days, **contents) if ours else cache(f"c{i}", days, **contents)
        for i, (contents, days, ours) in enumerate(rows)
    ]
    used = InUse(frozenset({"0", "1"}), NOW - 10 * DAY_SECONDS)

    gone = forgotten(entries, Limits(size=size), used, NOW)

    out = {each.entry.name for each in gone}
    left = [each for each in entries if each.name not in out]
    protected = [
        e for e in entries if e.build in used.builds or (not e.build and e.used >= used.since)
    ]
    assert not out & {each.name for each in protected}
    needed = Counter(d for each in left for d in each.contents)
    total = 3 * len(needed)
    assert total <= size or all(each in protected for each in left)
    before = {d for each in entries for d in each.contents}
    assert sum(each.size for each in gone) == 3 * (len(before) - len(needed))
