"""A cloud dies whose users do not fit elsewhere yet: the standby grows, and few are turned away."""

import http.client
from collections import Counter

from crossfade.adapters.envoy.classes import TURNED_AWAY

APPLICATION = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {{name: colors}}
spec:
  source: {{chart: {chart}, values: {{replicaCount: 4, colour: blue}}}}
  route: {{host: colors.localhost, service: colors, probe: {{path: /healthz}}}}
  placement: {{mode: warm-standby, orders: {{two: 1}}, standby: 25, podCapacity: 10}}
  failover: {{recover: 2s, step: 2s}}
  rollout: {{drain: 1s}}
  analysis: {{metrics: []}}
"""
RATE = 24


def ask(installation):
    """Return status and body of one request at the edge."""
    connection = http.client.HTTPConnection("127.0.0.1", installation.base, timeout=5)
    connection.request("GET", "/callme", headers={"host": "colors.localhost"})
    answer = connection.getresponse()
    body = answer.read().decode()
    connection.close()
    return answer.status, body


def test_users_of_a_dead_cloud_meet_a_standby_that_grows_until_everybody_fits(install):
    world = install("one", "two")
    world.serve(APPLICATION)

    def served():
        (found,) = world.data("failover", "status")["applications"]
        return found

    # It serves until the other cloud is ready, when it is the first to be, and then it rests.
    world.until(lambda: pods(world) == 1, "a standby at rest runs a quarter of its pods")
    users = world.start("sandbox", "load", "--rate", str(RATE), "--duration", "90s")
    try:
        world.until(lambda: (served()["demand"] or 0) >= RATE * 0.8, "users are counted")
        assert world.cluster("two")["users"] == {"colors": 0.0}

        world.run("sandbox", "kill", "one")
        seen = Counter()
        world.until(lambda: turned_away(world, seen), "nobody was turned away", 60)
        world.until(lambda: pods(world) >= 3, "the standby has not grown")
        everybody = {"colors": 100.0}
        world.until(
            lambda: world.cluster("two")["users"] == everybody, "users are still turned away"
        )
        assert served()["shed_percent"] == 0
        assert {ask(world)[0] for _ in range(20)} == {200}
    finally:
        users.terminate()
        users.wait(10)

    story = world.run("failover", "why", "colors")
    assert "turns away" in story
    assert "two grows from 25 %" in story
    assert "turns nobody away any more" in story


def turned_away(world, seen):
    """Ask a few times; say whether somebody has read that there is no room."""
    for _ in range(5):
        status, body = ask(world)
        seen[status] += 1
        if body == TURNED_AWAY:
            return True
    return False


def pods(world):
    """Return how many pods the standby is asked to run."""
    text = world.kubectl("two", "get", "deployments", "-o", "jsonpath={.items[*].spec.replicas}")
    return sum(int(each) for each in text.split())
