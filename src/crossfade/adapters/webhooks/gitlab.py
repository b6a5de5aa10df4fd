"""Webhooks of GitLab."""

from typing import Any

from crossfade.core.pipeline.git_events import GitEvent, PullRequest

_NOBODY = "0" * 40
_ACTIONS = {
    "open": "opened",
    "reopen": "reopened",
    "close": "unmerged-closed",
    "merge": "merged",
}


def events(kind: str, data: dict[str, Any]) -> tuple[GitEvent, ...]:
    """Return the events of a request."""
    match kind:
        case "Push Hook" | "Tag Push Hook" if data["after"] != _NOBODY:
            return (_push(data),)
        case "Merge Request Hook":
            return (_merge(data),)
        case "Note Hook" if data.get("merge_request"):
            return (_note(data),)
        case "Release Hook":
            return (_release(data),)
        case _:
            return ()


def _repository(data: dict[str, Any]) -> tuple[str, str]:
    project = data["project"]
    return project["path_with_namespace"], project.get("git_http_url") or ""


def _push(data: dict[str, Any]) -> GitEvent:
    kind, _, branch = data["ref"].removeprefix("refs/").partition("/")
    commits = data.get("commits") or []
    revision = data.get("checkout_sha") or data["after"]
    head = next(
        (each for each in commits if each["id"] == revision), commits[-1] if commits else {}
    )
    files = [
        f for c in commits for key in ("added", "modified", "removed") for f in c.get(key) or ()
    ]
    # GitLab sends twenty commits at most: of more of them nobody knows all files.
    known = bool(commits) and int(data.get("total_commits_count") or 0) <= len(commits)
    return GitEvent(
        "push.tags" if kind == "tags" else "push.heads",
        "gitlab",
        *_repository(data),
        branch=branch,
        revision=revision,
        message=head.get("message") or "",
        author=(head.get("author") or {}).get("name") or data.get("user_name") or "",
        url=head.get("url") or "",
        files=tuple(dict.fromkeys(files)) if known else None,
    )


def _pull(given: dict[str, Any], data: dict[str, Any], action: str) -> dict[str, Any]:
    return {
        "number": int(given["iid"]),
        "title": given.get("title") or "",
        "action": action,
        "source": given["source_branch"],
        "target": given["target_branch"],
        "fork": given["source_project_id"] != given["target_project_id"],
        "labels": tuple(each["title"] for each in data.get("labels") or ()),
    }


def _merge(data: dict[str, Any]) -> GitEvent:
    given = data["object_attributes"]
    action = given.get("action") or ""
    name = _ACTIONS.get(action, action)
    if action == "update":
        changed = data.get("changes") or {}
        name = (
            "synchronize" if given.get("oldrev") else "labeled" if "labels" in changed else "edited"
        )
    pull = PullRequest(**_pull(given, data, action), merged=name == "merged")
    return _of_merge(data, given, name, pull)


def _of_merge(
    data: dict[str, Any], given: dict[str, Any], name: str, pull: PullRequest
) -> GitEvent:
    commit = given.get("last_commit") or {}
    return GitEvent(
        f"pullrequest.{name}",
        "gitlab",
        *_repository(data),
        branch=pull.source,
        revision=commit.get("id") or "",
        message=commit.get("message") or "",
        author=(data.get("user") or {}).get("username") or "",
        url=given.get("url") or "",
        pull=pull,
    )


def _note(data: dict[str, Any]) -> GitEvent:
    given, note = data["merge_request"], data["object_attributes"]
    pull = PullRequest(
        **_pull(given, data, "commentAdded"),
        comment=note.get("note") or "",
        comment_author=(data.get("user") or {}).get("username") or "",
        # GitLab does not say who may write; comments count as those of anybody.
        trusted=False,
    )
    return _of_merge(data, given, "commentAdded", pull)


def _release(data: dict[str, Any]) -> GitEvent:
    commit = data.get("commit") or {}
    return GitEvent(
        f"release.{data['action']}d",
        "gitlab",
        *_repository(data),
        branch=data["tag"],
        revision=commit.get("id") or data["tag"],
        message=commit.get("message") or "",
        author=(commit.get("author") or {}).get("name") or "",
        url=data.get("url") or "",
        release=data.get("name") or data["tag"],
    )
