"""GitHub's words for statuses and comments."""

from typing import Any
from urllib.parse import quote

from crossfade.adapters.http.caller import Answer
from crossfade.core.pipeline.commit_status import Commit, Mood, Report

_STATES = {
    Mood.PENDING: "pending",
    Mood.RUNNING: "pending",
    Mood.SUCCESS: "success",
    Mood.FAILURE: "failure",
    Mood.ENDED: "error",
}


class GitHub:
    """GitHub, or GitHub Enterprise at an address of its own."""

    name = "GitHub"
    public = "https://api.github.com"

    def credentials(self, token: str) -> dict[str, str]:
        """Return the headers that sign a request."""
        return {"Authorization": f"Bearer {token}", "Accept": "application/vnd.github+json"}

    def status(self, commit: Commit, report: Report) -> tuple[str, dict[str, Any]]:
        """Return path and body that set a status."""
        body = {
            "state": _STATES[report.mood],
            "context": commit.title,
            "description": report.text,
        }
        return f"{_repository(commit)}/statuses/{quote(commit.revision, safe='')}", body

    def said_already(self, answer: Answer) -> bool:
        """Return False: GitHub takes the same status again."""
        return False

    def comments(self, commit: Commit) -> str:
        """Return the path of the comments of the pull request."""
        return f"{_repository(commit)}/issues/{commit.pull}/comments"

    def comment(self, commit: Commit, number: int) -> tuple[str, str]:
        """Return method and path that change a comment."""
        return "PATCH", f"{_repository(commit)}/issues/comments/{number}"


def _repository(commit: Commit) -> str:
    return f"/repos/{quote(commit.repository)}"
