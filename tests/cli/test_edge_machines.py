"""`crossfade edge authority|bootstrap|run`, as somebody uses them who runs edges elsewhere."""

import contextlib
import json
import os
import subprocess
import sys
import time

import pytest

from crossfade.base.certificates import is_signed_by
from crossfade.testing.free_ports import free_port

PROGRAM = [sys.executable, "-c", "from crossfade.cli.main import run; run()"]
HERE = ("--hub-address", "127.0.0.1:17001", "--listen", "127.0.0.1:8080")


def mode(path):
    return path.stat().st_mode & 0o777


def test_an_authority_is_made_once_and_stays(crossfade, tmp_path):
    folder = tmp_path / "tls"
    first = crossfade("edge", "authority", str(folder), "-o", "json").data
    files = {each.name: each.read_bytes() for each in folder.iterdir()}
    again = crossfade("edge", "authority", str(folder), "-o", "json").data

    assert (first["made"], again["made"]) == (True, False)
    assert sorted(files) == ["ca.key", "ca.pem", "hub.key", "hub.pem"]
    assert {each.name: each.read_bytes() for each in folder.iterdir()} == files
    assert {mode(each) for each in folder.iterdir()} == {0o600}
    assert mode(folder) == 0o700


def test_the_certificate_of_the_hub_is_renewed_and_edges_stay_trusted(crossfade, tmp_path):
    folder = tmp_path / "tls"
    crossfade("edge", "authority", str(folder))
    before = (folder / "hub.pem").read_text(), (folder / "ca.pem").read_text()
    crossfade("edge", "authority", str(folder), "--renew", "--days", "30")

    assert (folder / "hub.pem").read_text() != before[0]
    assert (folder / "ca.pem").read_text() == before[1]


def test_another_authority_gives_the_hub_a_certificate_that_its_edges_trust(crossfade, tmp_path):
    folder = tmp_path / "tls"
    crossfade("edge", "authority", str(folder))
    for each in ("ca.pem", "ca.key"):
        (folder / each).unlink()
    crossfade("edge", "authority", str(folder))

    assert is_signed_by((folder / "hub.pem").read_text(), (folder / "ca.pem").read_text())


@pytest.mark.parametrize("lost", ["hub.pem", "hub.key"])
def test_what_a_hub_lacks_is_made_again(crossfade, tmp_path, lost):
    folder = tmp_path / "tls"
    crossfade("edge", "authority", str(folder))
    (folder / lost).unlink()

    assert crossfade("edge", "authority", str(folder)).code == 0
    assert (folder / lost).exists()


def test_a_damaged_certificate_is_renewed(crossfade, tmp_path):
    folder = tmp_path / "tls"
    crossfade("edge", "authority", str(folder))
    (folder / "hub.pem").write_text("half")

    assert crossfade("edge", "authority", str(folder)).code == 2
    assert crossfade("edge", "authority", str(folder), "--renew").code == 0


def test_a_key_that_signs_is_never_replaced(crossfade, tmp_path):
    """Somebody keeps it apart from the certificates, and gives its folder by mistake."""
    (tmp_path / "ca.key").write_text("precious")
    refused = crossfade("edge", "authority", str(tmp_path))

    assert refused.code == 2
    assert "bring ca.pem back" in refused.err
    assert (tmp_path / "ca.key").read_text() == "precious"


def test_half_an_authority_is_not_made_whole_with_another_key(crossfade, tmp_path):
    """Edges that know the old one would never be heard again."""
    folder = tmp_path / "tls"
    crossfade("edge", "authority", str(folder))
    (folder / "ca.key").unlink()
    refused = crossfade("edge", "authority", str(folder), "--renew")

    assert refused.code == 2
    assert "ca.key cannot be read" in refused.err
    assert not (folder / "ca.key").exists()


def test_an_edge_of_this_machine_needs_no_certificate(crossfade, tmp_path):
    file = tmp_path / "edge.json"
    made = crossfade("edge", "bootstrap", "berlin", str(file), *HERE)

    assert made.code == 0
    assert json.loads(file.read_text())["node"]["id"] == "berlin"
    assert "PRIVATE KEY" not in file.read_text()


