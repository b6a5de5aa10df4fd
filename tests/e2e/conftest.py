"""The whole program on clouds of its own, as a person starts and uses it."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from contextlib import contextmanager

import httpx
import pytest
from playwright.sync_api import expect, sync_playwright

from crossfade.base.errors import Conflict
from crossfade.sandbox.demo.play import choose_layout, example
from crossfade.testing.free_ports import free_port

MOST_WORKERS = 8
SECONDS = 40_000
"""How long a browser waits for what is to be seen, in milliseconds: the machine may be busy."""
BROWSER = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
COLORS = """
apiVersion: crossfade.dev/v1alpha1
kind: Application
metadata: {{name: colors}}
spec:
  source: {{chart: {chart}, values: {{replicaCount: 2, colour: blue}}}}
  route: {{host: colors.localhost, service: colors, probe: {{path: /healthz}}}}
  rollout:
    canary: {{steps: [setWeight: 20, pause: {{}}, setWeight: 60]}}
  analysis: {{thresholds: [{{metric: errors, maxPercent: 5, minRequests: 10, window: 10s}}]}}
"""
CROSSFADE = (sys.executable, "-m", "crossfade.cli.main")
ONE_AFTER_THE_OTHER = """
import contextlib, gc, io, json, os, sys
given, answers = os.fdopen(os.dup(0)), os.fdopen(os.dup(1), "w")
nothing = os.open(os.devnull, os.O_RDWR)
for standard in (0, 1):  # for what the commands start
    os.dup2(nothing, standard)
gc.set_threshold(20_000, 20, 200)
from crossfade.cli.main import main
for line in given:
    out, err = io.TextIOWrapper(io.BytesIO()), io.TextIOWrapper(io.BytesIO())
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        code = main(json.loads(line))
    said = []
    for each in (out, err):
        each.flush()
        said.append(each.buffer.getvalue().decode())
    print(json.dumps([code, *said]), file=answers, flush=True)
"""


def port_base(home):
    """Return a base of free ports that no test process beside this one takes."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))
    for base in range(17_000 + 250 * worker, 30_000, 250 * MOST_WORKERS):
        try:
            return choose_layout(home, base).port_base
        except Conflict:
            continue
    raise AssertionError("no free ports")


