"""Pipelines whose steps stand elsewhere."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.pipeline.template import Template, filled, template_of

GIT = {"location": "git", "repo": "team/app", "path": "./ci/codefresh.yml"}


@pytest.mark.parametrize(
    ("given", "found"),
    [
        (GIT, Template("https://github.com/team/app.git", "ci/codefresh.yml")),
        ({"repo": "team/app"}, Template("https://github.com/team/app.git", "codefresh.yml")),
        (
            {**GIT, "context": "gitlab-team", "revision": "main"},
            Template("https://gitlab.com/team/app.git", "ci/codefresh.yml", "main", "gitlab-team"),
        ),
        (
            {"repo": "git@example.com:a/b.git", "path": "x.yml"},
            Template("git@example.com:a/b.git", "x.yml"),
        ),
        ({"location": "url", "url": "https://a.b/c.yml"}, Template("https://a.b/c.yml")),
    ],
)
def test_where_the_steps_stand(given, found):
    assert template_of({"specTemplate": given}) == found


def test_a_pipeline_has_its_steps_itself_unless_it_says_otherwise():
    assert template_of({}) is None


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("x", "no mapping"),
        ({**GIT, "pth": "a"}, "unknown key 'pth'"),
        ({"location": "svn"}, "location 'svn'; allowed: git, url"),
        ({"location": "git"}, "has no `repo`"),
        ({"location": "url", "url": "file:///etc/passwd"}, "allowed: an https:// or http://"),
        ({**GIT, "path": "../../x"}, "leads out of the repository"),
    ],
)
def test_what_is_wrong_is_said(given, said):
    with pytest.raises(InputError, match=said):
        template_of({"specTemplate": given})


def test_a_revision_may_be_that_of_the_trigger_and_must_be_known():
    template = Template("u", "p", "${{CF_BRANCH}}")

    assert filled(template, lambda text: text.replace("${{CF_BRANCH}}", "main")).revision == "main"
    with pytest.raises(InputError, match="reference without a value"):
        filled(template, lambda text: text)
