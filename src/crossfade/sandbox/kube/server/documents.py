"""What the API says of itself: version, health, discovery, OpenAPI."""

import hashlib
from functools import lru_cache

from starlette.requests import Request
from starlette.responses import Response

from crossfade.sandbox.kube import discovery
from crossfade.sandbox.kube.registry import Registry
from crossfade.sandbox.kube.server.answers import Answer, encode
from crossfade.sandbox.kube.status import method_not_allowed

VERSION = {
    "major": "1",
    "minor": "32",
    "gitVersion": "v1.32.0+sandbox",
    "gitCommit": "",
    "gitTreeState": "clean",
    "buildDate": "1970-01-01T00:00:00Z",
    "goVersion": "",
    "compiler": "",
    "platform": "linux/amd64",
}
"""Build metadata, not a pre-release: charts' `kubeVersion: ">=1.20"` must hold."""
_OLD_OPEN_API_MEDIA = "application/com.github.proto-openapi.spec.v2.v1.0+protobuf"
_OLD_OPEN_API = b"\x0a\x032.0\x12\x12\x0a\x0aKubernetes\x12\x04v1.0\x42\x00\x4a\x00"
"""The same as a protobuf message: swagger, info (title, version), paths, definitions."""
_HEALTH = frozenset({"healthz", "livez", "readyz"})


class Documents:
    """Answers requests for documents; they are made anew when a CRD changes the served kinds."""

    def __init__(self, registry: Registry) -> None:
        self._registry = registry
        self._discovery = lru_cache(maxsize=64)(self._make_discovery)

    def find(self, request: Request) -> Response | None:
        """Return the answer, or None when the path is that of a resource."""
        path = request.url.path.rstrip("/")
        first, _, rest = path.lstrip("/").partition("/")
        if first not in _HEALTH | {"version", "api", "apis", "openapi", ""}:
            return None
        if first in ("api", "apis") and rest.count("/") > (0 if first == "api" else 1):
            return None
        if request.method not in ("GET", "HEAD"):
            raise method_not_allowed()
        if first in _HEALTH:
            return _health(first, verbose="verbose" in request.query_params)
        if first == "version":
            return Answer(VERSION)
        if first == "openapi":
            return self._openapi(rest, request)
        if not first:
            roots = ["/api", "/apis", "/healthz", "/livez", "/openapi/v3", "/readyz", "/version"]
            return Answer({"paths": roots})
        accept = request.headers.get("accept", "")
        found = self._discovery(path, accept, self._registry.generation)
        if found is None:
            return None
        media, body = found
        tag = f'"{hashlib.sha256(body).hexdigest()[:32].upper()}"'
        headers = {"Vary": "Accept", "ETag": tag, "Cache-Control": "public"}
        if request.headers.get("if-none-match") == tag:
            return Response(status_code=304, headers=headers)
        return Response(body, media_type=media, headers=headers)

    def _make_discovery(self, path: str, accept: str, _: int) -> tuple[str, bytes] | None:
        found = discovery.answer(path, accept, self._registry.kinds())
        return (found[0], encode(found[1])) if found else None

    def _openapi(self, rest: str, request: Request) -> Response | None:
        from crossfade.sandbox.kube import openapi

        version, _, root = rest.partition("/")
        if version == "v2" and not root:
            return _old_open_api(request.headers.get("accept", ""))
        if version != "v3":
            return None
        kinds, schemas = self._registry.kinds(), self._registry.schemas()
        if not root:
            return Answer(openapi.index(kinds, schemas))
        document = openapi.document(root, kinds, schemas)
        if document is None:
            return None
        caching = "public, immutable" if "hash" in request.query_params else "no-cache, private"
        return Answer(document, headers={"Cache-Control": caching})


def _old_open_api(accept: str) -> Response:
    """
    Return the OpenAPI v2 document, which describes nothing.

    kubectl reads it for what it does not find in v3 (a `List` in a file) and then leaves the
    checking of fields to the server.
    """
    if "protobuf" in accept:
        return Response(_OLD_OPEN_API, media_type=_OLD_OPEN_API_MEDIA)
    info = {"title": "Kubernetes", "version": VERSION["gitVersion"]}
    return Answer({"swagger": "2.0", "info": info, "paths": {}, "definitions": {}})


def _health(name: str, *, verbose: bool) -> Response:
    text = f"[+]ping ok\n[+]etcd ok\n{name} check passed\n" if verbose else "ok"
    return Response(text, media_type="text/plain")
