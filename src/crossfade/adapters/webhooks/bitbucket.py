"""Webhooks of Bitbucket Cloud."""

from typing import Any

from crossfade.core.pipeline.git_events import GitEvent, PullRequest

_ACTIONS = {
    "created": "opened",
    "updated": "synchronize",
    "fulfilled": "merged",
    "rejected": "unmerged-closed",
    "comment_created": "commentAdded",
}


def events(kind: str, data: dict[str, Any]) -> tuple[GitEvent, ...]:
    """Return the events of a request; one push may be of several branches."""
    subject, _, action = kind.partition(":")
    if kind == "repo:push":
        new = (each["new"] for each in data["push"]["changes"] if each.get("new"))
        return tuple(_push(data, each) for each in new)
    if subject == "pullrequest" and action in _ACTIONS:
        return (_pull(data, action),)
    return ()


def _repository(data: dict[str, Any]) -> tuple[str, str]:
    given = data["repository"]
    return given["full_name"], f"{given['links']['html']['href']}.git"


def _push(data: dict[str, Any], new: dict[str, Any]) -> GitEvent:
    target = new["target"]
    return GitEvent(
        "push.tags" if new["type"] in ("tag", "annotated_tag") else "push.heads",
        "bitbucket",
        *_repository(data),
        branch=new["name"],
        revision=target["hash"],
        message=target.get("message") or "",
        author=(data.get("actor") or {}).get("nickname") or "",
        url=target["links"]["html"]["href"],
    )


def _pull(data: dict[str, Any], action: str) -> GitEvent:
    given = data["pullrequest"]
    source, target = given["source"], given["destination"]
    pull = PullRequest(
        int(given["id"]),
        given.get("title") or "",
        action,
        source["branch"]["name"],
        target["branch"]["name"],
        (source.get("repository") or {}).get("full_name")
        != (target.get("repository") or {}).get("full_name"),
        comment=((data.get("comment") or {}).get("content") or {}).get("raw") or "",
        comment_author=(data.get("actor") or {}).get("nickname") or "",
        merged=action == "fulfilled",
    )
    return GitEvent(
        f"pullrequest.{_ACTIONS[action]}",
        "bitbucket",
        *_repository(data),
        branch=pull.source,
        revision=source["commit"]["hash"],
        author=(given.get("author") or {}).get("nickname") or "",
        url=given["links"]["html"]["href"],
        pull=pull,
    )
