"""References and quotes of Dockerfiles mean what they mean to Docker."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crossfade.core.image.words import BadReference, filled_in, words

VARIABLES = {"A": "one", "B": "two words", "EMPTY": ""}


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("$A ${A}x $AB", ("one", "onex", "")),
        ("$B", ("two words",)),
        ("'$A' \"$A b\" \\$A", ("$A", "one b", "$A")),
        ("${X:-other} ${X-other} ${EMPTY:-other} ${EMPTY-other}", ("other", "other", "other", "")),
        ("${A:+yes} ${EMPTY:+yes}. ${EMPTY+yes} ${X+yes}.", ("yes", ".", "yes", ".")),
        ("${X:-${A}-$B}", ("one-two words",)),
        ("${X:-'a }'}", ("a }",)),
        ('"a \\" b" c\\ d', ('a " b', "c d")),
        ("$ $1 5$", ("$", "$1", "5$")),
    ],
)
def test_words(text, found):
    assert words(text, VARIABLES) == found


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("'a", "quote is not closed"),
        ('"a', "quote is not closed"),
        ("${A", "goes on neither"),
        ("${A:-x", "not closed"),
        ("${}", "not followed by the name"),
        ("${A/x/y}", "goes on neither"),
        ("${X:?give it}", "X must be given: give it"),
    ],
)
def test_what_is_not_understood_is_not_guessed(text, why):
    with pytest.raises(BadReference, match=why):
        words(text, VARIABLES)


@given(st.text(alphabet="aA$B{}:-+?'\"\\ x", max_size=40))
def test_no_text_makes_the_reader_fall_over(text):
    try:
        words(text, VARIABLES)
        filled_in(text, VARIABLES)
    except BadReference:
        pass
