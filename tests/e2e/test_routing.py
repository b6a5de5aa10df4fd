"""Headers, copies and cookies, through the whole program, as users of one cloud meet them."""

import http.client
import json
from collections import Counter

import pytest

from crossfade.sandbox import state

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


class Users:
    """Users at the edge, and what the gateway counts of them."""

    def __init__(self, installation):
        self.home, self.base = installation.home, installation.base

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
def installation(install):
    """One cloud on which blue serves everybody."""
    made = install("one")
    made.serve(APPLICATION)
    return made


@pytest.mark.timeout(240)
def test_users_are_routed_by_header_copied_and_kept_where_they_were_first(installation):
    users = Users(installation)
    assert users.colours(20) == {"blue": 20}
    installation.run("deploy", "colors", "--set", "colour=yellow")
    installation.until(lambda: users.ask(**{"x-beta": "yes"})[0] == "yellow")

    assert users.colours(200, **{"x-beta": "yes"}) == {"yellow": 200}
    assert users.colours(200, **{"x-beta": "no"}) == {"blue": 200}
    assert users.colours(100, cookie="a=1; team=crossfade-qa") == {"yellow": 100}
    assert users.colours(100, cookie="myteam=crossfade; team=other") == {"blue": 100}

    installation.until(lambda: "paused" in installation.rollout()["reason"])
    before = users.copies()
    assert users.colours(400) == {"blue": 400}, "nobody sees the answers to copies"
    after = users.copies()
    got = sorted(after[name] - before.get(name, 0) for name in after)
    assert 60 <= got[0] <= 145, "a quarter of 400 copies, 4.6 standard deviations"

    installation.run("rollout", "promote", "colors")
    installation.until(lambda: users.ask()[1] != "")
    met = [users.ask() for _ in range(300)]
    shares = Counter(colour for colour, _ in met)
    assert 55 <= shares["yellow"] <= 125, shares
    cookies = dict(met)
    assert set(cookies) == {"blue", "yellow"}
    for colour, cookie in cookies.items():
        assert cookie.startswith("seen=")
        assert users.colours(200, cookie=f"a=1; {cookie}") == {colour: 200}
    assert users.colours(20, **{"x-beta": "yes", "cookie": cookies["blue"]}) == {"blue": 20}

    installation.until(lambda: "paused" in installation.rollout()["reason"])
    installation.run("rollout", "promote", "colors")
    installation.until(lambda: installation.rollout()["phase"] == "ended")
    assert users.colours(50, cookie=cookies["blue"]) == {"yellow": 50}
