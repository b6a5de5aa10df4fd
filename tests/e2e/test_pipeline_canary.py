"""The example's pipelines with kubectl, helm and a VirtualService: users meet the shares."""

import http.client
import math
import shutil
import threading
import time
from collections import Counter
from dataclasses import dataclass, field

import httpx
import pytest

from crossfade.sandbox.demo.play import example
from crossfade.testing.registry_server import missing, registry_server

CLOUDS = ("onprem", "gcp", "aws")
FIRST_GATEWAY = 101
PER_SECOND = 40

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl on PATH")


@dataclass
class Users:
    """Users of all clouds, each answer with its time, its cloud and its version."""

    base: int
    answers: list[tuple[float, str, str]] = field(default_factory=list)
    _over: threading.Event = field(default_factory=threading.Event)

    def __enter__(self) -> "Users":
        self._threads = [
            threading.Thread(target=self._ask, args=(cloud, self.base + FIRST_GATEWAY + 10 * place))
            for place, cloud in enumerate(CLOUDS)
        ]
        for each in self._threads:
            each.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for each in self._threads:
            each.join(10)

    def _ask(self, cloud: str, port: int) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=5)
        while not self._over.wait(1 / PER_SECOND):
            try:
                connection.request("GET", "/callme", headers={"Host": "colors.localhost"})
                answer = connection.getresponse()
                answer.read()
                version = answer.getheader("X-Version", "") if answer.status == 200 else ""
            except (OSError, http.client.HTTPException):
                connection.close()
                version = ""
            self.answers.append((time.monotonic(), cloud, version or "failed"))
        connection.close()

    def between(self, begin: float, end: float) -> Counter[str]:
        """Return how many met which version, all clouds together."""
        return Counter(version for at, _, version in self.answers if begin <= at <= end)


@pytest.fixture
def registry(tmp_path):
    """The address of a registry, "" where none can be run."""
    if missing():
        yield ""
        return
    (tmp_path / "registry").mkdir()
    with registry_server(tmp_path / "registry") as address:
        yield address


def release(installation, file: str, colour: str, *more: str) -> dict[str, tuple[float, float]]:
    """Run the pipeline, approve it, and return from when to when each share was in force."""
    arguments = ("--local-dir", str(example()), "--var", f"COLOUR={colour}", "--var", "HOLD=3")
    arguments += more
    began, times, output = 0.0, {}, []
    process = installation.lines("pipeline", "run", str(example() / file), *arguments)
    too_late = threading.Timer(90, process.kill)
    too_late.start()
    with process:
        for line in process.stdout:
            output.append(line)
            _, _, text = line.partition(" | canary: ")
            if text.endswith(" of users\n"):
                began = time.monotonic()
            elif text:
                share = text.split(" ")[0]
                times.setdefault(share, (began + 0.5, time.monotonic()))
            if "* waits for approval" in line:
                installation.run("pipeline", "approve", "2")
    too_late.cancel()
    assert process.returncode == 0, "".join(output)[-4000:]
    return times


@pytest.mark.timeout(200)
@pytest.mark.parametrize("file", ["codefresh-helm.yml", "codefresh-deploy.yml"])
def test_users_meet_the_shares_of_the_script_and_nobody_meets_a_failure(install, file, registry):
    installation = install(*CLOUDS, hub=False)
    pushed = ()
    if registry:
        installation.run("image", "registry", "add", "ours", f"{registry}/team")
        pushed = ("--var", "REGISTRY=ours")
    first = ("--local-dir", str(example()), "--var", "COLOUR=blue")
    installation.run("pipeline", "run", str(example() / file), *first)
    with Users(installation.base) as users:
        times = release(installation, file, "yellow", *pushed)

    assert {"10", "25", "50", "100", "0"} <= times.keys()
    for share in (10, 25, 50, 100):
        met = users.between(*times[str(share)])
        part = 100 * met["yellow"] / met.total()
        noise = 100 * math.sqrt(share * (100 - share) / 10_000 / met.total())
        assert abs(part - share) < 4 * noise + 2, (share, met)
    everything = Counter(version for _, _, version in users.answers)
    assert everything.keys() == {"blue", "yellow"}, everything
    assert users.answers[-1][2] == "yellow"
    if registry:
        tags = httpx.get(f"http://{registry}/v2/team/colors/tags/list").json()["tags"]
        assert sorted(tags) == ["latest", "yellow"]
    for cloud in CLOUDS:
        left = installation.kubectl(cloud, "get", "deployments", "-o", "name")
        assert left.split() == ["deployment.apps/colors-stable"]
