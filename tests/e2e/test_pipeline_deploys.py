"""The example's release: asked for, approved, killed in the middle, resumed, and done once."""

import shutil
import signal

import pytest

from crossfade.sandbox.demo.play import example

pytestmark = pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl on PATH")


@pytest.fixture
def installation(install):
    return install("one", "two")


@pytest.mark.timeout(200)
def test_a_release_that_is_killed_goes_on_and_is_deployed_once(installation):
    file, folder = example() / "release.yml", str(example())
    arguments = ("pipeline", "run", str(file), "--local-dir", folder, "--var", "COLOUR=green")
    build = installation.start(*arguments)
    installation.until(lambda: _waiting(installation), "nobody was asked")
    installation.run("pipeline", "approve", "1")
    installation.until(lambda: installation.data("rollout", "list")["rollouts"], "no rollout")
    build.send_signal(signal.SIGKILL)
    build.wait(10)

    result = installation.data("pipeline", "resume", "1")

    assert result["result"] == "success"
    assert result["variables"]["CLUSTERS"] == "2"
    (rollout,) = installation.data("rollout", "list", "colors")["rollouts"]
    assert (rollout["number"], rollout["outcome"]) == (1, "succeeded")
    log = installation.run("pipeline", "logs", "1", "release")
    assert "serves all users" in log


def _waiting(installation):
    builds = installation.data("pipeline", "list")
    return bool(builds) and builds[0]["result"] == "pending-approval"
