"""A KubeClient over HTTP, with which the kubelet serves as the node of a real control plane."""

import asyncio
import base64
import json
import logging
import ssl
import tempfile
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from typing import Any

import httpx

from crossfade.base.errors import InputError
from crossfade.sandbox.kube.client import ApiError, Change, Object, WatchEvent
from crossfade.sandbox.kube.kinds import Kind

_log = logging.getLogger(__name__)
_WATCH_SECONDS, _SILENCE_SECONDS = 60, 75.0
_FIRST_PAUSE, _LAST_PAUSE = 0.1, 5.0
_MERGE = "application/merge-patch+json"


class HttpClient:
    """A Kubernetes API behind a URL."""

    def __init__(self, client: httpx.AsyncClient) -> None:
        """`client` knows the base URL, whom to trust, and our credentials."""
        self._client = client

    async def close(self) -> None:
        """Close all connections."""
        await self._client.aclose()

    async def get(self, kind: Kind, namespace: str | None, name: str) -> Object:
        """Return one object."""
        return await self._call("GET", kind.path(namespace, name))

    async def list(
        self, kind: Kind, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> list[Object]:
        """Return the objects that match both selectors, of all namespaces when None."""
        found: list[Object] = (await self._list(kind, namespace, labels, fields))["items"]
        return found

    async def _list(
        self, kind: Kind, namespace: str | None = None, labels: str = "", fields: str = ""
    ) -> Object:
        params = {"labelSelector": labels, "fieldSelector": fields}
        wanted = {name: value for name, value in params.items() if value}
        answer = await self._call("GET", kind.path(namespace), params=wanted)
        answer["items"] = answer.get("items") or []
        return answer

    async def watch(self, kind: Kind, fields: str = "") -> AsyncIterator[WatchEvent]:
        """Yield the collection (ADDED each, then SYNC) and from then on every change."""
        pause = _FIRST_PAUSE
        while True:
            try:
                listed = await self._list(kind, None, "", fields)
            except ApiError as error:
                _log.warning("list failed kind=%s error=%s", kind.plural, error.message)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_PAUSE)
                continue
            pause = _FIRST_PAUSE
            for obj in listed["items"]:
                yield WatchEvent(Change.ADDED, obj)
            yield WatchEvent(Change.SYNC, {})
            async for event in self._changes(kind, fields, listed["metadata"]["resourceVersion"]):
                yield event

    async def _changes(self, kind: Kind, fields: str, version: str) -> AsyncIterator[WatchEvent]:
        """Yield changes since a version, over all losses of connection, until that is too old."""
        pause = _FIRST_PAUSE
        while True:
            try:
                async for type_, obj in self._stream(kind, fields, version):
                    pause = _FIRST_PAUSE
                    version = obj["metadata"]["resourceVersion"]
                    if type_ != "BOOKMARK":
                        yield WatchEvent(Change(type_), obj)
            except ApiError as error:
                if error.code in (410, 504):
                    return
                _log.warning("watch broke kind=%s error=%s", kind.plural, error.message)
                await asyncio.sleep(pause)
                pause = min(2 * pause, _LAST_PAUSE)

    async def _stream(
        self, kind: Kind, fields: str, version: str
    ) -> AsyncIterator[tuple[str, Object]]:
        params = {
            "watch": "true",
            "allowWatchBookmarks": "true",
            "timeoutSeconds": str(_WATCH_SECONDS),
            "resourceVersion": version,
        }
        if fields:
            params["fieldSelector"] = fields
        timeout = httpx.Timeout(10.0, read=_SILENCE_SECONDS)
        try:
            async with self._client.stream(
                "GET", kind.path(), params=params, timeout=timeout
            ) as answer:
                if answer.status_code >= 400:
                    await answer.aread()
                    raise _error(answer)
                async for line in answer.aiter_lines():
                    if line:
                        event = json.loads(line)
                        if event["type"] == "ERROR":
                            raise _from_status(event["object"])
                        yield event["type"], event["object"]
        except (httpx.HTTPError, ValueError) as error:
            raise _unavailable(error) from error

    async def create(self, kind: Kind, body: Object) -> Object:
        """Create the object in `metadata.namespace` and return it as stored."""
        meta = body.get("metadata") or {}
        space = meta.get("namespace") or ("default" if kind.namespaced else None)
        full = {"apiVersion": kind.api_version, "kind": kind.kind, **body}
        return await self._call("POST", kind.path(space), full)

    async def update(self, kind: Kind, body: Object, subresource: str = "") -> Object:
        """Replace; 409 unless `metadata.resourceVersion` is the stored one or absent."""
        meta = body["metadata"]
        path = _below(kind.path(meta.get("namespace"), meta["name"]), subresource)
        full = {"apiVersion": kind.api_version, "kind": kind.kind, **body}
        return await self._call("PUT", path, full)

    async def patch(
        self, kind: Kind, namespace: str | None, name: str, merge: Object, subresource: str = ""
    ) -> Object:
        """Apply a JSON merge patch (RFC 7396) and return the object."""
        path = _below(kind.path(namespace, name), subresource)
        return await self._call("PATCH", path, merge, content_type=_MERGE)

    async def delete(
        self, kind: Kind, namespace: str | None, name: str, grace_seconds: int | None = None
    ) -> None:
        """Delete in the background; a Pod with a grace period gets a deletion time first."""
        options: Object = {
            "apiVersion": "v1",
            "kind": "DeleteOptions",
            "propagationPolicy": "Background",
        }
        if grace_seconds is not None:
            options["gracePeriodSeconds"] = grace_seconds
        await self._call("DELETE", kind.path(namespace, name), options)

    async def _call(
        self,
        method: str,
        path: str,
        body: Object | None = None,
        *,
        params: Mapping[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        headers = {"Content-Type": content_type} if body is not None else {}
        content = json.dumps(body).encode() if body is not None else None
        try:
            answer = await self._client.request(
                method, path, content=content, headers=headers, params=params
            )
            if answer.status_code >= 400:
                raise _error(answer)
            found: Object = answer.json()
        except (httpx.HTTPError, ValueError) as error:
            raise _unavailable(error) from error
        return found


def _below(path: str, subresource: str) -> str:
    return f"{path}/{subresource}" if subresource else path


def _error(answer: httpx.Response) -> ApiError:
    try:
        return _from_status(answer.json())
    except (ValueError, AttributeError):
        return ApiError(answer.status_code, answer.reason_phrase, answer.text[:200])


def _from_status(status: Object) -> ApiError:
    return ApiError(
        int(status.get("code") or 500),
        status.get("reason") or "",
        status.get("message") or "",
        status.get("details"),
    )


def _unavailable(error: Exception) -> ApiError:
    text = str(error) or type(error).__name__
    return ApiError(503, "ServiceUnavailable", f"the Kubernetes API did not answer: {text}")


def from_kubeconfig(path: Path, context: str = "") -> HttpClient:
    """
    Return a client for a context of a kubeconfig; the current one when it is empty.

    Raises InputError for a file, context or way to log in that cannot be used.
    """
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        config: Any = YAML(typ="safe", pure=True).load(path.read_text())
        name = context or config["current-context"]
        chosen = _named(config, "contexts", name)["context"]
        cluster = _named(config, "clusters", chosen["cluster"])["cluster"]
        user = _named(config, "users", chosen["user"])["user"] or {}
        server = str(cluster["server"])
    except (OSError, YAMLError, KeyError, TypeError) as error:
        raise InputError(
            f"{path} cannot be used as a kubeconfig: {error}",
            hint="check the file with `kubectl config view`, and the context's name",
            context=context,
        ) from error
    if "exec" in user or "auth-provider" in user:
        raise InputError(
            "a login by a command is not supported here",
            hint="use a context with a token or a client certificate",
            context=name,
        )
    headers = {"Accept": "application/json", "User-Agent": "crossfade-kubelet"}
    if token := _token(user):
        headers["Authorization"] = f"Bearer {token}"
    trust = _trust(path.parent, cluster, user) if server.startswith("https:") else True
    return HttpClient(
        httpx.AsyncClient(
            base_url=server, verify=trust, headers=headers, timeout=10.0, trust_env=False
        )
    )


def _named(config: Any, part: str, name: str) -> Any:  # noqa: ANN401 - a YAML document
    for one in config[part]:
        if one["name"] == name:
            return one
    raise KeyError(f"{part} has no {name!r}")


def _token(user: Mapping[str, Any]) -> str:
    if user.get("tokenFile"):
        return Path(user["tokenFile"]).read_text().strip()
    return str(user.get("token") or "")


def _trust(folder: Path, cluster: Mapping[str, Any], user: Mapping[str, Any]) -> ssl.SSLContext:
    """Return whom to trust, with our client certificate when there is one."""
    authority = _data(folder, cluster, "certificate-authority")
    trust = ssl.create_default_context(cadata=authority.decode() if authority else None)
    if cluster.get("insecure-skip-tls-verify"):
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    certificate = _data(folder, user, "client-certificate")
    key = _data(folder, user, "client-key")
    if certificate and key:
        # The ssl module reads certificates from files only.
        with tempfile.NamedTemporaryFile(suffix=".pem") as file:
            file.write(certificate + b"\n" + key)
            file.flush()
            trust.load_cert_chain(file.name)
    return trust


def _data(folder: Path, where: Mapping[str, Any], name: str) -> bytes | None:
    if data := where.get(f"{name}-data"):
        return base64.b64decode(data)
    if path := where.get(name):
        return (folder / str(path)).read_bytes()
    return None
