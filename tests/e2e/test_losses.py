"""
A canary in the middle of one trouble after the other, on real clouds, with real users.

One story on one installation, since clouds take long to come up.  Which behaviours of the simulated
world are tried where is told in docs/concepts/simulation.md.
"""

import json
import signal

import pytest

APPLICATION = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {{name: colors}}
spec:
  source: {{chart: {chart}, values: {{replicaCount: 1, colour: blue}}}}
  route: {{host: colors.localhost, service: colors, probe: {{path: /healthz}}}}
  failover: {{recover: 2s, step: 2s}}
  rollout: {{drain: 1s, canary: {{steps: [setWeight: 20, pause: {{}}, setWeight: 60]}}}}
  analysis: {{metrics: []}}
"""


class Story:
    """An installation, and what a person sees of it."""

    def __init__(self, installation):
        self.installation = installation
        self.run, self.until = installation.run, installation.until
        self.cluster, self.share = installation.cluster, installation.share

    def health(self, name):
        return self.cluster(name)["health"]

    def reason(self):
        return self.installation.rollout()["reason"]


@pytest.mark.timeout(400)
def test_a_canary_and_its_users_come_through_every_trouble(install, tmp_path):
    installation = install("aws", "gcp", "onprem")
    installation.serve(APPLICATION)
    story = Story(installation)
    story.until(lambda: all(story.share(each) for each in ("aws", "gcp", "onprem")))
    figures = tmp_path / "load.json"
    with figures.open("wb") as output:
        users = installation.start(
            *("sandbox", "load", "--rate", "40", "--duration", "600s", "-o", "json"), output=output
        )
    try:
        an_api_server_alone_is_away(story)
        a_cloud_hangs_in_the_middle_of_a_canary(story)
        the_hub_is_killed_while_the_cloud_is_away(story)
        the_cloud_comes_back(story)
        a_person_aborts(story)
    finally:
        users.send_signal(signal.SIGINT)
        users.wait(20)

    record = json.loads(figures.read_text())
    met = sum(record["versions"].values())
    assert record["failed"] == 0
    assert 0 < record["versions"]["yellow"] <= 0.3 * met


def an_api_server_alone_is_away(story):
    story.run("sandbox", "partition", "gcp")
    story.until(lambda: story.health("gcp") == "api-down", "nobody saw that the API server is away")
    assert story.share("gcp"), "its users are served, and stay"
    story.run("sandbox", "restore", "gcp")
    story.until(lambda: story.health("gcp") == "healthy", "the API server is not back")


def a_cloud_hangs_in_the_middle_of_a_canary(story):
    story.run("deploy", "colors", "--set", "colour=yellow")
    story.until(lambda: story.installation.rollout()["percent"] == 20, "the canary has no users")
    story.run("sandbox", "hang", "gcp")
    story.until(lambda: story.share("gcp") == 0, "users have not left the cloud that hangs")
    story.until(lambda: "gcp" in story.reason(), "the rollout does not say what it waits for")


def the_hub_is_killed_while_the_cloud_is_away(story):
    story.installation.kill_hub()
    story.installation.start_hub()
    story.until(lambda: "gcp" in story.reason(), "the next hub knows nothing of the loss")
    assert story.share("gcp") == 0
    assert story.installation.rollout()["percent"] == 20


def the_cloud_comes_back(story):
    story.run("sandbox", "restore", "gcp")
    story.until(lambda: story.share("gcp"), "users do not come back", 120)


def a_person_aborts(story):
    story.run("rollout", "abort", "colors")
    story.until(lambda: story.installation.rollout()["phase"] == "ended", seconds=120)
    assert story.installation.rollout()["outcome"] == "rolled-back"
