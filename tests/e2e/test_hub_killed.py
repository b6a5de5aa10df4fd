"""A hub that is killed again and again, with real clouds and users: the release goes through."""

import json
import signal
import time

import pytest

APPLICATION = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {{name: colors}}
spec:
  source: {{chart: {chart}, values: {{replicaCount: 2, colour: blue}}}}
  route: {{host: colors.localhost, service: colors, probe: {{path: /healthz}}}}
  rollout:
    drain: 1s
    canary: {{steps: [setWeight: 20, pause: {{duration: 2s}}, setWeight: 60, pause: {{duration: 2s}}]}}
  analysis: {{thresholds: [{{metric: errors, maxPercent: 5, minRequests: 20, window: 10s}}]}}
"""


@pytest.fixture
def installation(install):
    """Two clouds on which blue serves."""
    made = install("one", "two")
    made.serve(APPLICATION)
    return made


@pytest.mark.timeout(240)
def test_a_release_goes_through_although_the_hub_is_killed_every_second(installation, tmp_path):
    figures = tmp_path / "load.json"
    with figures.open("wb") as output:
        load = installation.start(
            "sandbox",
            "load",
            "--rate",
            "50",
            "--duration",
            "600s",
            "--output",
            "json",
            output=output,
        )
    try:
        installation.run("deploy", "colors", "--set", "colour=yellow")
        deadline, kills = time.monotonic() + 150, 0
        while installation.rollout()["phase"] != "ended":
            assert time.monotonic() < deadline, installation.rollout()
            if kills < 8:
                kills += 1
                installation.kill_hub()
                installation.start_hub()
            time.sleep(1)
    finally:
        load.send_signal(signal.SIGINT)
        load.wait(20)

    assert installation.rollout()["outcome"] == "succeeded"
    assert kills >= 3
    record = json.loads(figures.read_text())
    assert record["failed"] == 0
    assert record["versions"]["yellow"] > 0
