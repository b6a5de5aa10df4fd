"""Headers, copies and cookies, through the whole program, as users of one cloud meet them."""

import http.client
import json
import os
import subprocess
import sys
import time
from collections import Counter

import pytest

from crossfade.sandbox import state
from crossfade.sandbox.demo.play import choose_layout, example

CROSSFADE = (sys.executable, "-m", "crossfade.cli.main")
APPLICATION = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {{name: colors}}
spec:
  source: {{chart: {chart}, values: {{replicaCount: 1, colour: blue}}}}
  route: {{host: colors.localhost, service: colors, probe: {{path: /healthz}}}}
  rollout:
    drain: 1s
    stickiness: {{cookie: seen, ttl: 10m}}
    canary:
      steps:
        - setHeaderRoute: {{name: beta, match: [{{header: x-beta, exact: "yes"}}]}}
        - setHeaderRoute: {{name: staff, match: [{{cookie: team, prefix: crossfade}}]}}
        - setMirror: 25
        - pause: {{}}
        - setMirror: 0
        - setHeaderRoute: {{name: beta}}
        - setWeight: 30
        - pause: {{}}
  analysis: {{metrics: []}}
"""


class Installation:
    """A sandbox of one cloud with a hub, the commands of a person, and users at the edge."""

    def __init__(self, home):
        self.home = home
        self.base = choose_layout(home, None).port_base
        self.environment = os.environ | {
            "CROSSFADE_HOME": str(home),
            "CROSSFADE_PORT_BASE": str(self.base),
        }
        self.hub = None

    def run(self, *arguments):
        done = subprocess.run(
            [*CROSSFADE, *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=90,
            check=False,
        )
        assert done.returncode == 0, f"{arguments}: {done.stdout[-1500:]}{done.stderr[-1500:]}"
        return done.stdout

    def start_hub(self):
        self.hub = subprocess.Popen(
            [*CROSSFADE, "up"],
            env=self.environment,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def rollout(self):
        return json.loads(self.run("rollout", "list", "--output", "json"))["rollouts"][0]

    def end(self):
        if self.hub is not None:
            self.hub.terminate()
            self.hub.wait(10)
        self.run("sandbox", "down")

    def ask(self, **headers):
        """Return colour and new cookie of one request at the edge."""
        connection = http.client.HTTPConnection("127.0.0.1", self.base, timeout=5)
        host = {"host": "colors.localhost"}
        connection.request("GET", "/callme", headers={**host, **headers})
        answer = connection.getresponse()
        text = answer.read()
        connection.close()
        assert answer.status == 200, text
        return json.loads(text)["colour"], (answer.getheader("set-cookie") or "").partition(";")[0]

    def colours(self, requests, **headers):
        return Counter(self.ask(**headers)[0] for _ in range(requests))

    def copies(self):
        """Return how many requests each revision's pods got from the gateway."""
        admin = state.new_layout(self.home, ("one",), self.base).ports("one").gateway_admin
        connection = http.client.HTTPConnection("127.0.0.1", admin, timeout=5)
        connection.request("GET", "/stats?filter=^cluster.default/.*upstream_rq_total$")
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        return {line.split("/")[1].split("_80")[0]: int(line.split(": ")[1]) for line in lines}


@pytest.fixture
def installation(tmp_path):
    """One cloud on which blue serves everybody."""
    made = Installation(tmp_path / "home")
    try:
        made.run("sandbox", "up", "--clouds", "one", "--port-base", str(made.base))
        made.start_hub()
        made.run("fleet", "add", "--sandbox")
        file = tmp_path / "crossfade.yaml"
        file.write_text(APPLICATION.format(chart=example() / "deploy/helm/colors"))
        made.run("apply", "-f", str(file))
        made.run("deploy", "colors", "--watch")
        yield made
    finally:
        made.end()


def until(condition, installation, seconds=60):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, installation.rollout()
        time.sleep(0.1)


@pytest.mark.timeout(240)
def test_users_are_routed_by_header_copied_and_kept_where_they_were_first(installation):
    assert installation.colours(20) == {"blue": 20}
    installation.run("deploy", "colors", "--set", "colour=yellow")
    until(lambda: installation.ask(**{"x-beta": "yes"})[0] == "yellow", installation)

    assert installation.colours(200, **{"x-beta": "yes"}) == {"yellow": 200}
    assert installation.colours(200, **{"x-beta": "no"}) == {"blue": 200}
    assert installation.colours(100, cookie="a=1; team=crossfade-qa") == {"yellow": 100}
    assert installation.colours(100, cookie="myteam=crossfade; team=other") == {"blue": 100}

    until(lambda: "paused" in installation.rollout()["reason"], installation)
    before = installation.copies()
    assert installation.colours(400) == {"blue": 400}, "nobody sees the answers to copies"
    after = installation.copies()
    got = sorted(after[name] - before.get(name, 0) for name in after)
    assert 60 <= got[0] <= 145, "a quarter of 400 copies, 4.6 standard deviations"

    installation.run("rollout", "promote", "colors")
    until(lambda: installation.ask()[1] != "", installation)
    met = [installation.ask() for _ in range(300)]
    shares = Counter(colour for colour, _ in met)
    assert 55 <= shares["yellow"] <= 125, shares
    cookies = dict(met)
    assert set(cookies) == {"blue", "yellow"}
    for colour, cookie in cookies.items():
        assert cookie.startswith("seen=")
        assert installation.colours(200, cookie=f"a=1; {cookie}") == {colour: 200}
    assert installation.colours(20, **{"x-beta": "yes", "cookie": cookies["blue"]}) == {"blue": 20}

    until(lambda: "paused" in installation.rollout()["reason"], installation)
    installation.run("rollout", "promote", "colors")
    until(lambda: installation.rollout()["phase"] == "ended", installation)
    assert installation.colours(50, cookie=cookies["blue"]) == {"yellow": 50}
