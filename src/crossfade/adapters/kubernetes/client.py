"""One cluster's Kubernetes API: JSON requests with a deadline, errors that say what to do."""

import asyncio
import json
import os
import re
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any, TypeAlias

from crossfade.adapters.kubernetes.answers import no_plugin, refusal, silence
from crossfade.adapters.kubernetes.credentials import connect
from crossfade.base.errors import Unavailable
from crossfade.core.fleet.cluster import Cluster

if TYPE_CHECKING:
    import httpx2

Object: TypeAlias = dict[str, Any]
"""A Kubernetes object as JSON."""

FIELD_MANAGER = "crossfade"
_PAGE = 500
_METADATA_ONLY = "application/json;as=PartialObjectMetadataList;g=meta.k8s.io;v=v1,application/json"
_APPLY = "application/apply-patch+yaml"
_WARNING = re.compile(r'299 \S+ "((?:[^"\\]|\\.)*)"')


class KubeApi:
    """
    Asks one cluster.  Made without asking it, and shared by all that work with the cluster.

    Every method raises Denied (credentials), NotFound, Conflict, InputError (refused objects) or
    Unavailable (no answer, not ready).
    """

    def __init__(self, cluster: Cluster, seconds: float = 10.0) -> None:
        """`seconds` is the deadline of each request."""
        self.cluster = cluster
        self._seconds = seconds
        self._client: httpx2.AsyncClient | None = None
        self._made_from: tuple[int, ...] = ()
        self._making = asyncio.Lock()

    async def get(self, path: str, accept: str = "") -> Object:
        """Return one object, or whatever JSON is at the path; `accept` names other forms of it."""
        headers = {"Accept": accept} if accept else {}
        return self._parse(self._accept(*await self._send("GET", path, headers=headers)))

    async def find(self, path: str) -> Object | None:
        """Return one object, or None when there is none at the path."""
        code, body = await self._send("GET", path)
        if code == 404:
            return None
        return self._parse(self._accept(code, body))

    async def list(
        self, path: str, labels: str = "", *, fields: str = "", metadata_only: bool = False
    ) -> tuple[list[Object], str]:
        """Return the objects that match both selectors, and the list's resourceVersion."""
        found: list[Object] = []
        accept = {"Accept": _METADATA_ONLY} if metadata_only else {}
        place: Object = {"continue": ""}
        while "continue" in place:
            query = {"limit": str(_PAGE), "labelSelector": labels, "fieldSelector": fields}
            query["continue"] = place["continue"]
            code, body = await self._send("GET", path, query=query, headers=accept)
            page = self._parse(self._accept(code, body))
            found += page.get("items") or ()
            place = {key: value for key, value in (page.get("metadata") or {}).items() if value}
        return found, str(place.get("resourceVersion", ""))

    async def create(self, path: str, body: Object) -> Object:
        """
        Create the object in the collection at the path; Conflict if it is there already.

        A field that the cluster does not know is refused: without it the object means another
        thing.
        """
        query = {"fieldManager": FIELD_MANAGER, "fieldValidation": "Strict"}
        return self._parse(self._accept(*await self._send("POST", path, body=body, query=query)))

    async def apply(self, path: str, body: Object) -> Object:
        """Apply the object on the server, taking over fields that others have set."""
        query = {"fieldManager": FIELD_MANAGER, "force": "true"}
        headers = {"Content-Type": _APPLY}
        sent = await self._send("PATCH", path, body=body, query=query, headers=headers)
        return self._parse(self._accept(*sent))

    async def merge(self, path: str, patch: Object) -> Object:
        """Lay the patch over the object: maps are merged, null removes, all else is replaced."""
        query = {"fieldManager": FIELD_MANAGER}
        headers = {"Content-Type": "application/merge-patch+json"}
        sent = await self._send("PATCH", path, body=patch, query=query, headers=headers)
        return self._parse(self._accept(*sent))

    async def rehearse(self, method: str, path: str, body: Object) -> tuple[str, ...]:
        """
        Return the warnings that writing the object would give; nothing is written.

        PATCH applies it, POST creates it.  Raises as the real write would.
        """
        query = {"fieldManager": FIELD_MANAGER, "dryRun": "All", "fieldValidation": "Strict"}
        headers = {}
        if method == "PATCH":
            query["force"], headers["Content-Type"] = "true", _APPLY
        answer = await self._exchange(method, path, body=body, query=query, headers=headers)
        self._accept(answer.status_code, answer.text)
        told = answer.headers.get("Warning", "")
        return tuple(re.sub(r"\\(.)", r"\1", text) for text in _WARNING.findall(told))

    async def delete(self, path: str, grace_seconds: int | None = None) -> None:
        """
        Delete the object in the background; no error if it is gone already.

        Pods may take `grace_seconds` to end; None: what they say themselves; 0: nobody waits.
        """
        body: Object = {"apiVersion": "v1", "kind": "DeleteOptions"}
        body["propagationPolicy"] = "Background"
        if grace_seconds is not None:
            body["gracePeriodSeconds"] = grace_seconds
        code, answer = await self._send("DELETE", path, body=body)
        if code != 404:
            self._accept(code, answer)

    async def text(self, path: str, query: Mapping[str, str] | None = None) -> str:
        """Return what the path answers, as text: logs, health."""
        return self._accept(*await self._send("GET", path, query=query or {}))

    async def content(self, path: str, query: Mapping[str, str] | None = None) -> bytes:
        """Return what the path answers, byte for byte: logs of whatever programs print."""
        answer = await self._exchange("GET", path, query=query or {})
        self._accept(answer.status_code, answer.text if answer.status_code >= 400 else "")
        return answer.content

    async def ask_pod(self, path: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        """Return what a pod behind a `proxy` path answers to a POST."""
        media = {"Content-Type": "application/octet-stream", "Accept": "*/*"}
        answer = await self._exchange("POST", path, body=body, headers={**media, **headers})
        self._accept(answer.status_code, answer.text if answer.status_code >= 400 else "")
        return answer.content

    async def peek(self, path: str) -> str:
        """Return what a pod or a Service behind a `proxy` path answers, whatever its status is."""
        answer = await self._exchange("GET", path)
        if '"kind":"Status"' in answer.text.replace(" ", ""):  # the API server speaks for itself
            self._accept(answer.status_code, answer.text)
        return answer.text

    async def watch(
        self, path: str, version: str, idle_seconds: float, labels: str = ""
    ) -> AsyncIterator[Object]:
        """
        Yield watch events (`type`, `object`) after the resourceVersion, until the server ends it.

        Raises Unavailable when nothing has come for `idle_seconds` and a little more: servers that
        are alive end the watch by then.
        """
        import httpx2

        query = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "resourceVersion": version,
            "timeoutSeconds": str(max(int(idle_seconds), 1)),
            "labelSelector": labels,
        }
        quiet = httpx2.Timeout(self._seconds, read=idle_seconds + 5)
        try:
            async with AsyncExitStack() as stack:
                client = await self._current()
                answer = await stack.enter_async_context(
                    client.stream("GET", path, params=query, timeout=quiet)
                )
                if answer.status_code >= 400:
                    body = (await answer.aread()).decode(errors="replace")
                    raise refusal(answer.status_code, body, self.cluster.name)
                async for line in answer.aiter_lines():
                    if line.strip():
                        yield self._parse(line)
        except (httpx2.HTTPError, OSError) as error:
            raise silence(error, self.cluster.name, idle_seconds + 5) from error

    async def close(self) -> None:
        """Close the connections."""
        client, self._client = self._client, None
        if client is not None:
            await client.aclose()

    def _accept(self, code: int, body: str) -> str:
        if code >= 400:
            raise refusal(code, body, self.cluster.name)
        return body

    def _parse(self, body: str) -> Object:
        try:
            parsed = json.loads(body)
        except ValueError:
            parsed = None
        if not isinstance(parsed, dict):
            raise Unavailable(
                f"what answers is no Kubernetes API server: {body[:60]!r}",
                hint="check `server` in the kubeconfig: is there a proxy in between?",
                cluster=self.cluster.name,
            )
        return parsed

    async def _send(
        self,
        method: str,
        path: str,
        *,
        body: Object | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> tuple[int, str]:
        """Return status and body; raises Denied or Unavailable when there is no answer."""
        answer = await self._exchange(method, path, body=body, query=query, headers=headers)
        return answer.status_code, answer.text

    async def _exchange(
        self,
        method: str,
        path: str,
        *,
        body: Object | bytes | None = None,
        query: Mapping[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> "httpx2.Response":
        content = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        named = {"Accept": "application/json", "Content-Type": "application/json"}
        client = await self._current()
        try:
            async with asyncio.timeout(self._seconds):
                answer = await client.request(
                    method,
                    path,
                    content=content,
                    params={key: value for key, value in (query or {}).items() if value},
                    headers={**named, **(headers or {})},
                )
        except Exception as error:
            raise self._no_answer(error) from error
        return answer

    def _no_answer(self, error: Exception) -> Exception:
        import httpx2
        from lightkube.core.exceptions import ConfigError

        if isinstance(error, ConfigError):
            return no_plugin(error, self.cluster.name)
        if isinstance(error, (httpx2.HTTPError, OSError, TimeoutError, httpx2.InvalidURL)):
            return silence(error, self.cluster.name, self._seconds)
        return error

    async def _current(self) -> "httpx2.AsyncClient":
        """Return the HTTP client, a new one when the kubeconfig has changed: tokens are renewed."""
        async with self._making:
            made_from = self._stamp()
            if self._client is None or made_from != self._made_from:
                fresh = await asyncio.to_thread(connect, self.cluster, self._seconds)
                await self.close()
                self._client, self._made_from = fresh, made_from
            return self._client

    def _stamp(self) -> tuple[int, ...]:
        try:
            found = os.stat(self.cluster.kubeconfig)
        except OSError as error:
            raise Unavailable(
                f"the kubeconfig file cannot be read: {error.strerror}",
                hint="put it back, or add the cluster again with `crossfade fleet add`",
                cluster=self.cluster.name,
                kubeconfig=self.cluster.kubeconfig,
            ) from error
        return found.st_mtime_ns, found.st_size, found.st_ino
