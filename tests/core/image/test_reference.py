"""Names of images are taken apart, and wrong ones refused."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.image.reference import Reference, reference

DIGEST = "sha256:" + "a" * 64


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("colors", Reference("", "colors", "latest")),
        ("team/colors:2.0", Reference("", "team/colors", "2.0")),
        ("r.example.com/a/b:1", Reference("r.example.com", "a/b", "1")),
        ("localhost:5000/a", Reference("localhost:5000", "a", "latest")),
        (f"a@{DIGEST}", Reference("", "a", "", DIGEST)),
        (f"a:1@{DIGEST}", Reference("", "a", "1", DIGEST)),
    ],
)
def test_parts(text, found):
    assert reference(text) == found
    assert reference(str(found)) == found


@pytest.mark.parametrize(
    "text",
    ["", "A", "a:", "a:b:c", "a//b", "a@sha256:1", "-x.y/a", "a b", "r.io/", "a:" + "x" * 129],
)
def test_what_is_no_name_is_refused_with_a_hint(text):
    with pytest.raises(InputError) as caught:
        reference(text)
    assert caught.value.hint


@pytest.mark.parametrize(
    ("registry", "here"),
    [
        ("localhost:5000", True),
        ("127.0.0.1:5000", True),
        ("[::1]:5000", True),
        ("127.0.0.1.example.com", False),
        ("localhost.example.com", False),
    ],
)
def test_only_this_machine_is_loopback(registry, here):
    assert Reference(registry, "a", "1").is_loopback is here
