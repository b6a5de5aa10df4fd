"""Steps that push charts, with the real helm, to a real registry and to what takes uploads."""

import base64
import io
import json
import os
import shutil
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest

from crossfade.testing.http_service import Reply, http_service_beside
from crossfade.testing.registry_server import PASSWORD, USER, missing, registry_server

needs_registry = pytest.mark.skipif(bool(missing()), reason=missing())
needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="needs curl on PATH")
HELM = str(Path(sys.executable).parent / "helm")


@pytest.fixture
def chart(tmp_path):
    folder = tmp_path / "shop"
    (folder / "templates").mkdir(parents=True)
    (folder / "Chart.yaml").write_text("apiVersion: v2\nname: shop\nversion: 0.1.0\n")
    (folder / "templates/one.yaml").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: a}\n"
    )
    return folder


@pytest.fixture
def push(crossfade, tmp_path, chart):
    """Run a helm step that pushes the chart, and return what was said."""

    def go(address, *more, **arguments):
        given = {"action": "push", "chart_name": ".", "chart_repo_url": address, **arguments}
        directory = {"working_directory": "${{main_clone}}"}
        step = {"type": "helm", "arguments": {**given, **directory}}
        file = tmp_path / "codefresh.json"
        file.write_text(json.dumps({"version": "1.0", "steps": {"push": step}}))
        return crossfade("pipeline", "run", str(file), "--local-dir", str(chart), *more)

    return go


@pytest.fixture
def registry(tmp_path):
    (tmp_path / "registry").mkdir()
    with registry_server(tmp_path / "registry", login=True) as address:
        yield address


@pytest.fixture
def peer():
    with http_service_beside() as service:
        yield service


def pulled(address, version, folder):
    """Return Chart.yaml as stock helm gets it from a registry."""
    config = folder / "config.json"
    coded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    config.write_text(json.dumps({"auths": {address.split("/")[2]: {"auth": coded}}}))
    words = [HELM, "pull", address, "--version", version, "--plain-http", "--destination", folder]
    environment = {**os.environ, "HELM_REGISTRY_CONFIG": str(config)}
    subprocess.run(words, check=True, capture_output=True, env=environment)
    return in_package((folder / f"shop-{version}.tgz").read_bytes())


def in_package(data):
    with tarfile.open(fileobj=io.BytesIO(data)) as package:
        return package.extractfile("shop/Chart.yaml").read().decode()


AS_TESTER = ("--var", f"HELMREPO_USERNAME={USER}", "--var", f"HELMREPO_PASSWORD={PASSWORD}")


@needs_registry
def test_a_chart_gets_into_a_registry_where_helm_finds_it(push, registry, tmp_path):
    ran = push(f"oci://{registry}/charts", *AS_TESTER, chart_version="1.2.0", app_version="7")

    assert ran.code == 0, ran.out + ran.err
    chart = pulled(f"oci://{registry}/charts/shop", "1.2.0", tmp_path)
    assert "version: 1.2.0" in chart
    assert 'appVersion: "7"' in chart
    assert PASSWORD not in ran.out + ran.err


@needs_registry
@pytest.mark.parametrize("kept", ["file", "variable", "sealed"])
def test_a_known_registry_takes_charts_with_its_own_password(
    push, registry, crossfade, tmp_path, monkeypatch, kept
):
    add = ("image", "registry", "add", "prod", registry, "--username", USER)
    assert crossfade(*add).code == 0
    if kept == "variable":
        monkeypatch.setenv("CROSSFADE_SECRET_REGISTRY_PROD", PASSWORD)
    elif kept == "file":
        folder = tmp_path / "state/secrets"
        folder.mkdir(parents=True)
        (folder / "registry-prod").write_text(PASSWORD)
    else:
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PASSWORD.encode())))
        assert crossfade("secret", "set", "registry-prod").code == 0

    ran = push(f"oci://{registry}/charts")

    assert ran.code == 0, ran.out + ran.err
    assert "version: 0.1.0" in pulled(f"oci://{registry}/charts/shop", "0.1.0", tmp_path)


@needs_registry
def test_a_registry_that_nobody_has_signed_in_at_refuses_the_chart(push, registry):
    assert push(f"oci://{registry}/charts").code == 1


