"""Paths that a trigger listens to."""

import pytest

from crossfade.core.pipeline.expression.meter import Meter
from crossfade.core.pipeline.globs import fits_glob


@pytest.mark.parametrize(
    ("pattern", "path", "fits"),
    [
        ("README.md", "README.md", True),
        ("README.md", "docs/README.md", False),
        ("README.md", "READMEXmd", False),
        ("/src/**", "src/a/b.py", True),
        ("src/**", "src2/a.py", False),
        ("**/*.go", "main.go", True),
        ("**/*.go", "a/b/main.go", True),
        ("*.go", "a/main.go", False),
        ("a/*/c", "a/b/c", True),
        ("a/*/c", "a/b/b/c", False),
        ("{src,lib}/**", "lib/x", True),
        ("{src,lib}/**", "doc/x", False),
        ("!{docs/**,*.md}", "src/x.py", True),
        ("!{docs/**,*.md}", "docs/x", False),
        ("file[0-9].txt", "file7.txt", True),
        ("file[!0-9].txt", "file7.txt", False),
        ("fil?.txt", "file.txt", True),
        ("a(b)+c$", "a(b)+c$", True),
        ("}", "}", True),
    ],
)
def test_a_glob_means_paths_as_people_expect(pattern, path, fits):
    assert fits_glob(pattern, path) is fits


def test_a_glob_that_takes_too_long_fits_nothing_and_delays_nobody():
    assert not fits_glob("*a" * 200 + "b", "a" * 5000, Meter())
