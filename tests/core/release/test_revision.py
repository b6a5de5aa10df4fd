"""The same content is the same revision."""

from crossfade.core.release.revision import revision_id
from crossfade.testing.builders import BLUE


def test_the_order_of_values_does_not_make_another_revision():
    assert revision_id("d", {"a": 1, "b": 2}) == revision_id("d", {"b": 2, "a": 1})


def test_another_value_or_chart_does():
    ids = {revision_id("d", {}), revision_id("e", {}), revision_id("d", {"a": 1})}

    assert len(ids) == 3


def test_an_id_is_part_of_a_dns_label():
    made = revision_id("d", {})

    assert made[0] == "r"
    assert len(made) == 8


def test_the_release_is_named_after_application_and_revision():
    assert BLUE.release == "colors-blue"