class Resident:
    """The program in a process that stays: three quarters of a short command is to start it."""

    def __init__(self, environment):
        self._process = subprocess.Popen(
            [sys.executable, "-c", ONE_AFTER_THE_OTHER],
            env=environment,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self._one_at_a_time = threading.Lock()

    def run(self, *arguments):
        """Return exit code, output and what else was said of a command."""
        with self._one_at_a_time:
            self._process.stdin.write(json.dumps(arguments) + "\n")
            self._process.stdin.flush()
            return json.loads(self._process.stdout.readline())

    def end(self):
        self._process.communicate()


class Installation:
    """A sandbox with a hub that can be killed, and the commands of a person."""

    def __init__(self, home):
        self.home = home
        self.base = port_base(home)
        self.environment = os.environ | {
            "CROSSFADE_HOME": str(home),
            "CROSSFADE_PORT_BASE": str(self.base),
        }
        self.hub = None
        self._resident = None

    def run(self, *arguments):
        if self._resident is None:
            self._resident = Resident(self.environment)
        code, out, err = self._resident.run(*arguments)
        assert code == 0, f"{arguments}: {out[-1500:]}{err[-1500:]}"
        return out

    def data(self, *arguments):
        return json.loads(self.run(*arguments, "--output", "json"))

    def start(self, *arguments, output=subprocess.DEVNULL):
        return subprocess.Popen(
            [*CROSSFADE, *arguments], env=self.environment, stdout=output, stderr=subprocess.DEVNULL
        )

    def lines(self, *arguments):
        """Start a command whose lines can be read."""
        return subprocess.Popen(
            [*CROSSFADE, *arguments],
            env=self.environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )

    def kubectl(self, cloud, *arguments):
        config = str(self.home / "sandbox" / "kubeconfig")
        command = ["kubectl", "--kubeconfig", config, "--context", cloud, *arguments]
        return subprocess.run(
            command, capture_output=True, text=True, timeout=30, check=True
        ).stdout

    def start_hub(self):
        self.hub = self.start("up", "--no-api")  # its port is not one of the sandbox's own

    def kill_hub(self):
        self.hub.kill()
        self.hub.wait(10)

    def serve(self, application):
        """Let the hub bring the first revision of the example to every cloud."""
        file = self.home / "crossfade.yaml"
        file.write_text(application.format(chart=example() / "deploy/helm/colors"))
        self.run("apply", "-f", str(file))
        self.run("deploy", "colors", "--watch")

    def rollout(self):
        return self.data("rollout", "list")["rollouts"][0]

    def cluster(self, name):
        """Return how a cluster of the fleet stands."""
        found = self.data("failover", "status")["clusters"]
        return next(each for each in found if each["cluster"] == name)

    def share(self, name):
        """Return the percentage of the example's users that a cluster has."""
        return self.cluster(name)["users"].get("colors", 0.0)

    def until(self, condition, what="", seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < deadline, what or self.rollout()
            time.sleep(0.1)

    def end(self):
        if self.hub is not None and self.hub.poll() is None:
            self.hub.terminate()
            self.hub.wait(10)
        self.run("sandbox", "down")
        self._resident.end()


@contextmanager
def installed(home):
    """Yield what starts clouds of the given names, with a hub unless told otherwise."""
    made = Installation(home)

    def start(*clouds, hub=True):
        made.run("sandbox", "up", "--clouds", ",".join(clouds), "--port-base", str(made.base))
        if hub:
            made.start_hub()
        made.run("fleet", "add", "--sandbox")
        return made

    try:
        yield start
    finally:
        made.end()


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """Play the demo: return how its process ended, its record, and its home."""

    def play(*options):
        home = tmp_path_factory.mktemp("home")
        base = str(port_base(home))
        done = subprocess.run(
            [*CROSSFADE, "demo", *options, "--port-base", base, "--output", "json"],
            env=os.environ | {"HOME": str(home), "TMPDIR": str(home)},
            capture_output=True,
            text=True,
            timeout=240,
            check=False,
        )
        return done, json.loads(done.stdout), home

    return play


@pytest.fixture
def install(tmp_path):
    """Start clouds of the given names, with a hub unless told otherwise, in one fleet."""
    with installed(tmp_path / "home") as start:
        yield start


@pytest.fixture(scope="module")
def install_once(tmp_path_factory):
    """Start clouds as `install` does, for all tests of a file."""
    with installed(tmp_path_factory.mktemp("installation") / "home") as start:
        yield start


class HubWithPage:
    """A hub that serves its page, over clouds on which blue has users."""

    def __init__(self, installation):
        self.installation = installation
        self.port = free_port()
        self.password = ""
        self.others = []
        """Processes that tests began."""
        self.log = installation.home / "hub-of-the-page.log"
        self.start()
        self.until_said("sign in as")
        self.password = re.findall(r"with the password (\S+)", self.log.read_text())[-1]
        self.client = httpx.Client(base_url=f"{self.address}/api/v1", timeout=20)
        answer = self.client.post("/session", json={"name": "admin", "password": self.password})
        self.client.headers["X-CSRF-Token"] = answer.json()["csrf"]

    @property
    def address(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        command = ["-m", "crossfade.cli.main", "up", "--port", str(self.port)]
        with self.log.open("ab") as log:
            self.installation.hub = subprocess.Popen(
                [sys.executable, *command],
                env=self.installation.environment,
                stdout=log,
                stderr=subprocess.STDOUT,
            )

    def sign_in(self, page, name, password):
        page.get_by_label("Account").fill(name)
        page.get_by_label("Password").fill(password)
        page.get_by_role("button", name="Sign in").click()

    def until_said(self, words, times=1):
        self.installation.until(
            lambda: self.log.exists() and self.log.read_text().count(words) >= times,
            f"the hub did not say: {words}",
        )


@pytest.fixture(scope="module")
def hub(install_once):
    installation = install_once("aws", "gcp", "onprem", hub=False)
    hub = HubWithPage(installation)
    installation.serve(COLORS)
    load = installation.start("sandbox", "load", "--rate", "40", "--duration", "forever")
    yield hub
    load.send_signal(signal.SIGINT)
    load.wait(20)
    for each in hub.others:
        if each.poll() is None:
            each.kill()
        each.wait(10)
    hub.client.close()


@pytest.fixture(scope="module")
def browser():
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=BROWSER)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def signed_in(browser, hub):
    """Return the cookies of a browser that has signed in as admin."""
    context = browser.new_context()
    page = context.new_page()
    page.goto(hub.address)
    hub.sign_in(page, "admin", hub.password)
    expect(page.get_by_role("navigation", name="Views")).to_be_visible(timeout=SECONDS)
    state = context.storage_state()
    context.close()
    return state


@pytest.fixture
def page(browser, hub, signed_in):
    """Yield a page that fails the test for any error in its script or against its policy."""
    context = browser.new_context(
        storage_state=signed_in, base_url=hub.address, viewport={"width": 1280, "height": 900}
    )
    context.set_default_timeout(SECONDS)
    page = context.new_page()
    errors = []
    page.on("pageerror", lambda error: errors.append(str(error)))
    page.on("console", lambda said: errors.append(said.text) if said.type == "error" else None)
    yield page
    context.close()
    assert [each for each in errors if "Failed to load resource" not in each] == []
