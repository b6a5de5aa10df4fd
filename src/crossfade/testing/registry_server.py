"""A real registry on loopback, for tests: Debian's docker-registry."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from crossfade.testing.free_ports import free_port

USER, PASSWORD = "tester", "of a test"
_USERS = "tester:$2b$04$3NYn4PZvWJZTNl1E68Lalu9H0oMaDcLn32RSy.hIanKFRXBFCO8aK\n"
_CONFIG = """version: 0.1
log: {{level: error, accesslog: {{disabled: true}}}}
storage: {{filesystem: {{rootdirectory: "{folder}/content"}}}}
http: {{addr: "127.0.0.1:{port}", secret: of-a-test}}
"""
_LOGIN = 'auth: {{htpasswd: {{realm: test, path: "{folder}/users"}}}}\n'
_START_SECONDS = 15


def missing() -> str:
    """Return why no registry can be run here, or ""."""
    if shutil.which("docker-registry"):
        return ""
    return "docker-registry is not installed; 'apt-get install docker-registry' brings it"


@contextmanager
def registry_server(folder: Path, *, login: bool = False) -> Iterator[str]:
    """Yield the address of a new registry, as `127.0.0.1:5000`; with `login` it wants USER."""
    port = free_port()
    text = _CONFIG.format(folder=folder, port=port)
    if login:
        (folder / "users").write_text(_USERS)
        text += _LOGIN.format(folder=folder)
    (folder / "config.yml").write_text(text)
    with (folder / "log").open("wb") as log:
        command = ["docker-registry", "serve", str(folder / "config.yml")]
        process = subprocess.Popen(command, stdout=log, stderr=log)
        try:
            _wait(f"http://127.0.0.1:{port}/v2/", folder / "log")
            yield f"127.0.0.1:{port}"
        finally:
            process.kill()
            process.wait()


def _wait(url: str, log: Path) -> None:
    until = time.monotonic() + _START_SECONDS
    while time.monotonic() < until:
        try:
            httpx.get(url, trust_env=False, timeout=1)
        except httpx.TransportError:
            time.sleep(0.05)
        else:
            return
    raise TimeoutError(f"the registry does not answer: {log.read_text()[-500:]}")
