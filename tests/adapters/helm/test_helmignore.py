"""`.helmignore` leaves out what Helm leaves out."""

import pytest

from crossfade.adapters.helm import helmignore
from crossfade.base.errors import InputError


@pytest.mark.parametrize(
    ("rule", "path", "folder", "ignored"),
    [
        ("*.bak", "values.bak", False, True),
        ("*.bak", "deep/er/values.bak", False, True),
        ("*.bak", "values.yaml", False, False),
        ("/README.md", "README.md", False, True),
        ("/README.md", "docs/README.md", False, False),
        ("docs/", "docs", True, True),
        ("docs/", "docs", False, False),
        ("docs/*.md", "docs/a.md", False, True),
        ("docs/*.md", "docs/deep/a.md", False, False),
        ("?.txt", "a.txt", False, True),
        ("?.txt", "ab.txt", False, False),
        ("[ab].txt", "a.txt", False, True),
        ("[ab].txt", "c.txt", False, False),
        ("# a comment", "# a comment", False, False),
        ("", "templates/.hidden", False, True),
        ("", ".hidden", False, False),
    ],
)
def test_a_rule_leaves_out_what_it_names_and_no_more(rule, path, folder, ignored):
    assert helmignore.ignores(helmignore.read(rule), path, folder) is ignored


def test_a_rule_that_helm_does_not_know_is_refused_with_its_line():
    with pytest.raises(InputError) as raised:
        helmignore.read("a\ndocs/**/x\n")
    assert raised.value.facts["line"] == 2
