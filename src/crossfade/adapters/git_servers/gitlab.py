"""GitLab's words for statuses and comments."""

from typing import Any
from urllib.parse import quote

from crossfade.adapters.http.caller import Answer
from crossfade.core.pipeline.commit_status import Commit, Mood, Report

_STATES = {
    Mood.PENDING: "pending",
    Mood.RUNNING: "running",
    Mood.SUCCESS: "success",
    Mood.FAILURE: "failed",
    Mood.ENDED: "canceled",
}


class GitLab:
    """GitLab, at gitlab.com or at an address of its own."""

    name = "GitLab"
    public = "https://gitlab.com/api/v4"

    def credentials(self, token: str) -> dict[str, str]:
        """Return the headers that sign a request."""
        return {"PRIVATE-TOKEN": token}

    def status(self, commit: Commit, report: Report) -> tuple[str, dict[str, Any]]:
        """Return path and body that set a status."""
        body = {"state": _STATES[report.mood], "name": commit.title, "description": report.text}
        return f"{_project(commit)}/statuses/{quote(commit.revision, safe='')}", body

    def said_already(self, answer: Answer) -> bool:
        """Return whether a refusal only says that it is so already."""
        return answer.status == 400 and "cannot transition status" in answer.text.lower()

    def comments(self, commit: Commit) -> str:
        """Return the path of the comments of the merge request."""
        return f"{_project(commit)}/merge_requests/{commit.pull}/notes"

    def comment(self, commit: Commit, number: int) -> tuple[str, str]:
        """Return method and path that change a comment."""
        return "PUT", f"{self.comments(commit)}/{number}"


def _project(commit: Commit) -> str:
    return f"/projects/{quote(commit.repository, safe='')}"
