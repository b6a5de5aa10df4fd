"""Statuses and comments at GitHub and GitLab, each with the token of its integration."""

from typing import Any, Protocol

from crossfade.adapters.git_servers import github, gitlab
from crossfade.adapters.http.caller import Answer, Call, HttpCaller, refused
from crossfade.adapters.notify.posting import as_json
from crossfade.base.errors import InputError, NotFound
from crossfade.base.secrets import SecretRef
from crossfade.core.pipeline.commit_status import PROVIDERS, Commit, Report
from crossfade.ports.secrets import Secrets

_MOST_PAGES = 10
_PAGE = "100"
_GONE = (404, 410)


class Server(Protocol):
    """What differs between kinds of servers."""

    @property
    def name(self) -> str:
        """Return how people call it."""
        ...

    @property
    def public(self) -> str:
        """Return the address of the API that everybody uses."""
        ...

    def credentials(self, token: str) -> dict[str, str]:
        """Return the headers that sign a request."""
        ...

    def status(self, commit: Commit, report: Report) -> tuple[str, dict[str, Any]]:
        """Return path and body that set a status."""
        ...

    def said_already(self, answer: Answer) -> bool:
        """Return whether a refusal only says that it is so already."""
        ...

    def comments(self, commit: Commit) -> str:
        """Return the path of the comments of the pull request."""
        ...

    def comment(self, commit: Commit, number: int) -> tuple[str, str]:
        """Return method and path that change a comment."""
        ...


_SERVERS: dict[str, Server] = {"github": github.GitHub(), "gitlab": gitlab.GitLab()}


class GitServers:
    """The port CommitStatuses over HTTP."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets, self._http = secrets, HttpCaller()

    async def report(self, commit: Commit, report: Report) -> None:
        """Have the commit say how the build stands; see the port."""
        server = _server(commit)
        path, body = server.status(commit, report)
        answer = await self._send(commit, "POST", path, body)
        if not _good(answer) and not server.said_already(answer):
            raise self._refused(commit, path, answer)

    async def comment(self, commit: Commit, subject: str, text: str) -> None:
        """Have the pull request say this; see the port."""
        server = _server(commit)
        path, marker = server.comments(commit), f"<!-- crossfade: {subject} -->"
        body = {"body": f"{text}\n\n{marker}"}
        number = await self._find(commit, path, marker)
        if number is None:
            answer = await self._send(commit, "POST", path, body)
        else:
            method, path = server.comment(commit, number)
            answer = await self._send(commit, method, path, body)
        if not _good(answer):
            raise self._refused(commit, path, answer)

    async def _find(self, commit: Commit, path: str, marker: str) -> int | None:
        """Return the number of our comment, None when there is none."""
        for page in range(1, _MOST_PAGES + 1):
            query = {"per_page": _PAGE, "page": str(page)}
            answer = await self._send(commit, "GET", path, None, query)
            listed = answer.json() if _good(answer) else None
            if not isinstance(listed, list):
                raise self._refused(commit, path, answer)
            for each in listed:
                if marker in (each.get("body") or ""):
                    return int(each["id"])
            if len(listed) < int(_PAGE):
                return None
        return None

    async def _send(
        self,
        commit: Commit,
        method: str,
        path: str,
        body: dict[str, Any] | None,
        query: dict[str, str] | None = None,
    ) -> Answer:
        server = _server(commit)
        token = await self._secrets.resolve(SecretRef(f"git-{commit.context}"))
        headers = {
            "Content-Type": "application/json",
            "User-Agent": "crossfade",
            **server.credentials(token.reveal().strip()),
        }
        content = b"" if body is None else as_json(body)
        url = f"{_address(commit)}{path}"
        return await self._http.send(Call(url, method, query or {}, headers, content, (token,)))

    def _refused(self, commit: Commit, path: str, answer: Answer) -> Exception:
        server, url = _server(commit), f"{_address(commit)}{path}"
        error = refused(Call(url), answer, server.name, final=_GONE)
        if answer.status in _GONE:
            hint = "does the repository exist, and may the token see it?"
            return NotFound(error.what, hint=hint, address=url)
        return error

    async def close(self) -> None:
        """Close the connections."""
        await self._http.close()


def _server(commit: Commit) -> Server:
    found = _SERVERS.get(commit.provider)
    if found is None:
        raise InputError(
            f"{commit.provider} is told of no builds", hint=f"told are: {', '.join(PROVIDERS)}"
        )
    return found


def _address(commit: Commit) -> str:
    return (commit.api or _server(commit).public).rstrip("/")


def _good(answer: Answer) -> bool:
    return 200 <= answer.status < 300
