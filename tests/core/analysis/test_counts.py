"""Windows."""

import pytest

from crossfade.core.analysis.counts import Window


@pytest.mark.parametrize(
    ("n_c", "n_s", "events"),
    [(-1, 5, {}), (5, -1, {}), (5, 5, {"errors": (6, 0)}), (5, 5, {"errors": (0, -1)})],
)
def test_counts_that_nobody_can_have_counted_are_refused(n_c, n_s, events):
    with pytest.raises(ValueError, match="window 3 of gcp has"):
        Window(3, "gcp", n_c, n_s, events)


def test_that_every_request_fails_or_that_there_was_none_is_possible():
    assert Window(1, "gcp", 5, 5, {"errors": (5, 5)})
    assert Window(1, "gcp", 0, 0, {"errors": (0, 0)})
