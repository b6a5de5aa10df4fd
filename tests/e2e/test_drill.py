"""A cloud is taken out for a drill, with real clouds, a real edge and users: nobody notices."""

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
  failover: {{objective: {{recovery: 30s, errorBudget: 5%}}}}
"""


@pytest.fixture(scope="module")
def installation(install_once):
    """Three clouds on which blue serves, with their shares of users."""
    made = install_once("aws", "gcp", "onprem")
    made.serve(APPLICATION)
    made.until(lambda: all(shares(made).values()))
    return made


@pytest.fixture
def users(installation, tmp_path):
    """Send 50 requests per second; end that and return what they met when called."""
    path = tmp_path / "load.json"
    with path.open("wb") as output:
        load = installation.start(
            *("sandbox", "load", "--rate", "50", "--duration", "600s", "-o", "json"), output=output
        )

    def end():
        if load.poll() is None:
            load.send_signal(signal.SIGINT)
            load.wait(20)
        return json.loads(path.read_text())

    yield end
    end()


def shares(installation):
    found = installation.data("failover", "status")["clusters"]
    return {each["cluster"]: each["users"].get("colors", 0.0) for each in found}


def newest(installation):
    return installation.data("failover", "drills")["drills"][0]


@pytest.mark.timeout(240)
def test_no_user_notices_a_drill_and_all_are_back_after_it(installation, users):
    drill = installation.data("failover", "drill", "gcp", "--for", "8s", "--yes")

    assert drill["outcome"] == "met"
    assert drill["courses"][0]["recovery_seconds"] < 30
    assert drill["returned_at"] is not None
    assert all(shares(installation).values())
    assert users()["failed"] == 0


@pytest.mark.timeout(240)
def test_users_are_back_after_command_and_hub_were_killed_in_the_middle(installation, users):
    command = installation.start("failover", "drill", "gcp", "--for", "600s", "--yes")
    installation.until(lambda: shares(installation)["gcp"] == 0)
    command.kill()
    command.wait(10)
    installation.kill_hub()
    installation.start_hub()
    installation.until(lambda: newest(installation)["phase"] == "ended")

    assert newest(installation)["outcome"] == "aborted"
    assert all(shares(installation).values())
    assert users()["failed"] == 0
