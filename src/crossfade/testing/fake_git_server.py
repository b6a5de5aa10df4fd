"""The parts of GitHub's and GitLab's APIs that builds are reported to, with their rules."""

import json
import re
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from crossfade.testing.http_service import Asked, Reply

TOKEN = "t0ken"  # noqa: S105 - of nobody
_PAGE = 30
_LONGEST = 140
_GITHUB = {"pending", "success", "failure", "error"}
_GITLAB = {"pending", "running", "success", "failed", "canceled"}


@dataclass(slots=True)
class FakeGitServer:
    """One repository, `acme/web`, with the commits and pull requests that it is given."""

    gitlab: bool
    commits: set[str]
    pulls: set[int]
    statuses: list[tuple[str, str, str]] = field(default_factory=list)
    """Commit, title and state, as they came."""
    comments: dict[int, str] = field(default_factory=dict)

    def answer(self, asked: Asked) -> Reply:
        """Answer as the server does."""
        given = asked.headers.get("private-token" if self.gitlab else "authorization", "")
        if given.removeprefix("Bearer ") != TOKEN:
            return Reply(401, {"message": "Bad credentials"})
        base = "/projects/acme%2Fweb" if self.gitlab else "/repos/acme/web"
        path = urlsplit(asked.target).path
        if not path.startswith(f"{base}/"):
            return Reply(404, {"message": "Not Found"})
        return self._route(asked, path[len(base) :])

    def _route(self, asked: Asked, path: str) -> Reply:
        if found := re.fullmatch(r"/statuses/([^/]+)", path):
            return self._status(unquote(found[1]), json.loads(asked.body))
        listed = r"/merge_requests/(\d+)/notes" if self.gitlab else r"/issues/(\d+)/comments"
        if found := re.fullmatch(listed, path):
            return self._comments(asked, int(found[1]))
        one = r"/merge_requests/\d+/notes/(\d+)" if self.gitlab else r"/issues/comments/(\d+)"
        found = re.fullmatch(one, path)
        if found and asked.method == ("PUT" if self.gitlab else "PATCH"):
            return self._change(int(found[1]), json.loads(asked.body)["body"])
        return Reply(404, {"message": "Not Found"})

    def _status(self, commit: str, body: dict[str, str]) -> Reply:
        if commit not in self.commits:
            return Reply(404 if self.gitlab else 422, {"message": "No commit found"})
        state, title = body["state"], body["name" if self.gitlab else "context"]
        if state not in (_GITLAB if self.gitlab else _GITHUB):
            return Reply(400 if self.gitlab else 422, {"message": f"state {state}"})
        if len(body["description"]) > _LONGEST and not self.gitlab:
            return Reply(422, {"message": "description is too long (maximum is 140 characters)"})
        before = [each for each in self.statuses if each[:2] == (commit, title)]
        if self.gitlab and before and before[-1][2] == state:
            return Reply(400, {"message": f"Cannot transition status via :run from :{state}"})
        self.statuses.append((commit, title, state))
        return Reply(201, {"state": state})

    def _comments(self, asked: Asked, pull: int) -> Reply:
        if pull not in self.pulls:
            return Reply(404, {"message": "Not Found"})
        if asked.method == "GET":
            most = min(int(asked.query.get("per_page", _PAGE)), 100)
            first = (int(asked.query.get("page", 1)) - 1) * most
            rows = [{"id": number, "body": text} for number, text in self.comments.items()]
            return Reply(200, rows[first : first + most])
        return self._change(max(self.comments, default=0) + 1, json.loads(asked.body)["body"])

    def _change(self, number: int, text: str) -> Reply:
        self.comments[number] = text
        return Reply(200, {"id": number, "body": text})
