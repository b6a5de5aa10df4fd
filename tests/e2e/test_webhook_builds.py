"""A push to a git server makes a build: the hub takes the webhook, clones over HTTP, and runs it."""

import hashlib
import hmac
import json
import os
import subprocess
import sys
import threading
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import httpx
import pytest

from crossfade.cli.main import main
from crossfade.testing.free_ports import free_port
from crossfade.testing.git_folder import git

WAIT_SECONDS = 60
PIPELINE = """version: '1.0'
kind: pipeline
metadata: {name: shop/web}
spec:
  triggers:
    - {type: git, name: pushes, repo: acme/web, events: [push.heads], branchRegex: /^main$/}
    - {type: git, name: files, repo: acme/web, events: [push.heads], modifiedFilesGlob: 'docs/**'}
  steps:
    say:
      image: alpine
      commands: ['echo "$CF_BRANCH has $(cat colour)"']
"""


@pytest.fixture
def home(tmp_path, monkeypatch) -> Path:
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path / "home"))
    (tmp_path / "home/secrets").mkdir(parents=True)
    (tmp_path / "home/secrets/webhook-github").write_text("s3cret")
    (tmp_path / "home/secrets/webhook-github").chmod(0o600)
    return tmp_path / "home"


@pytest.fixture
def server(tmp_path):
    """Serves a repository over HTTP; yields its address and the commit."""
    work = tmp_path / "served/web"
    work.mkdir(parents=True)
    git(work, "init", "-q")
    (work / "colour").write_text("green\n")
    git(work, "add", ".")
    git(work, "commit", "-q", "-m", "Begin")
    git(tmp_path / "served", "clone", "-q", "--bare", "web", "web.git")
    git(tmp_path / "served/web.git", "update-server-info")

    class Quiet(SimpleHTTPRequestHandler):
        def log_message(self, *_):
            """Say nothing."""

    handler = partial(Quiet, directory=str(tmp_path / "served"))
    http = ThreadingHTTPServer(("127.0.0.1", 0), handler)
    threading.Thread(target=http.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{http.server_port}/web.git", git(work, "rev-parse", "HEAD")
    http.shutdown()
    http.server_close()


@pytest.fixture
def hub(home):
    port = free_port()
    environment = {**os.environ, "CROSSFADE_PORT_BASE": str(free_port() - 1)}
    command = [sys.executable, "-m", "crossfade.cli.main", "up", "--port", str(port)]
    nowhere = subprocess.DEVNULL
    process = subprocess.Popen(command, env=environment, stdout=nowhere, stderr=nowhere)
    until(lambda: ready(port), "the hub does not come up")
    yield f"http://127.0.0.1:{port}/api/v1/webhooks/github"
    process.terminate()
    process.wait(15)


def ready(port: int) -> bool:
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz").status_code == 200
    except httpx.TransportError:
        return False


def until(condition, what: str):
    deadline = time.monotonic() + WAIT_SECONDS
    while not (found := condition()):
        assert time.monotonic() < deadline, what
        time.sleep(0.05)
    return found


def push(url: str, revision: str) -> bytes:
    commit = {"id": revision, "message": "Begin", "added": ["colour"], "author": {"name": "ann"}}
    data = {
        "ref": "refs/heads/main",
        "after": revision,
        "repository": {"full_name": "acme/web", "clone_url": url},
        "head_commit": commit,
        "commits": [commit],
    }
    return json.dumps(data).encode()


def send(hub: str, body: bytes) -> httpx.Response:
    signature = hmac.new(b"s3cret", body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={signature}"}
    return httpx.post(hub, content=body, headers=headers)


@pytest.mark.timeout(120)
def test_a_push_makes_a_build_of_its_commit(tmp_path, home, server, hub, capsys):
    file = tmp_path / "pipeline.yml"
    file.write_text(PIPELINE)
    assert main(["pipeline", "apply", str(file)]) == 0
    body = push(*server)

    answer = send(hub, body)

    assert answer.json()["builds"] == ["1"]
    assert "docs/**" in answer.json()["quiet"]["shop/web/files"]
    capsys.readouterr()
    until(lambda: listed(capsys)["result"] == "success", "the build does not end")
    main(["pipeline", "logs", "1", "say"])
    assert "main has green" in capsys.readouterr().out
    assert send(hub, body).status_code == 409


def listed(capsys) -> dict:
    main(["pipeline", "list", "--output", "json"])
    return json.loads(capsys.readouterr().out)[0]
