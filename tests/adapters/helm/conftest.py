"""Releases on a cluster, and a chart repository on this machine."""

import functools
import http.server
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from crossfade.adapters.helm.command import HelmCommand
from crossfade.adapters.helm.releases import HelmReleases
from crossfade.adapters.kubernetes.client import KubeApi


class _Quiet(http.server.SimpleHTTPRequestHandler):
    def log_message(self, *_arguments: object) -> None:
        pass


@pytest.fixture
def serve_folder() -> Iterator[Callable[[Path], str]]:
    """Serve folders over HTTP, each on a port of its own; returns the URL."""
    servers = []

    def serve(folder: Path) -> str:
        handler = functools.partial(_Quiet, directory=str(folder))
        server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler)
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{server.server_port}"

    yield serve
    for server, thread in servers:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def releases(api: KubeApi) -> HelmReleases:
    """Releases on the sandbox's cloud, with the real helm."""
    return HelmReleases(api, HelmCommand(), seconds=20)
