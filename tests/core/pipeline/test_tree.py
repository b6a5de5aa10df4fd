"""Documents as trees, and as the values that are kept of them."""

import json

from crossfade.core.pipeline.tree import Mark, grown, plain


def test_a_document_with_numbers_that_json_has_not_can_be_kept():
    given = {"a": [float("nan"), float("-inf")], "b": 1.5}

    kept = plain(grown(given, Mark(1, 1)))

    assert kept == {"a": ["nan", "-inf"], "b": 1.5}
    assert json.dumps(kept, allow_nan=False)