def test_an_edge_elsewhere_gets_a_file_that_only_its_owner_reads(crossfade, tmp_path):
    crossfade("edge", "authority", str(tmp_path / "tls"))
    file = tmp_path / "edge.json"
    made = crossfade(
        "edge", "bootstrap", "berlin", str(file), "--hub-address", "hub.example.com:17443",
        "--listen", "0.0.0.0:80", "--authority", str(tmp_path / "tls"),
    )  # fmt: skip

    assert made.code == 0, made.err
    assert mode(file) == 0o600
    assert "PRIVATE KEY" not in made.out + made.err


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"name": "Ber lin"}, "this is no name for an edge"),
        ({"--hub-address": "hub.example.com:17443"}, "knows edges by certificates"),
        ({"--hub-address": "nowhere"}, "--hub-address is no HOST:PORT"),
        ({"--hub-address": "0.0.0.0:17443"}, "no edge gets there by it"),
        ({"--hub-address": "[::]:17443"}, "no edge gets there by it"),
        ({"--listen": "localhost:80"}, "--listen names no IP address"),
        ({"--listen": "127.0.0.1:9901"}, "cannot have one port"),
        ({"--authority": "{tmp}/none"}, "ca.pem cannot be read"),
        ({"file": "{tmp}/none/edge.json"}, "cannot be written"),
    ],
)
def test_what_cannot_be_is_refused_and_nothing_is_written(crossfade, tmp_path, change, words):
    given = {
        "name": "berlin",
        "file": "{tmp}/edge.json",
        **dict(zip(HERE[::2], HERE[1::2], strict=True)),
    }
    given = {key: text.format(tmp=tmp_path) for key, text in (given | change).items()}
    name, file = given.pop("name"), given.pop("file")
    options = [each for pair in given.items() for each in pair]
    refused = crossfade("edge", "bootstrap", name, file, *options)

    assert refused.code in (2, 6), refused.err
    assert words in refused.err
    assert list(tmp_path.glob("*.json")) == []


def test_an_edge_that_has_no_file_says_how_to_get_one(crossfade, tmp_path):
    refused = crossfade("edge", "run", str(tmp_path / "edge.json"))

    assert refused.code == 3
    assert "edge bootstrap" in refused.err


@contextlib.contextmanager
def running(*arguments, log, **variables):
    """Run the program until the block ends."""
    with log.open("w") as output:
        process = subprocess.Popen(
            [*PROGRAM, *arguments], stdout=output, stderr=output, env=os.environ | variables
        )
    try:
        yield process
    finally:
        process.terminate()
        process.wait(timeout=20)


def until(happened, seconds=30):
    end = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < end
        time.sleep(0.05)


def test_a_hub_and_an_edge_that_know_each_other_by_certificates(crossfade, tmp_path):
    port, users, admin = free_port(), free_port(), free_port()
    tls, file = tmp_path / "tls", tmp_path / "edge.json"
    crossfade("edge", "authority", str(tls))
    crossfade(
        "edge", "bootstrap", "berlin", str(file), "--hub-address", f"127.0.0.1:{port}",
        "--listen", f"127.0.0.1:{users}", "--admin-port", str(admin), "--authority", str(tls),
    )  # fmt: skip
    settings = {"CROSSFADE_EDGE_LISTEN": f"127.0.0.1:{port}", "CROSSFADE_EDGE_TLS": str(tls)}
    hub, edge = tmp_path / "hub.log", tmp_path / "edge.log"
    with (
        running("up", "--no-api", log=hub, **settings),
        running("edge", "run", str(file), "--workers", "1", log=edge) as process,
    ):
        until(lambda: f"127.0.0.1:{port}, by certificates" in hub.read_text())
        until(lambda: "berlin" in crossfade("edge", "list").out)
        assert process.poll() is None, edge.read_text()
