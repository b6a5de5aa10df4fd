"""A real registry on loopback, for tests: Debian's docker-registry."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from crossfade.testing.free_ports import free_port
from crossfade.testing.server_process import server_process

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
    command = ["docker-registry", "serve", str(folder / "config.yml")]
    with server_process(command, f"http://127.0.0.1:{port}/v2/", folder, _START_SECONDS):
        yield f"127.0.0.1:{port}"
