"""
How soon after a webhook the first command of its build runs, its clone included.

    python bench/webhook_builds.py [--builds 20]
"""

import argparse
import hashlib
import hmac
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import httpx
from harness import free_ports, quantile, verdict, write

MOST_SECONDS = 1.0
SECRET = "s3cret"  # noqa: S105 - of this program alone
PIPELINE = """version: '1.0'
kind: pipeline
metadata: {name: bench/web}
spec:
  triggers: [{type: git, name: pushes, repo: acme/web, events: [push]}]
  steps:
    first: {image: alpine, commands: ['date +%s.%N > /codefresh/volume/began']}
"""


def repository(folder: Path) -> tuple[str, str]:
    """Return the address and the commit of a small repository."""
    work = folder / "web"
    work.mkdir()
    git = shutil.which("git") or "git"
    own = (git, "-c", "user.name=n", "-c", "user.email=e@example.com")
    for words in (("init", "-q", "-b", "main"), ("commit", "-q", "--allow-empty", "-m", "one")):
        subprocess.run([*own, *words], cwd=work, check=True)
    head = [git, "rev-parse", "HEAD"]
    done = subprocess.run(head, cwd=work, capture_output=True, text=True, check=True)
    return f"file://{work}", done.stdout.strip()


def send(address: str, number: int, url: str, revision: str) -> str:
    """Send a push and return the number of its build."""
    data = {
        "ref": "refs/heads/main",
        "after": revision,
        "number": number,
        "repository": {"full_name": "acme/web", "clone_url": url},
        "head_commit": {"id": revision, "message": "one"},
    }
    body = json.dumps(data).encode()
    signature = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    headers = {"X-GitHub-Event": "push", "X-Hub-Signature-256": f"sha256={signature}"}
    answer = httpx.post(address, content=body, headers=headers, timeout=30)
    found: str = answer.raise_for_status().json()["builds"][0]
    return found


def measured(folder: Path, count: int) -> list[float]:
    """Return the seconds of each build, one after the other."""
    base, port = free_ports(2)
    own = {"CROSSFADE_HOME": str(folder), "CROSSFADE_PORT_BASE": str(base)}
    own["CROSSFADE_SECRET_WEBHOOK_GITHUB"] = SECRET
    environment = os.environ | own
    command = [sys.executable, "-m", "crossfade.cli.main"]
    (folder / "pipeline.yml").write_text(PIPELINE)
    apply = [*command, "pipeline", "apply", str(folder / "pipeline.yml")]
    subprocess.run(apply, env=environment, check=True)
    quiet = subprocess.DEVNULL
    hub = subprocess.Popen(
        [*command, "up", "--port", str(port)], env=environment, stdout=quiet, stderr=quiet
    )
    try:
        address = f"http://127.0.0.1:{port}"
        while not _ready(f"{address}/readyz"):
            time.sleep(0.1)
        url, revision = repository(folder)
        found = []
        for number in range(count):
            sent = time.time()  # noqa: TID251 - compared with what `date` says
            build = send(f"{address}/api/v1/webhooks/github", number, url, revision)
            began = folder / "pipelines" / build / "volume/began"
            while not (began.exists() and began.read_text().strip()):
                time.sleep(0.01)
            found.append(float(began.read_text()) - sent)
            time.sleep(0.5)  # the build ends
        return found
    finally:
        hub.terminate()
        hub.wait(20)


def _ready(address: str) -> bool:
    try:
        return httpx.get(address).status_code == 200
    except httpx.TransportError:
        return False


def main() -> int:
    """Print the median and the slowest against the target."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--builds", type=int, default=20)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        seconds = measured(Path(folder), asked.builds)
    median, p95 = statistics.median(seconds), quantile(seconds, 0.95)
    good = median <= MOST_SECONDS
    print(
        f"webhook to first command, clone included: median {median:.2f} s "
        f"(target {MOST_SECONDS:g} s)  {verdict(good)}; p95 {p95:.2f} s"
    )
    write("webhook_builds", {"seconds": seconds, "median": median, "p95": p95})
    return 0 if good else 1


if __name__ == "__main__":
    sys.exit(main())
