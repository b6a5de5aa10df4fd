"""What each kind of server sends, and the event that it means."""

import json

import pytest

from crossfade.adapters.webhooks.reading import read_events
from crossfade.base.errors import InputError
from crossfade.core.pipeline.triggers import Push

SHA = "a" * 40
GITHUB = {"full_name": "acme/web", "clone_url": "https://github.com/acme/web.git"}
COMMIT = {
    "id": SHA,
    "message": "Mend it",
    "url": "https://x/c",
    "author": {"name": "Ann", "username": "ann"},
    "added": ["new.py"],
    "modified": ["src/a.py"],
    "removed": [],
}
GITHUB_PUSH = {
    "ref": "refs/heads/feature/x",
    "after": SHA,
    "repository": GITHUB,
    "head_commit": COMMIT,
    "commits": [COMMIT],
}
GITHUB_PULL = {
    "action": "opened",
    "repository": GITHUB,
    "pull_request": {
        "number": 7,
        "title": "A title",
        "html_url": "https://x/p/7",
        "user": {"login": "ann"},
        "merged": False,
        "labels": [{"name": "bug"}],
        "head": {"ref": "feature", "sha": SHA, "repo": {"full_name": "acme/web"}},
        "base": {"ref": "main", "repo": {"full_name": "acme/web"}},
    },
}
GITHUB_COMMENT = {
    "action": "created",
    "repository": GITHUB,
    "issue": {"number": 7, "title": "A title", "pull_request": {}},
    "comment": {
        "body": "/test",
        "user": {"login": "ann"},
        "author_association": "MEMBER",
        "html_url": "https://x",
    },
}
PROJECT = {"path_with_namespace": "acme/web", "git_http_url": "https://gitlab.com/acme/web.git"}
GITLAB_PUSH = {
    "ref": "refs/heads/main",
    "after": SHA,
    "checkout_sha": SHA,
    "project": PROJECT,
    "total_commits_count": 1,
    "commits": [{**COMMIT, "author": {"name": "Ann"}}],
}
GITLAB_MERGE = {
    "project": PROJECT,
    "user": {"username": "ann"},
    "object_attributes": {
        "iid": 7,
        "title": "A title",
        "action": "open",
        "source_branch": "feature",
        "target_branch": "main",
        "source_project_id": 1,
        "target_project_id": 1,
        "last_commit": {"id": SHA, "message": "Mend it"},
        "url": "https://x",
    },
}
GITLAB_NOTE = {
    "project": PROJECT,
    "user": {"username": "ann"},
    "object_attributes": {"note": "/test"},
    "merge_request": GITLAB_MERGE["object_attributes"],
}
BITBUCKET = {"full_name": "acme/web", "links": {"html": {"href": "https://bitbucket.org/acme/web"}}}
BITBUCKET_PUSH = {
    "repository": BITBUCKET,
    "actor": {"nickname": "ann"},
    "push": {
        "changes": [
            {
                "new": {
                    "type": "branch",
                    "name": "main",
                    "target": {
                        "hash": SHA,
                        "message": "Mend it",
                        "links": {"html": {"href": "https://x"}},
                    },
                }
            },
            {"new": None},
        ]
    },
}
SIDE = {"repository": {"full_name": "acme/web"}, "commit": {"hash": SHA}}
BITBUCKET_PULL = {
    "repository": BITBUCKET,
    "actor": {"nickname": "ann"},
    "pullrequest": {
        "id": 7,
        "title": "A title",
        "author": {"nickname": "ann"},
        "links": {"html": {"href": "https://x"}},
        "source": {**SIDE, "branch": {"name": "feature"}},
        "destination": {**SIDE, "branch": {"name": "main"}},
    },
}


def read(header, kind, data):
    return read_events({header: kind}, json.dumps(data).encode())


@pytest.mark.parametrize(
    ("header", "kind", "data", "name", "branch"),
    [
        ("x-github-event", "push", GITHUB_PUSH, "push.heads", "feature/x"),
        ("x-gitea-event", "push", GITHUB_PUSH, "push.heads", "feature/x"),
        ("x-github-event", "push", {**GITHUB_PUSH, "ref": "refs/tags/v1"}, "push.tags", "v1"),
        ("x-github-event", "pull_request", GITHUB_PULL, "pullrequest.opened", "feature"),
        ("x-gitlab-event", "Push Hook", GITLAB_PUSH, "push.heads", "main"),
        (
            "x-gitlab-event",
            "Tag Push Hook",
            {**GITLAB_PUSH, "ref": "refs/tags/v1"},
            "push.tags",
            "v1",
        ),
        ("x-gitlab-event", "Merge Request Hook", GITLAB_MERGE, "pullrequest.opened", "feature"),
        ("x-gitlab-event", "Note Hook", GITLAB_NOTE, "pullrequest.commentAdded", "feature"),
        ("x-event-key", "repo:push", BITBUCKET_PUSH, "push.heads", "main"),
        (
            "x-event-key",
            "pullrequest:created",
            BITBUCKET_PULL,
            "pullrequest.opened",
            "feature",
        ),
        (
            "x-event-key",
            "pullrequest:fulfilled",
            BITBUCKET_PULL,
            "pullrequest.merged",
            "feature",
        ),
    ],
)
def test_a_request_is_the_event_that_its_server_means(header, kind, data, name, branch):
    (event,) = read(header, kind, data)

    assert (event.name, event.branch, event.repository) == (name, branch, "acme/web")
    assert event.revision == SHA
    assert event.clone_url.endswith("acme/web.git")
    assert event.author.lower() == "ann"
    if event.pull:
        assert (event.pull.number, event.pull.title, event.pull.target) == (7, "A title", "main")
        assert not event.pull.fork


