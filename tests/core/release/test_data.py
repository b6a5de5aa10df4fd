"""Versions whose data differ serve side by side only when each reads what the other writes."""

import pytest

from crossfade.core.release.data import DataForms, quarrel

OLD = DataForms("a")
BOTH = DataForms("a", ("b",))
EXPANDED = DataForms("b", ("a",))
CONTRACTED = DataForms("b")


@pytest.mark.parametrize(
    ("one", "other", "why"),
    [
        (OLD, BOTH, ""),
        (BOTH, EXPANDED, ""),
        (EXPANDED, CONTRACTED, ""),
        (OLD, EXPANDED, "does not read `b`"),
        (BOTH, CONTRACTED, "writes `a`, which the other does not read"),
        (OLD, CONTRACTED, "does not read `b` and writes `a`, which the other does not read"),
        (OLD, OLD, ""),
        (OLD, None, ""),
        (None, OLD, ""),
    ],
)
def test_expand_then_contract_gets_along_step_by_step_and_no_step_may_be_left_out(one, other, why):
    assert quarrel(one, other) == why
    assert bool(quarrel(other, one)) is bool(why)
