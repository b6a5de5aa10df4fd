"""A cloud is taken out for a drill, with real clouds, a real edge and users: nobody notices."""

import json
import signal
import subprocess
import sys
import time
from types import SimpleNamespace

import httpx
import pytest

from crossfade.sandbox.state import Layout
from crossfade.testing.free_ports import free_port

CROSSFADE = (sys.executable, "-m", "crossfade.cli.main")

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
    path, before = tmp_path / "load.json", asked(installation)
    with path.open("wb") as output:
        load = installation.start(
            *("sandbox", "load", "--rate", "50", "--duration", "600s", "-o", "json"), output=output
        )

    # A drill is refused when nobody asks for anything.
    installation.until(lambda: asked(installation) > before, "no requests reach the edge")

    def end():
        if load.poll() is None:
            load.send_signal(signal.SIGINT)
            load.wait(20)
        return json.loads(path.read_text())

    yield end
    end()


def asked(installation):
    """Return how many requests of users the edge has had."""
    layout = Layout(installation.home / "sandbox", ("aws", "gcp", "onprem"), installation.base)
    admin = f"http://127.0.0.1:{layout.edge_admin_port}/stats?filter=downstream_rq_total"
    figures = [line.split(": ") for line in httpx.get(admin).text.splitlines()]
    return sum(int(count) for name, count in figures if not name.startswith("http.admin."))


def shares(installation):
    found = installation.data("failover", "status")["clusters"]
    return {each["cluster"]: each["users"].get("colors", 0.0) for each in found}


def newest(installation):
    return next(iter(installation.data("failover", "drills")["drills"]), {"phase": "none"})


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


@pytest.fixture
def elsewhere(installation, tmp_path):
    """Start commands of somebody on another machine, who is signed in at the hub over HTTP."""
    installation.kill_hub()
    port, password = free_port(), b"correct horse battery\n"
    installation.hub = installation.start("up", "--port", str(port))
    environment = installation.environment | {"CROSSFADE_HOME": str(tmp_path / "elsewhere")}

    def start(*arguments):
        quiet = subprocess.DEVNULL
        return subprocess.Popen(
            [*CROSSFADE, *arguments], env=environment, stdout=quiet, stderr=quiet
        )

    def end(*arguments, environment=environment, given=b""):
        done = subprocess.run(
            [*CROSSFADE, *arguments],
            env=environment,
            input=given,
            capture_output=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    name = f"ann{port}"
    account = ("account", "add", name, "--role", "admin", "--password-stdin")
    end(*account, environment=installation.environment, given=password)
    url = f"http://127.0.0.1:{port}"
    installation.until(lambda: answers(url), "the hub does not answer")
    end("login", url, "--name", name, "--password-stdin", given=password)
    return SimpleNamespace(start=start, end=end)


def answers(url):
    try:
        return httpx.get(f"{url}/readyz").status_code == 200
    except httpx.TransportError:
        return False


@pytest.mark.timeout(240)
def test_a_drill_over_http_outlives_who_asked_for_it_and_is_ended_by_a_command(
    installation, users, elsewhere
):
    command = elsewhere.start("failover", "drill", "gcp", "--for", "600s", "--yes")
    installation.until(lambda: shares(installation)["gcp"] == 0)
    command.kill()
    command.wait(10)
    assert (
        json.loads(elsewhere.end("failover", "drills", "-o", "json"))["drills"][0]["phase"] == "out"
    )
    elsewhere.end("failover", "abort-drill", "gcp", "--why", "seen enough")
    installation.until(lambda: newest(installation)["phase"] == "ended")

    assert newest(installation)["outcome"] == "aborted"
    assert newest(installation)["reason"] == "aborted by a person: seen enough"
    assert all(shares(installation).values())
    assert users()["failed"] == 0


@pytest.mark.timeout(240)
def test_a_drill_over_http_ends_at_once_when_who_waits_for_it_presses_ctrl_c(
    installation, users, elsewhere
):
    command = elsewhere.start("failover", "drill", "gcp", "--for", "600s", "--yes")
    installation.until(lambda: newest(installation)["phase"] == "out")
    asked = time.monotonic()
    command.send_signal(signal.SIGINT)
    assert command.wait(20) == 130
    installation.until(lambda: newest(installation)["opened_at"] is not None)
    assert time.monotonic() - asked < 20
    assert users()["failed"] == 0
