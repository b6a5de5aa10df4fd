"""A real git server on loopback, over HTTP with a user and a token, for tests."""

import base64
import os
import shutil
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import cast
from urllib.parse import urlsplit

USER, TOKEN = "x-access-token", "t0ken-of-a-test"


class GitHttp(ThreadingHTTPServer):
    """Serves the repositories of a folder to who knows the token."""

    daemon_threads = True

    def __init__(self, folder: Path, user: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.folder = folder
        self.wanted = "Basic " + base64.b64encode(f"{user}:{TOKEN}".encode()).decode()
        self.heard: list[str] = []
        """Whatever was given as Authorization."""

    @property
    def address(self) -> str:
        """As the address of a repository begins."""
        return f"http://127.0.0.1:{self.server_port}"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.0"

    def do_GET(self) -> None:
        self._serve(b"")

    def do_POST(self) -> None:
        if self.headers.get("Transfer-Encoding"):
            self.send_error(411)
            return
        self._serve(self.rfile.read(int(self.headers.get("Content-Length", "0"))))

    def _serve(self, body: bytes) -> None:
        given = self.headers.get("Authorization", "")
        served = cast(GitHttp, self.server)
        served.heard += [given] if given else []
        if given != served.wanted:
            self.send_response(401)
            self.send_header("WWW-Authenticate", 'Basic realm="test"')
            self.end_headers()
            return
        address = urlsplit(self.path)
        asked = {
            "REQUEST_METHOD": self.command,
            "PATH_INFO": address.path,
            "QUERY_STRING": address.query,
            "CONTENT_TYPE": self.headers.get("Content-Type", ""),
            "CONTENT_LENGTH": str(len(body)),
            "HTTP_CONTENT_ENCODING": self.headers.get("Content-Encoding", ""),
            "GIT_PROTOCOL": self.headers.get("Git-Protocol", ""),
            "GIT_PROJECT_ROOT": str(served.folder),
            "GIT_HTTP_EXPORT_ALL": "1",
            "REMOTE_USER": USER,
            "PATH": os.environ["PATH"],
        }
        done = subprocess.run(
            [shutil.which("git") or "git", "http-backend"],
            input=body,
            env=asked,
            capture_output=True,
            check=True,
        )
        head, _, content = done.stdout.partition(b"\r\n\r\n")
        headers = [line.decode().split(": ", 1) for line in head.split(b"\r\n")]
        status = next((value for name, value in headers if name == "Status"), "200")
        self.send_response(int(status.split()[0]))
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - of the library
        """Say nothing: tests read the output of programs."""


@contextmanager
def git_http(folder: Path, user: str = USER) -> Iterator[GitHttp]:
    """Serve the bare repositories of a folder."""
    with GitHttp(folder, user) as server:
        thread = threading.Thread(target=server.serve_forever, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join(10)
