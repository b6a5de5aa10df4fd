"""Images to and from a registry, over the distribution protocol of OCI."""

import json
import re
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import httpx

from crossfade.adapters.images.credentials import Credentials
from crossfade.base.errors import CrossfadeError, Denied, NotFound, Unavailable
from crossfade.core.image.documents import INDEX, MANIFESTS, digest
from crossfade.core.image.reference import Reference

INDEXES = (INDEX, "application/vnd.docker.distribution.manifest.list.v2+json")
_ANY_MANIFEST = {"Accept": ", ".join((*MANIFESTS, *INDEXES))}
_LARGEST_DOCUMENT = 16 << 20
_CHUNK = 1 << 20
_WAITS_SECONDS = (0.2, 1.0, 3.0)
_CHALLENGE = re.compile(r'(\w+)="([^"]*)"')
_HUB, _HUB_HOST = "docker.io", "registry-1.docker.io"


T = TypeVar("T")


_MOST_WORDS, _MOST_WORDS_BYTES = 200, 16 * 1024
"""So much is read, and shown, of what a registry says to a refusal."""


class _Again(Exception):
    """The registry may do it when it is asked again."""


class Registry:
    """The repository of one image; used in a `with`."""

    def __init__(self, image: Reference, credentials: Credentials | None) -> None:
        """Nothing is sent yet.  TLS is checked always, and left out only on this machine."""
        host = _HUB_HOST if image.registry == _HUB else image.registry
        repository = image.repository
        if image.registry == _HUB and "/" not in repository:
            repository = f"library/{repository}"
        self._image, self._credentials = image, credentials
        self._origin = f"{'http' if image.is_loopback else 'https'}://{host}"
        self._base = f"{self._origin}/v2/{repository}"
        self._scope = f"repository:{repository}:"
        self._authorization = ""
        # No proxies: they are for others, and a registry of this machine is none.
        self._client = httpx.Client(
            timeout=httpx.Timeout(60, connect=10), trust_env=not image.is_loopback
        )

    def __enter__(self) -> "Registry":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._client.close()

    def has(self, blob: str) -> bool:
        """Return whether the registry has the content."""
        return self._asked("HEAD", f"/blobs/{blob}", (200, 404), right="push").status_code == 200

    def put(self, blob: str, path: Path) -> None:
        """Bring content there; the registry compares it with its digest."""

        def send() -> None:
            begun = self._once("POST", f"{self._base}/blobs/uploads/", "push", (202,))
            where = urljoin(f"{self._base}/", begun.headers["location"])
            joint = "&" if urlsplit(where).query else "?"
            headers = {
                "Content-Type": "application/octet-stream",
                "Content-Length": str(path.stat().st_size),
            }
            url = f"{where}{joint}digest={blob}"
            self._once("PUT", url, "push", (201,), headers=headers, content=_pieces(path))

        self._with_patience(send)

    def put_manifest(self, tag: str, kind: str, content: bytes) -> None:
        """Give the image its tag; all that it needs must be there."""
        headers = {"Content-Type": kind}
        answer = self._asked(
            "PUT", f"/manifests/{tag}", (201,), right="push", headers=headers, content=content
        )
        said = answer.headers.get("docker-content-digest", "")
        if said and said != digest(content):
            raise self._unavailable(f"the registry has {said} instead of {digest(content)}")

    def digest_of(self, tag: str) -> str:
        """Return the digest that a tag stands for, "" when it is not there or not told."""
        answer = self._asked(
            "HEAD", f"/manifests/{tag}", (200, 404), right="push", headers=_ANY_MANIFEST
        )
        return answer.headers.get("docker-content-digest", "") if answer.is_success else ""

    def manifest(self, which: str, right: str = "pull") -> tuple[str, bytes]:
        """
        Return kind and content of the manifest of a tag or digest; `right` is what comes next.

        Raises NotFound.
        """
        answer = self._asked(
            "GET", f"/manifests/{which}", (200, 404), right=right, headers=_ANY_MANIFEST
        )
        if answer.status_code == 404:
            hint = "see that name and tag are right"
            raise NotFound(f"the registry has no image {self._image}", hint=hint)
        content = answer.content
        said = which if which.startswith("sha256:") else answer.headers.get("docker-content-digest")
        if len(content) > _LARGEST_DOCUMENT or (said and said != digest(content)):
            raise self._unavailable(f"the registry answers something else than {said or which}")
        return answer.headers.get("content-type", "").partition(";")[0], content

    def get(self, blob: str, keep: Callable[[Iterator[bytes]], object]) -> None:
        """Hand the content over in pieces; whoever keeps it compares it with its digest."""

        def fetch() -> None:
            with self._opened(f"{self._base}/blobs/{blob}") as answer:
                keep(answer.iter_bytes(_CHUNK))

        self._with_patience(fetch)

    @contextmanager
    def _opened(self, url: str) -> Iterator[httpx.Response]:
        """Yield the answer with its body unread; registries send on to where content is kept."""
        for attempt in (1, 2):
            with self._client.stream(
                "GET", url, headers=self._headers(url), follow_redirects=True
            ) as answer:
                if answer.status_code == 401 and attempt == 1:
                    self._log_in(answer, "pull")
                    continue
                self._check(answer, (200,))
                yield answer
                return

    def _asked(
        self,
        method: str,
        path: str,
        allowed: tuple[int, ...],
        right: str = "pull",
        **more: Any,  # noqa: ANN401 - of httpx
    ) -> httpx.Response:
        return self._with_patience(
            lambda: self._once(method, f"{self._base}{path}", right, allowed, **more)
        )

    def _with_patience(self, work: Callable[[], T]) -> T:
        """Return what the work returns; what is cut off or overloaded is tried again."""
        for wait in (*_WAITS_SECONDS, None):
            try:
                return work()
            except (httpx.TransportError, _Again) as error:
                if wait is None:
                    raise self._unavailable(str(error) or type(error).__name__) from error
                time.sleep(wait)
        raise AssertionError("the last time ends it")

    def _once(
        self,
        method: str,
        url: str,
        right: str,
        allowed: tuple[int, ...],
        **more: Any,  # noqa: ANN401 - of httpx
    ) -> httpx.Response:
        given = more.pop("headers", {})
        answer = self._client.request(method, url, headers={**given, **self._headers(url)}, **more)
        if answer.status_code == 401 and method != "PUT":
            self._log_in(answer, right)
            answer = self._client.request(
                method, url, headers={**given, **self._headers(url)}, **more
            )
        self._check(answer, allowed)
        return answer

    def _headers(self, url: str) -> dict[str, str]:
        """Return who we are, to the registry alone: others only get what it has signed."""
        if self._authorization and url.startswith(f"{self._origin}/"):
            return {"Authorization": self._authorization}
        return {}

    def _check(self, answer: httpx.Response, allowed: tuple[int, ...]) -> None:
        code = answer.status_code
        if code in allowed:
            return
        said = _words(answer)
        if code in (401, 403):
            raise Denied(
                f"the registry does not let us at {self._image.name}{said}",
                hint="log in with `docker login`, or give --username and --password-stdin",
                status=code,
            )
        if code in (408, 429) or code >= 500:
            raise _Again(f"the registry answers {code}{said}")
        raise self._unavailable(f"the registry answers {code}{said}")

    def _log_in(self, answer: httpx.Response, right: str) -> None:
        """Get what the registry asks for: our name and password, or a token for them."""
        kind, _, rest = answer.headers.get("www-authenticate", "").partition(" ")
        known = self._credentials
        if kind.lower() == "basic" and known is not None:
            request = httpx.Request("GET", self._origin)
            signed = next(httpx.BasicAuth(known.user, known.password).auth_flow(request))
            self._authorization = signed.headers["authorization"]
        elif kind.lower() == "bearer":
            self._authorization = f"Bearer {self._token(dict(_CHALLENGE.findall(rest)), right)}"

    def _token(self, challenge: Mapping[str, str], right: str) -> str:
        realm = challenge.get("realm", "")
        if not realm.startswith("https://") and not self._image.is_loopback:
            raise self._unavailable(f"it sends us for a token to an unsafe place, {realm!r}")
        rights = "pull,push" if right == "push" else right
        params = {"service": challenge.get("service", ""), "scope": f"{self._scope}{rights}"}
        auth = (self._credentials.user, self._credentials.password) if self._credentials else None
        answer = self._client.get(realm, params=params, auth=auth)
        self._check(answer, (200,))
        try:
            found = answer.json()
            return str(found.get("token") or found["access_token"])
        except (ValueError, LookupError, AttributeError) as error:
            raise self._unavailable("it gives no token") from error

    def _unavailable(self, why: str) -> CrossfadeError:
        hint = "see that it is reached from here, and try again"
        return Unavailable(f"{self._image.registry} does not serve us: {why}", hint=hint)


def _pieces(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        while piece := file.read(_CHUNK):
            yield piece


def _words(answer: httpx.Response) -> str:
    """Return what the registry says to its refusal, behind a colon, "" when it says nothing."""
    try:
        said = json.loads(next(answer.iter_bytes(_MOST_WORDS_BYTES), b""))
        first = said["errors"][0]
        words = " ".join(str(first.get("message") or first["code"]).split())
    except (httpx.HTTPError, ValueError, LookupError, TypeError, AttributeError):
        return ""
    return f": {words[:_MOST_WORDS]}" if words.isprintable() else ""
