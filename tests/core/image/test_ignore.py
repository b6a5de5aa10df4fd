"""`.dockerignore` leaves out what it leaves out for Docker."""

import pytest

from crossfade.core.image.ignore import matching, parse


@pytest.mark.parametrize(
    ("rules", "path", "out"),
    [
        ("*.log", "a.log", True),
        ("*.log", "deep/a.log", False),
        ("**/*.log", "deep/er/a.log", True),
        ("**/*.log", "a.log", True),
        ("node_modules", "node_modules/x/y.js", True),
        ("/build/", "build/out", True),
        ("*\n!keep", "keep/file", False),
        ("*\n!keep\nkeep/not", "keep/not", True),
        ("# a.txt", "a.txt", False),
        ("a?c", "abc", True),
        ("a?c", "a/c", False),
        ("file[0-9]", "file7", True),
        ("x[z-a]", "xb", False),
        ("[", "[", True),
        (".", "a", False),
    ],
)
def test_which_files_are_left_out(rules, path, out):
    assert parse(rules).leaves_out(path) is out


def test_a_folder_is_walked_when_something_of_it_may_be_back():
    assert parse("a").may_skip("a")
    assert not parse("a\n!a/b").may_skip("a")


def test_wildcards_of_sources_do_not_cross_folders():
    assert matching("*.py", ["a.py", "b/c.py", "d.txt"]) == ("a.py",)
