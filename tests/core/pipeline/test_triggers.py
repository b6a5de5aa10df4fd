"""Which events make builds of a pipeline, and which do not."""

from dataclasses import replace
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from crossfade.base.errors import InputError
from crossfade.core.pipeline.git_events import GitEvent, PullRequest, variables_of_event
from crossfade.core.pipeline.triggers import (
    Push,
    due,
    pushed,
    quiet,
    triggers_of,
    variables_by_hand,
    variables_of_push,
)

PUSH = GitEvent(
    "push.heads",
    "github",
    "Acme/Web",
    "https://git.example.com/acme/web.git",
    "main",
    "0123456789abcdef",
    "Mend it",
    "ann",
    files=("src/a.py", "docs/b.md"),
)
PULL = replace(
    PUSH,
    name="pullrequest.opened",
    branch="feature",
    pull=PullRequest(7, "A title", "opened", "feature", "main"),
)
COMMENT = replace(
    PULL,
    name="pullrequest.commentAdded",
    pull=PullRequest(7, "A title", source="f", target="main", comment="/test", trusted=True),
)


def trigger(**more):
    given = {"type": "git", "name": "t", "repo": "acme/web", "events": ["push"], **more}
    return triggers_of({"triggers": [given]})[0]


@pytest.mark.parametrize(
    ("given", "event"),
    [
        pytest.param({}, PUSH, id="any-push"),
        pytest.param({"events": ["push.heads"]}, PUSH, id="a-push-of-a-branch"),
        pytest.param({"provider": "github"}, PUSH, id="of-this-provider"),
        pytest.param({"branchRegex": "/^ma/gi"}, PUSH, id="of-a-branch"),
        pytest.param({"modifiedFilesGlob": "src/**"}, PUSH, id="one-file-is-enough"),
        pytest.param(
            {"modifiedFilesGlob": "x/**"}, replace(PUSH, files=None), id="files-nobody-tells"
        ),
        pytest.param({"events": ["pullrequest"]}, PULL, id="any-pull-request"),
        pytest.param(
            {"events": ["pullrequest"], "pullRequestTargetBranchRegex": "/^main$/"},
            PULL,
            id="into-this-branch",
        ),
        pytest.param(
            {"events": ["pullrequest.closed"]},
            replace(PULL, name="pullrequest.merged"),
            id="merged-is-closed-too",
        ),
        pytest.param({"events": ["pullrequest.commentAdded"]}, COMMENT, id="a-comment"),
        pytest.param(
            {"events": ["pullrequest.commentAdded"], "commentRegex": "/^\\/test/gi"},
            COMMENT,
            id="a-comment-that-asks-for-it",
        ),
        pytest.param(
            {"events": ["pullrequest"], "pullRequestAllowForkEvents": True},
            replace(PULL, pull=replace(PULL.pull, fork=True)),
            id="forks-where-they-are-allowed",
        ),
    ],
)
def test_an_event_makes_a_build(given, event):
    assert quiet(trigger(**given), event) == ""


@pytest.mark.parametrize(
    ("given", "event", "why"),
    [
        pytest.param({"repo": "acme/other"}, PUSH, "another repository", id="another-repository"),
        pytest.param({"disabled": True}, PUSH, "disabled", id="disabled"),
        pytest.param({"provider": "gitlab"}, PUSH, "gitlab", id="another-provider"),
        pytest.param({"events": ["push.tags"]}, PUSH, "push.heads", id="another-event"),
        pytest.param({"branchRegex": "/^release/"}, PUSH, "main", id="another-branch"),
        pytest.param({"modifiedFilesGlob": "lib/**"}, PUSH, "lib/**", id="other-files"),
        pytest.param(
            {"events": ["pullrequest"], "pullRequestTargetBranchRegex": "/^v/"},
            PULL,
            "main",
            id="into-another-branch",
        ),
        pytest.param(
            {"events": ["pullrequest"]},
            replace(PULL, pull=replace(PULL.pull, fork=True)),
            "forks",
            id="what-anybody-may-have-written",
        ),
        pytest.param(
            {"events": ["pullrequest.commentAdded", "pullrequest"]},
            replace(COMMENT, pull=replace(COMMENT.pull, trusted=False)),
            "commentAdded",
            id="a-comment-of-anybody",
        ),
        pytest.param(
            {"events": ["pullrequest"], "commentRegex": "/^\\/deploy/"},
            COMMENT,
            "comment",
            id="another-comment",
        ),
        *(
            pytest.param({}, replace(PUSH, message=f"Say {token.upper()}"), token, id=token)
            for token in ("[skip ci]", "[ci skip]", "[no ci]", "[skip codefresh]")
        ),
        pytest.param(
            {"events": ["pullrequest"]},
            replace(PULL, pull=replace(PULL.pull, title="x [skip ci]")),
            "[skip ci]",
            id="a-title-that-says-so",
        ),
    ],
)
def test_an_event_makes_no_build_and_it_is_said_why(given, event, why):
    assert why in quiet(trigger(**given), event)


def test_who_takes_comments_of_anybody_says_so():
    anybody = replace(COMMENT, pull=replace(COMMENT.pull, trusted=False))

    assert quiet(trigger(events=["pullrequest.commentAddedUnrestricted"]), anybody) == ""


