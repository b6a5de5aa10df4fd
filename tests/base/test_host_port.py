"""HOST:PORT as people write it."""

import pytest

from crossfade.base.errors import InputError
from crossfade.base.host_port import HostPort, host_port


@pytest.mark.parametrize(
    ("text", "host", "port", "address", "loopback"),
    [
        ("127.0.0.1:80", "127.0.0.1", 80, True, True),
        ("0.0.0.0:17443", "0.0.0.0", 17443, True, False),  # noqa: S104 - a text
        ("[::1]:80", "::1", 80, True, True),
        ("[2001:db8::7]:80", "2001:db8::7", 80, True, False),
        ("localhost:65535", "localhost", 65535, False, True),
        (" Hub.Example.com:1 ", "hub.example.com", 1, False, False),
    ],
)
def test_a_place_is_read_as_it_is_written(text, host, port, address, loopback):
    found = host_port(text, "--x")

    assert found == HostPort(host, port)
    assert (found.is_address, found.is_loopback) == (address, loopback)
    assert host_port(str(found), "--x") == found


@pytest.mark.parametrize(
    "text",
    ["", "h", "h:", ":80", "h:0", "h:65536", "h:x", "::1:80", "[::1]", "a b:80", "-h:80", "h:٣",
     "h:9999999", "http://h:80", "h\n:80"],
)  # fmt: skip
def test_what_is_no_place_is_refused_with_examples(text):
    with pytest.raises(InputError) as caught:
        host_port(text, "--hub-address")

    assert caught.value.what == "--hub-address is no HOST:PORT"
    assert "192.0.2.7:80" in caught.value.hint
