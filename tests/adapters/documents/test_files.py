"""Files that are no text."""

import pytest

from crossfade.adapters.documents.files import LARGEST_BYTES, decode
from crossfade.base.errors import InputError


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"a: 1\nb: caf\xe9\n", r"f:2:7: is not UTF-8 \(byte 0xe9\)"),
        (b"\xff\xfea\0", "is UTF-16"),
        (b"PK\x03\x04\0\0", "is no text file"),
        (b"a" * (LARGEST_BYTES + 1), "is larger than 512 KiB"),
    ],
)
def test_bytes_that_are_no_text_are_refused(data, message):
    with pytest.raises(InputError, match=message):
        decode(data, "f")


def test_a_byte_order_mark_is_no_part_of_the_text():
    assert decode(b"\xef\xbb\xbfa: 1\r\n", "f") == "a: 1\r\n"
