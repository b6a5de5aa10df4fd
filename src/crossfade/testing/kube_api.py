"""A plain view of a Kubernetes API over HTTPS for tests: what was sent is what came back."""

import base64
import json
import ssl
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias, TypeVar

import httpx
from ruamel.yaml import YAML

T = TypeVar("T")
Json: TypeAlias = Any
Object = dict[str, Any]

MERGE = "application/merge-patch+json"
STRATEGIC = "application/strategic-merge-patch+json"
JSON_PATCH = "application/json-patch+json"
APPLY = "application/apply-patch+yaml"


class KubeApi:
    """One context of a kubeconfig; tests give paths, and look at codes and bodies themselves."""

    def __init__(self, kubeconfig: Path, context: str) -> None:
        config = YAML(typ="safe").load(kubeconfig)
        named = _named(config["contexts"], context)["context"]
        cluster = _named(config["clusters"], named["cluster"])["cluster"]
        user = _named(config["users"], named["user"])["user"]
        self.url: str = cluster["server"]
        self.token: str = user.get("token", "")
        self.trust = _trust(cluster, user)
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        self._client = httpx.Client(
            base_url=self.url, verify=self.trust, headers=headers, timeout=30.0, trust_env=False
        )

    def close(self) -> None:
        """Close all connections."""
        self._client.close()

    def call(self, method: str, path: str, body: Json = None, **options: Json) -> httpx.Response:
        """Return the answer; `options` are `params`, `content_type`, `accept`, `content`."""
        headers = {}
        content = options.get("content")
        if body is not None:
            content = json.dumps(body).encode()
        if content is not None:
            headers["Content-Type"] = options.get("content_type", "application/json")
        if "accept" in options:
            headers["Accept"] = options["accept"]
        headers |= options.get("headers", {})
        params = options.get("params")
        return self._client.request(method, path, content=content, headers=headers, params=params)

    def ok(self, method: str, path: str, body: Json = None, **options: Json) -> Object:
        """Return the body of an answer that must be a success."""
        answer = self.call(method, path, body, **options)
        _hold(answer.is_success, answer)
        found: Object = answer.json()
        return found

    def refused(
        self, code: int, method: str, path: str, body: Json = None, **options: Json
    ) -> Object:
        """Return the `Status` of an answer that must have this code."""
        answer = self.call(method, path, body, **options)
        _hold(answer.status_code == code, answer)
        status: Object = answer.json()
        _hold(status["kind"] == "Status" and status["code"] == code, answer)
        return status

    def get(self, path: str, **params: str) -> Object:
        """Return an object or a list."""
        return self.ok("GET", path, params=params)

    def patch(self, path: str, body: Json, content_type: str = MERGE, **params: str) -> Object:
        """Patch and return the object."""
        return self.ok("PATCH", path, body, content_type=content_type, params=params)

    @contextmanager
    def watch(self, path: str, **params: str) -> Iterator[Iterator[Object]]:
        """Give the events of a watch, which must end (or be left) within 20 seconds."""
        query = {"watch": "true", "timeoutSeconds": "20"} | params
        with self._client.stream("GET", path, params=query, timeout=25.0) as answer:
            if not answer.is_success:
                answer.read()
            _hold(answer.is_success, answer)
            yield (json.loads(line) for line in answer.iter_lines() if line)


def eventually(look: Callable[[], T | None], seconds: float = 20.0) -> T:
    """Return the first truthy answer of `look`, which is asked until then; fails after a while."""
    deadline = time.monotonic() + seconds
    while True:
        found = look()
        if found:
            return found
        if time.monotonic() >= deadline:
            raise AssertionError(f"not so after {seconds} s: {look!r}")
        time.sleep(0.05)


def _hold(true: bool, answer: httpx.Response) -> None:
    if not true:
        asked = f"{answer.request.method} {answer.request.url}"
        raise AssertionError(f"{asked}: {answer.status_code} {answer.text}")


def _named(items: list[Object], name: str) -> Object:
    return next(item for item in items if item["name"] == name)


def _trust(cluster: Object, user: Object) -> ssl.SSLContext:
    authority = _pem(cluster, "certificate-authority")
    context = ssl.create_default_context(cadata=authority)
    certificate, key = _pem(user, "client-certificate"), _pem(user, "client-key")
    if certificate and key:
        with tempfile.NamedTemporaryFile("w") as file:
            file.write(f"{certificate}\n{key}")
            file.flush()
            context.load_cert_chain(file.name)
    return context


def _pem(config: Object, name: str) -> str | None:
    if config.get(f"{name}-data"):
        return base64.b64decode(config[f"{name}-data"]).decode()
    return Path(config[name]).read_text(encoding="utf-8") if config.get(name) else None