@needs_registry
def test_a_sealed_password_of_a_registry_is_found_for_images_too(
    crossfade, registry, tmp_path, monkeypatch
):
    (tmp_path / "app").mkdir()
    (tmp_path / "app/Dockerfile").write_text("FROM scratch\nLABEL a=b\n")
    assert crossfade("image", "registry", "add", "prod", registry, "--username", USER).code == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PASSWORD.encode())))
    assert crossfade("secret", "set", "registry-prod").code == 0

    built = crossfade("image", "build", str(tmp_path / "app"), "-t", "web:1")
    assert built.code == 0, built.err
    pushed = crossfade("image", "push", "web:1", "--registry", "prod", "--output", "json")
    assert pushed.code == 0, pushed.err
    steps = {"make": {"type": "build", "image_name": "web", "tag": "2", "registry": "prod"}}
    (tmp_path / "codefresh.json").write_text(json.dumps({"version": "1.0", "steps": steps}))
    file = str(tmp_path / "codefresh.json")
    ran = crossfade("pipeline", "run", file, "--local-dir", str(tmp_path / "app"))

    assert ran.code == 0, ran.out + ran.err
    assert PASSWORD not in ran.out + ran.err


@needs_registry
def test_a_step_runs_on_an_image_whose_sealed_password_it_never_sees(
    crossfade, registry, tmp_path, monkeypatch
):
    (tmp_path / "app").mkdir()
    (tmp_path / "app/Dockerfile").write_text("FROM host\nENV TOOL=mine\n")
    assert crossfade("image", "registry", "add", "prod", registry, "--username", USER).code == 0
    monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(PASSWORD.encode())))
    assert crossfade("secret", "set", "registry-prod").code == 0
    build = ("image", "build", str(tmp_path / "app"), "-t", "tool:1", "--push")
    assert crossfade(*build, "--registry", "prod").code == 0
    for name in ("tool:1", f"{registry}/tool:1"):
        crossfade("image", "rm", name)
    look = ["echo it is $TOOL", "env | grep -c REGISTRY || true"]
    steps = {"look": {"image": f"{registry}/tool:1", "commands": look}}
    (tmp_path / "codefresh.json").write_text(json.dumps({"version": "1.0", "steps": steps}))

    ran = crossfade("pipeline", "run", str(tmp_path / "codefresh.json"))

    assert ran.code == 0, ran.out + ran.err
    assert "it is mine" in ran.out
    assert "look | 0" in ran.out


@needs_curl
def test_a_chart_gets_into_chartmuseum(push, peer):
    peer.say(Reply(201, {"saved": True}))
    host = peer.address.removeprefix("http://")

    ran = push(f"cm://{host}/team/default/", *AS_TESTER, chart_version="1.2.0")

    assert ran.code == 0, ran.out + ran.err
    (asked,) = peer.asked
    assert (asked.method, asked.path) == ("POST", "/api/team/default/charts")
    assert "version: 1.2.0" in in_package(asked.body)
    coded = base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
    assert asked.headers["authorization"] == f"Basic {coded}"


@needs_curl
def test_a_version_that_is_there_is_fine_when_it_is_the_same_and_never_replaced(push, peer, chart):
    kept = []

    def museum(asked):
        if asked.method == "GET":
            assert asked.path == "/team/charts/shop-0.1.0.tgz"
            return Reply(body=kept[0])
        kept.append(asked.body)
        return Reply(409 if len(kept) > 1 else 201, {"error": "already exists"})

    peer.answer = museum
    address = f"cm://{peer.address.removeprefix('http://')}/team"

    assert push(address).code == 0
    again = push(address)
    assert again.code == 0, again.out + again.err
    assert "there is nothing to do" in again.out
    (chart / "templates/one.yaml").write_text("kind: Changed\n")
    other = push(address)
    assert other.code == 1
    assert "has shop-0.1.0.tgz already" in other.out + other.err


@needs_curl
def test_a_repository_of_files_gets_the_chart_in_its_folder(push, peer):
    assert push(f"{peer.address}/helm", chart_subdir="charts/shop").code == 0

    (asked,) = peer.asked
    assert (asked.method, asked.path) == ("PUT", "/helm/charts/shop/shop-0.1.0.tgz")


@needs_curl
def test_a_repository_that_refuses_a_chart_fails_the_step_with_its_words(push, peer):
    peer.say(Reply(403, "no write access"))

    ran = push(f"cm://{peer.address.removeprefix('http://')}")

    assert ran.code == 1
    assert "no write access" in ran.out + ran.err