def test_a_pattern_that_takes_too_long_makes_no_build_and_delays_nobody():
    slow = replace(PUSH, branch="a" * 5000)

    assert quiet(trigger(branchRegex="/^(a+)+$b/"), slow)


@pytest.mark.parametrize(
    "spec",
    [
        {"triggers": {}},
        {"triggers": ["push"]},
        {"triggers": [{"type": "git", "repo": "a/b", "events": ["push"]}]},
        {"triggers": [{"type": "ftp", "name": "t"}]},
        {"triggers": [{"type": "git", "name": "t", "repo": "a/b"}]},
        {"triggers": [{"type": "git", "name": "t", "repo": "b", "events": ["push"]}]},
        {
            "triggers": [
                {"type": "git", "name": "t", "repo": "a/b", "events": ["push"], "provider": "x"}
            ]
        },
        {"triggers": [{"type": "registry", "name": "t"}]},
        {"triggers": [{"type": "registry", "name": "t", "image": "a", "variables": ["A"]}]},
        {"cronTriggers": [{"type": "cron", "name": "t", "expression": "61 * * * *"}]},
        {
            "cronTriggers": [
                {"type": "cron", "name": "t", "expression": "1 * * * *", "timezone": "X"}
            ]
        },
        {"cronTriggers": [{"type": "cron", "name": "t", "expression": "1 * * * *"}] * 2},
    ],
)
def test_what_is_no_trigger_is_refused_with_what_is_allowed(spec):
    with pytest.raises(InputError) as raised:
        triggers_of(spec)

    assert raised.value.hint


def test_a_build_learns_what_has_happened():
    found = variables_of_event(replace(PULL, message='say "hi"', branch="feature/vb1"))

    assert (found["CF_REPO_OWNER"], found["CF_REPO_NAME"]) == ("Acme", "Web")
    assert found["CF_BRANCH_TAG_NORMALIZED"] == "feature-vb1"
    assert found["CF_BASE_BRANCH"] == "main"
    assert found["CF_SHORT_REVISION"] == "0123456"
    assert found["CF_COMMIT_MESSAGE_ESCAPED"] == 'say \\"hi\\"'
    assert found["CF_PULL_REQUEST_NUMBER"] == "7"
    assert found["CF_PULL_REQUEST_MERGED"] == "false"
    assert "CF_RELEASE_NAME" not in found


def test_a_trigger_that_somebody_asks_for_by_hand_clones_its_repository():
    found = variables_by_hand(trigger(provider="gitlab"), "main")

    assert found["CF_REPO_CLONE_URL"] == "https://gitlab.com/acme/web.git"
    assert found["CF_REVISION"] == found["CF_BRANCH"] == "main"


def test_an_image_that_is_pushed_makes_a_build():
    given = {"type": "registry", "name": "t", "image": "shop/web", "tagRegex": "/^v/"}
    listening = triggers_of({"triggers": [given]})[0]

    assert pushed(listening, Push("shop/web", "v1"))
    assert not pushed(listening, Push("shop/web", "latest"))
    assert not pushed(listening, Push("shop/other", "v1"))
    assert variables_of_push(Push("shop/web", "v1", "ann")) == {
        "EVENT_NAMESPACE": "shop",
        "EVENT_NAME": "web",
        "EVENT_TAG": "v1",
        "EVENT_PUSHER": "ann",
    }


def cron(expression, zone="UTC"):
    given = {"type": "cron", "name": "t", "expression": expression, "timezone": zone}
    return triggers_of({"cronTriggers": [given]})[0]


def at(*parts, zone="UTC"):
    return datetime(*parts, tzinfo=ZoneInfo(zone)).timestamp()


@pytest.mark.parametrize(
    ("expression", "since", "now", "found"),
    [
        pytest.param("0 2 * * *", (2026, 3, 1, 1), (2026, 3, 1, 1, 59), None, id="not-yet"),
        pytest.param("0 2 * * *", (2026, 3, 1, 1), (2026, 3, 1, 2), (2026, 3, 1, 2), id="now"),
        pytest.param("0 2 * * *", (2026, 3, 1, 2), (2026, 3, 1, 3), None, id="once"),
        pytest.param(
            "0 2 * * *", (2026, 3, 1), (2026, 3, 9, 5), (2026, 3, 9, 2), id="many-are-made-up-once"
        ),
        pytest.param(
            "* * * * *", (2020, 1, 1), (2026, 3, 9, 5), (2026, 3, 9, 5), id="of-millions-the-newest"
        ),
        pytest.param("0 0 29 feb *", (2023, 1, 1), (2026, 3, 1), (2024, 2, 29), id="years-ago"),
    ],
)
def test_a_build_is_made_when_the_calendar_says_so(expression, since, now, found):
    wanted = None if found is None else at(*found)

    assert due(cron(expression), at(*since), at(*now)) == wanted


def test_the_clock_on_the_wall_is_that_of_the_time_zone():
    berlin = cron("30 6 * * mon-fri", "Europe/Berlin")
    monday = at(2026, 7, 6, 6, 30, zone="Europe/Berlin")

    assert due(berlin, monday - 3600, monday) == monday
    assert due(replace(berlin, disabled=True), monday - 3600, monday) is None
