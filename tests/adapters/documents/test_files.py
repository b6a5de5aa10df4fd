"""Files that are no text, and the one that is standard input."""

import io
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from crossfade.adapters.documents.files import LARGEST_BYTES, decode, given_name, read_given
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


def test_a_dash_is_standard_input_and_has_its_name_and_limit(monkeypatch):
    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"a: 1\n")))
    assert (read_given(Path("-")), given_name(Path("-"))) == ("a: 1\n", "standard input")

    monkeypatch.setattr(sys, "stdin", SimpleNamespace(buffer=io.BytesIO(b"aaaa")))
    with pytest.raises(InputError, match="standard input is larger"):
        read_given(Path("-"), 3)
