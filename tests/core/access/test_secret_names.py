"""Values of secrets are kept as they are, but for the line end that `echo` adds."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.access.secret_names import LARGEST_BYTES, secret_value


@pytest.mark.parametrize(
    ("text", "value"), [("a\n", "a"), ("a\r\n", "a"), ("a\n\n", "a\n"), (" a ", " a ")]
)
def test_one_line_end_is_no_part_of_the_value(text, value):
    assert secret_value(text).reveal() == value


@pytest.mark.parametrize("text", ["", "\n", "é" * (LARGEST_BYTES // 2 + 1)])
def test_nothing_and_too_much_are_refused_without_being_shown(text):
    with pytest.raises(InputError, match="bytes is not kept"):
        secret_value(text)
