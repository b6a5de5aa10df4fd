"""Webhooks of GitHub, and of Gitea, which sends the same."""

from typing import Any

from crossfade.core.pipeline.git_events import GitEvent, PullRequest

_ACTIONS = {
    "review_requested": "reviewRequested",
    "review_request_removed": "reviewRequestRemoved",
    "synchronized": "synchronize",
    "label_updated": "labeled",
    "label_cleared": "unlabeled",
}
_TRUSTED = ("OWNER", "MEMBER", "COLLABORATOR")
_NOBODY = "0" * 40


def events(kind: str, data: dict[str, Any], provider: str) -> tuple[GitEvent, ...]:
    """Return the events of a request."""
    match kind:
        case "push" | "create" if data["ref"].startswith("refs/") and data["after"] != _NOBODY:
            return (_push(data, provider),)
        case "pull_request" | "pull_request_label" | "pull_request_sync":
            return (_pull(data, provider),)
        case "issue_comment" | "pull_request_comment" if _is_new_comment(data):
            return (_comment(data, provider),)
        case "release":
            return (_release(data, provider),)
        case _:
            return ()


def _repository(data: dict[str, Any]) -> tuple[str, str]:
    return data["repository"]["full_name"], data["repository"].get("clone_url") or ""


def _push(data: dict[str, Any], provider: str) -> GitEvent:
    kind, _, branch = data["ref"].removeprefix("refs/").partition("/")
    head = data.get("head_commit") or {}
    commits = data.get("commits") or []
    files = [
        f for c in commits for key in ("added", "modified", "removed") for f in c.get(key) or ()
    ]
    author = head.get("author") or {}
    return GitEvent(
        "push.tags" if kind == "tags" else "push.heads",
        provider,
        *_repository(data),
        branch=branch,
        revision=data["after"] if kind != "tags" else head.get("id") or data["after"],
        message=head.get("message") or "",
        author=author.get("username") or author.get("name") or "",
        url=head.get("url") or "",
        files=tuple(dict.fromkeys(files)) if commits else None,
    )


def _pull(data: dict[str, Any], provider: str) -> GitEvent:
    pull, action = data["pull_request"], data["action"]
    merged = bool(pull.get("merged"))
    name = str(_ACTIONS.get(action, action))
    if action == "closed":
        name = "merged" if merged else "unmerged-closed"
    return _of_pull(data, provider, name, PullRequest(**_facts(pull, action), merged=merged))


def _facts(pull: dict[str, Any], action: str) -> dict[str, Any]:
    head, base = pull["head"], pull["base"]
    own = (base.get("repo") or {}).get("full_name")
    return {
        "number": int(pull["number"]),
        "title": pull.get("title") or "",
        "action": action,
        "source": head["ref"],
        "target": base["ref"],
        "fork": (head.get("repo") or {}).get("full_name") != own,
        "labels": tuple(each["name"] for each in pull.get("labels") or ()),
    }


def _of_pull(data: dict[str, Any], provider: str, name: str, pull: PullRequest) -> GitEvent:
    given = data["pull_request"]
    return GitEvent(
        f"pullrequest.{name}",
        provider,
        *_repository(data),
        branch=pull.source,
        revision=given["head"]["sha"],
        author=(given.get("user") or {}).get("login") or "",
        url=given.get("html_url") or "",
        pull=pull,
    )


def _is_new_comment(data: dict[str, Any]) -> bool:
    on_pull = data.get("is_pull") or "pull_request" in (data.get("issue") or {})
    return bool(on_pull) and data.get("action") == "created"


def _comment(data: dict[str, Any], provider: str) -> GitEvent:
    """Return the event; its revision is the head of the pull request, whatever that is by now."""
    comment, issue = data["comment"], data["issue"]
    number = int(issue["number"])
    pull = PullRequest(
        number,
        issue.get("title") or "",
        "commentAdded",
        # Neither its branch nor its repository are told here: it may be a fork.
        source=f"refs/pull/{number}/head",
        fork=True,
        labels=tuple(each["name"] for each in issue.get("labels") or ()),
        comment=comment.get("body") or "",
        comment_author=(comment.get("user") or {}).get("login") or "",
        trusted=comment.get("author_association") in _TRUSTED,
    )
    return GitEvent(
        "pullrequest.commentAdded",
        provider,
        *_repository(data),
        branch=pull.source,
        revision=pull.source,
        author=pull.comment_author,
        url=comment.get("html_url") or "",
        pull=pull,
    )


def _release(data: dict[str, Any], provider: str) -> GitEvent:
    release = data["release"]
    return GitEvent(
        f"release.{data['action']}",
        provider,
        *_repository(data),
        branch=release["tag_name"],
        revision=release["tag_name"],
        author=(release.get("author") or {}).get("login") or "",
        url=release.get("html_url") or "",
        release=release.get("name") or release["tag_name"],
    )
