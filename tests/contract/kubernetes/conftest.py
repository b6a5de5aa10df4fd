"""
The Kubernetes APIs that the suite runs on.

Without configuration: a cloud of the sandbox. `KUBEBUILDER_ASSETS=<folder>` adds three real control
planes, with our kubelet as their node; `CROSSFADE_TEST_CONTEXTS=a,b` adds contexts of the
kubeconfig (pods there run the image `CROSSFADE_TEST_IMAGE`, which needs a Python).
"""

import os
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import pytest

from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Conflict
from crossfade.sandbox import control
from crossfade.sandbox.certificates import new_authority, write_server
from crossfade.sandbox.state import Layout
from crossfade.testing.control_plane import Certificates, ControlPlane
from crossfade.testing.kube_api import KubeApi, eventually

collect_ignore = [] if shutil.which("kubectl") else ["test_kubectl.py"]


@dataclass(frozen=True)
class Target:
    """One cluster under test."""

    name: str
    kubeconfig: Path
    context: str
    image: str
    """What pods run."""
    api: KubeApi


def _names() -> list[str]:
    names = ["sandbox"]
    if os.environ.get("KUBEBUILDER_ASSETS"):
        names += [f"control-plane-{number}" for number in (1, 2, 3)]
    contexts = os.environ.get("CROSSFADE_TEST_CONTEXTS", "")
    return names + [f"context-{name}" for name in contexts.split(",") if name]


def _has_endpoints(name: str) -> bool:
    # Pods of our kubelet live at 127.0.0.1, and a real API refuses loopback addresses in
    # EndpointSlices; the sandbox, all of whose pods live there, takes them.
    return not name.startswith("control-plane-")


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run each test on the targets that have what it asks for."""
    if "target" in metafunc.fixturenames:
        names = _names()
        if "endpoints" in metafunc.fixturenames:
            names = [name for name in names if _has_endpoints(name)]
        if "policies" in metafunc.fixturenames:
            names = [name for name in names if name != "sandbox"]
        metafunc.parametrize("target", names, indirect=True, scope="session")


@pytest.fixture(scope="session")
def target(request, tmp_path_factory) -> Iterator[Target]:
    """Each configured cluster in turn."""
    name, folder = request.param, tmp_path_factory.mktemp("target")
    if name == "sandbox":
        yield from _sandbox(folder)
    elif name.startswith("control-plane-"):
        yield from _control_plane(name, folder)
    else:
        context = name.removeprefix("context-")
        path = Path(os.environ.get("KUBECONFIG", Path.home() / ".kube" / "config"))
        image = os.environ.get("CROSSFADE_TEST_IMAGE", "docker.io/library/python:3-alpine")
        yield from _opened(name, path, context, image)


def _opened(name: str, kubeconfig: Path, context: str, image: str) -> Iterator[Target]:
    api = KubeApi(kubeconfig, context)
    yield Target(name, kubeconfig, context, image, api)
    api.close()


def _sandbox(folder: Path) -> Iterator[Target]:
    while True:
        # Another suite may run at the same time, so the ports are any that are free.
        layout = Layout(folder / "sandbox", ("cloud",), 20_000 + 200 * secrets.randbelow(200))
        with suppress(Conflict):
            control.up(layout, SteadyClock(), lambda _: None)
            break
    try:
        yield from _opened("sandbox", layout.kubeconfig, "cloud", "host")
    finally:
        control.down(layout.directory)


def _control_plane(name: str, folder: Path) -> Iterator[Target]:
    clock = SteadyClock()
    authority = new_authority(clock.now())
    write_server(authority, name, folder, clock.now())
    (folder / "ca.crt").write_text(authority.pem)
    certificates = Certificates(folder / "ca.crt", folder / "server.crt", folder / "server.key")
    assets = Path(os.environ["KUBEBUILDER_ASSETS"])
    with ControlPlane(assets, folder, certificates) as plane:
        node = subprocess.Popen(
            [
                *(sys.executable, "-m", "crossfade.sandbox.kube.kubelet"),
                *("--kubeconfig", str(plane.kubeconfig), "--node", f"{name}-node-0"),
                *("--root", str(folder / "node")),
            ]
        )
        try:
            yield from _opened(name, plane.kubeconfig, "control-plane", "host")
        finally:
            node.terminate()
            node.wait()


@pytest.fixture
def api(target: Target) -> KubeApi:
    """The API of the cluster under test."""
    return target.api


@pytest.fixture
def namespace(api: KubeApi) -> Iterator[str]:
    """A namespace of the test's own."""
    name = f"contract-{secrets.token_hex(4)}"
    api.ok("POST", "/api/v1/namespaces", {"metadata": {"name": name}})
    # Pods are refused until the account that they run as is there.
    account = f"/api/v1/namespaces/{name}/serviceaccounts/default"
    eventually(lambda: api.call("GET", account).is_success)
    yield name
    api.call("DELETE", f"/api/v1/namespaces/{name}")


@pytest.fixture
def policies() -> None:
    """Quotas and pod policies; only for targets that have them."""


@pytest.fixture
def maps(namespace: str) -> str:
    """The path of the ConfigMaps of the test's namespace."""
    return f"/api/v1/namespaces/{namespace}/configmaps"


@pytest.fixture
def deployments(namespace: str) -> str:
    """The path of the Deployments of the test's namespace."""
    return f"/apis/apps/v1/namespaces/{namespace}/deployments"


@pytest.fixture
def endpoints(api: KubeApi, namespace: str) -> Callable[[str], list[dict]]:
    """Give the endpoints of a Service; only for targets whose pods can be some."""
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"

    def of(service: str) -> list[dict]:
        found = api.get(path, labelSelector=f"kubernetes.io/service-name={service}")["items"]
        return [end for one in found for end in one.get("endpoints") or ()]

    return of


SLEEP = "import time; print('hello', flush=True); time.sleep(1000)"


@pytest.fixture
def pod_spec(target: Target) -> Callable[..., dict]:
    """Make the spec of a pod that runs a Python program, or sleeps."""

    def make(program: str = SLEEP, **more: object) -> dict:
        container = {"name": "main", "image": target.image, "command": ["python3", "-c", program]}
        spec = {"terminationGracePeriodSeconds": 1, "containers": [container]}
        container |= more.pop("container", {})
        return spec | more

    return make


@pytest.fixture
def deployment(pod_spec) -> Callable[..., dict]:
    """Make a Deployment."""

    def make(name: str = "web", replicas: int = 1, **more: object) -> dict:
        labels = {"app": name}
        template = {"metadata": {"labels": labels}, "spec": pod_spec(**more)}
        spec = {"replicas": replicas, "selector": {"matchLabels": labels}, "template": template}
        return {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": name, "labels": labels},
            "spec": spec,
        }

    return make


@pytest.fixture
def run(target: Target, tmp_path, namespace: str) -> Callable[..., subprocess.CompletedProcess]:
    """Run a stock tool (`kubectl`, `helm`) on the cluster, in the test's namespace."""
    environment = {
        "HOME": str(tmp_path),
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "KUBECONFIG": str(target.kubeconfig),
    }

    def call(tool: str, *words: str, stdin: str = "", ok: bool = True) -> object:
        flag = "--kube-context" if tool == "helm" else "--context"
        command = [tool, flag, target.context, "--namespace", namespace, *words]
        result = subprocess.run(
            command, env=environment, input=stdin, capture_output=True, text=True, timeout=60
        )
        assert not ok or result.returncode == 0, f"{words}: {result.stderr}{result.stdout}"
        return result

    return call
