"""Real name servers on loopback, for tests: BIND and Knot from Debian, each with one zone."""

import asyncio
import base64
import contextlib
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import dns.asyncquery
import dns.exception
import dns.message

ZONE = "app.test"
KEY_NAME = "crossfade"
SECRET = base64.b64encode(b"a secret of 32 bytes for a test!").decode()
_RECORDS = """$TTL 60
@ IN SOA ns.app.test. admin.app.test. 1 3600 600 86400 60
@ IN NS ns.app.test.
ns IN A 127.0.0.1
alias IN CNAME ns.app.test.
manual IN A 192.0.2.99
"""
_BIND = """
key "{key}" {{ algorithm hmac-sha256; secret "{secret}"; }};
options {{
  directory "{folder}"; pid-file "{folder}/named.pid"; session-keyfile "{folder}/session.key";
  listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; dnssec-validation no; notify no;
}};
controls {{ }};
zone "{zone}" {{
  type primary; file "{folder}/zone.db"; update-policy {{ grant "{key}" zonesub ANY; }};
}};
"""
_KNOT = """
server:
    rundir: "{folder}"
    listen: 127.0.0.1@{port}
database:
    storage: "{folder}/db"
key:
  - id: {key}
    algorithm: hmac-sha256
    secret: {secret}
acl:
  - id: updates
    key: {key}
    action: update
zone:
  - domain: {zone}
    file: "{folder}/zone.db"
    acl: updates
"""


def missing(server: str) -> str:
    """Return why a server (`bind` or `knot`) cannot be run here, or ""."""
    program, package = {"bind": ("named", "bind9"), "knot": ("knotd", "knot")}[server]
    if _program(program) is None:
        return f"needs {program} (Debian package {package})"
    return ""


@contextlib.asynccontextmanager
async def running(server: str, folder: Path, port: int) -> AsyncIterator[None]:
    """Run a server on 127.0.0.1:`port` with its files in `folder` until the block ends."""
    (folder / "zone.db").write_text(_RECORDS)
    (folder / "db").mkdir()
    template, command = {
        "bind": (_BIND, ("named", "-f", "-c")),
        "knot": (_KNOT, ("knotd", "-c")),
    }[server]
    config = folder / "server.conf"
    config.write_text(
        template.format(folder=folder, port=port, key=KEY_NAME, secret=SECRET, zone=ZONE)
    )
    with (folder / "server.log").open("wb") as log:
        process = await asyncio.create_subprocess_exec(
            _program(command[0]) or command[0], *command[1:], str(config), stdout=log, stderr=log
        )
    try:
        await _wait_until_up(process, port, folder / "server.log")
        yield
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def _wait_until_up(process: asyncio.subprocess.Process, port: int, log: Path) -> None:
    async with asyncio.timeout(15):
        while process.returncode is None:
            # It listens before it has read its zone.
            with contextlib.suppress(OSError, EOFError, dns.exception.DNSException):
                question = dns.message.make_query(ZONE, "SOA")
                answer = await dns.asyncquery.tcp(question, "127.0.0.1", timeout=2, port=port)
                if answer.answer:
                    return
            await asyncio.sleep(0.02)
    raise RuntimeError(f"the name server ended, see {log}")


def _program(name: str) -> str | None:
    return shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
