"""Which step stands for the clone that starts a build."""

import pytest

from crossfade.core.pipeline.document import MAIN_CLONE, with_main_clone
from crossfade.testing.fake_build import graph_from

RUNS = {"image": "alpine", "commands": ["true"]}
OWN = "${{CF_REPO_OWNER}}/${{CF_REPO_NAME}}"


def mains(steps, repository=""):
    pipeline = graph_from({"steps": steps}).pipeline
    block = with_main_clone(pipeline, repository).block
    return [each.name for each in block.steps if each.main], len(block.steps)


def clone(repo):
    return {"type": "git-clone", "repo": repo}


def test_a_pipeline_without_a_clone_gets_one():
    assert mains({"s": RUNS}) == ([MAIN_CLONE], 2)
    assert mains({"other": clone("a/charts"), "s": RUNS}, "a/shop") == ([MAIN_CLONE], 3)


@pytest.mark.parametrize(
    ("repo", "repository"),
    [
        (OWN, ""),
        ("${{ CF_REPO_OWNER }}/${{ CF_REPO_NAME }}", "a/shop"),
        (f"https://github.com/{OWN}.git", ""),
        ("A/shop", "a/Shop"),
        ("https://git.example.com/a/shop.git", "a/shop"),
        ("git@git.example.com:a/shop", "a/shop"),
    ],
)
def test_a_repository_that_is_cloned_under_any_name_is_not_cloned_twice(repo, repository):
    steps = {"charts": clone("a/charts"), "checkout": clone(repo), "again": clone(repo), "s": RUNS}

    assert mains(steps, repository) == (["checkout"], 4)


def test_the_step_with_the_name_goes_before_all_others():
    assert mains({"c": clone(OWN), MAIN_CLONE: clone("a/other")}) == ([MAIN_CLONE], 2)