def test_the_files_of_all_commits_are_known():
    assert read("x-github-event", "push", GITHUB_PUSH)[0].files == ("new.py", "src/a.py")
    assert read("x-gitlab-event", "Push Hook", GITLAB_PUSH)[0].files == ("new.py", "src/a.py")


def test_of_more_commits_than_are_sent_nobody_knows_the_files():
    many = {**GITLAB_PUSH, "total_commits_count": 50}

    assert read("x-gitlab-event", "Push Hook", many)[0].files is None


@pytest.mark.parametrize(
    ("merged", "name"), [(True, "pullrequest.merged"), (False, "pullrequest.unmerged-closed")]
)
def test_closing_says_whether_it_was_merged(merged, name):
    pull = {**GITHUB_PULL["pull_request"], "merged": merged}
    data = {**GITHUB_PULL, "action": "closed", "pull_request": pull}

    assert read("x-github-event", "pull_request", data)[0].name == name


def test_what_comes_from_another_repository_is_a_fork():
    head = {"ref": "f", "sha": SHA, "repo": {"full_name": "mallory/web"}}
    pull = {**GITHUB_PULL["pull_request"], "head": head}
    gone = {**pull, "head": {**head, "repo": None}}

    for each in (pull, gone):
        data = {**GITHUB_PULL, "pull_request": each}
        assert read("x-github-event", "pull_request", data)[0].pull.fork


def test_a_comment_says_who_may_write_and_counts_as_of_a_fork():
    pull = read("x-github-event", "issue_comment", GITHUB_COMMENT)[0].pull
    stranger = {**GITHUB_COMMENT["comment"], "author_association": "NONE"}
    other = {**GITHUB_COMMENT, "comment": stranger}

    assert (pull.trusted, pull.comment, pull.fork) == (True, "/test", True)
    assert not read("x-github-event", "issue_comment", other)[0].pull.trusted


@pytest.mark.parametrize(
    ("header", "kind", "data"),
    [
        ("x-github-event", "ping", {"zen": "x"}),
        ("x-github-event", "push", {**GITHUB_PUSH, "after": "0" * 40}),
        ("x-github-event", "issue_comment", {**GITHUB_COMMENT, "issue": {"number": 1}}),
        ("x-gitlab-event", "Push Hook", {**GITLAB_PUSH, "after": "0" * 40}),
        ("x-gitlab-event", "Pipeline Hook", {}),
        ("x-event-key", "repo:fork", {}),
    ],
)
def test_what_no_trigger_listens_to_is_nothing(header, kind, data):
    assert read(header, kind, data) == ()


def test_registries_tell_which_image_was_pushed():
    target = {"repository": "shop/web", "tag": "v1"}
    events = [
        {"action": "push", "target": target, "actor": {"name": "ann"}, "timestamp": "t"},
        {"action": "push", "target": {"repository": "shop/web"}},
        {"action": "pull", "target": target},
    ]
    hub = {"repository": {"repo_name": "shop/web"}, "push_data": {"tag": "v2", "pusher": "ann"}}

    assert read_events({}, json.dumps({"events": events}).encode()) == (
        Push("shop/web", "v1", "ann", "t"),
    )
    assert read_events({}, json.dumps(hub).encode()) == (Push("shop/web", "v2", "ann"),)


@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({}, b""),
        ({}, b"[]"),
        ({}, b"\xff"),
        ({}, b"[" * 100000),
        ({}, b'{"events": 3}'),
        ({"x-github-event": "push"}, b"{}"),
        ({"x-github-event": "push"}, b'{"ref": 3, "after": 1}'),
        ({"x-github-event": "pull_request"}, b'{"action": "opened", "pull_request": 7}'),
        ({"x-gitlab-event": "Push Hook"}, b'{"after": "a"}'),
        ({"x-event-key": "repo:push"}, b'{"push": {"changes": [{"new": {"type": 1}}]}}'),
        ({"x-github-event": "push"}, json.dumps({**GITHUB_PUSH, "after": 7}).encode()),
    ],
)
def test_what_nobody_sends_is_refused_without_a_traceback(headers, body):
    with pytest.raises(InputError) as raised:
        read_events(headers, body)

    assert raised.value.hint
