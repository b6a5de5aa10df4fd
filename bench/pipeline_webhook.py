"""From a push's webhook to the first command of the build that a hub makes of it."""

import contextlib
import hashlib
import hmac
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Callable, Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
from harness import free_ports, quantile, verdict, write

ROUNDS = 15
MOST_SECONDS = 1.0
WAIT_SECONDS = 60.0
CROSSFADE = (sys.executable, "-m", "crossfade.cli.main")
SECRET = "of-the-bench"  # noqa: S105 - of a hub that lives for a minute
PIPELINE = """version: '1.0'
kind: pipeline
metadata: {{name: {name}}}
spec:
  triggers: [{{type: git, name: pushes, repo: acme/{name}, events: [push.heads]}}]
  variables: [{{key: CF_SKIP_MAIN_CLONE, value: '{skip}'}}]
  steps:
    first: {{image: alpine, commands: ['date +%s.%N > /codefresh/volume/began']}}
"""
KINDS = {"cloned": "false", "uncloned": "true"}


class Quiet(SimpleHTTPRequestHandler):
    """Serves files and says nothing."""

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - its name there
        """Say nothing."""


def git(folder: Path, *words: str) -> str:
    """Return what git answers."""
    own = ("user.name=bench", "user.email=bench@example.com", "init.defaultBranch=main")
    options = [part for each in own for part in ("-c", each)]
    command = [shutil.which("git") or "git", *options, *words]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)
    return done.stdout.strip()


@contextlib.contextmanager
def served(folder: Path) -> Iterator[tuple[str, str]]:
    """Serve a small repository over HTTP; yield its address and its commit."""
    work = folder / "web"
    work.mkdir(parents=True)
    git(work, "init", "-q")
    (work / "colour").write_text("green\n")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "Begin")
    git(folder, "clone", "-q", "--bare", "web", "web.git")
    git(folder / "web.git", "update-server-info")
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Quiet, directory=str(folder)))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_port}/web.git", git(work, "rev-parse", "HEAD")
    finally:
        server.shutdown()
        server.server_close()


@contextlib.contextmanager
def hub(home: Path) -> Iterator[str]:
    """Run a hub of its own; yield where it takes webhooks."""
    (home / "secrets").mkdir(parents=True)
    (home / "secrets/webhook-github").write_text(SECRET)
    (home / "secrets/webhook-github").chmod(0o600)
    port, base = free_ports(2)
    own = {**os.environ, "CROSSFADE_HOME": str(home), "CROSSFADE_PORT_BASE": str(base)}
    for name, skip in KINDS.items():
        text = PIPELINE.format(name=name, skip=skip)
        applied = [*CROSSFADE, "pipeline", "apply", "-"]
        subprocess.run(applied, input=text, env=own, text=True, check=True, capture_output=True)
    nowhere = subprocess.DEVNULL
    command = [*CROSSFADE, "up", "--port", str(port)]
    with subprocess.Popen(command, env=own, stdout=nowhere, stderr=nowhere) as process:
        try:
            address = f"http://127.0.0.1:{port}"
            until(lambda: answers(f"{address}/readyz"), "the hub does not come up")
            yield f"{address}/api/v1/webhooks/github"
        finally:
            process.terminate()


def answers(address: str) -> bool:
    """Return whether somebody is ready there."""
    with contextlib.suppress(httpx.TransportError):
        return httpx.get(address).status_code == 200
    return False


def until(condition: Callable[[], bool], what: str) -> None:
    """Wait until it is so."""
    deadline = time.monotonic() + WAIT_SECONDS
    while not condition():
        if time.monotonic() > deadline:
            raise RuntimeError(what)
        time.sleep(0.02)


def seconds(address: str, home: Path, name: str, source: tuple[str, str], number: int) -> float:
    """Return how long it takes from the webhook to the first command."""
    url, revision = source
    commit = {"id": revision, "message": f"Change {number}", "author": {"name": "ann"}}
    body = json.dumps(
        {
            "ref": "refs/heads/main",
            "after": revision,
            "repository": {"full_name": f"acme/{name}", "clone_url": url},
            "head_commit": commit,
            "commits": [commit],
        }
    ).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={signature}"}
    sent = time.time()  # noqa: TID251 - compared with what another process reads
    (build,) = httpx.post(address, content=body, headers=headers).json()["builds"]
    began = home / "pipelines" / build / "volume/began"
    until(lambda: began.exists() and began.read_text().endswith("\n"), "the build does not begin")
    return float(began.read_text()) - sent


def main() -> int:
    """Send one after the other; each build has ended when the next one is asked for."""
    taken: dict[str, list[float]] = {name: [] for name in KINDS}
    with tempfile.TemporaryDirectory() as folder:
        home = Path(folder) / "home"
        with served(Path(folder) / "served") as source, hub(home) as address:
            for number in range(ROUNDS):
                for name, times in taken.items():
                    times.append(seconds(address, home, name, source, number))
                    time.sleep(0.3)
    figures = {name: statistics.median(times) for name, times in taken.items()}
    good = figures["cloned"] <= MOST_SECONDS
    worst = quantile(taken["cloned"], 0.95)
    print(f"webhook to first command, with its clone: {figures['cloned']:.2f} s  {verdict(good)}")
    print(f"p95 {worst:.2f} s; without a clone {figures['uncloned']:.2f} s")
    print(f"limit: {MOST_SECONDS:g} s; medians of {ROUNDS} pushes")
    write("pipeline_webhook", {"median_seconds": figures, "p95_seconds": worst})
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
