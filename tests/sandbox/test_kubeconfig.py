"""The kubeconfig and the certificates as clients use them."""

import base64
import socket
import ssl
import threading

import pytest
from ruamel.yaml import YAML

from crossfade.base.clock import SteadyClock
from crossfade.sandbox import certificates, kubeconfig, state

NOW = SteadyClock().now()


@pytest.fixture
def layout(tmp_path):
    return state.new_layout(tmp_path, ["on", "123", "gcp"], 17000)


def test_every_cloud_is_a_context_of_its_own_name_whatever_yaml_makes_of_it(layout):
    tokens = {cloud: f"token-of-{cloud}" for cloud in layout.clouds}
    config = YAML(typ="safe", pure=True).load(kubeconfig.render(layout, "PEM", tokens))
    assert [one["name"] for one in config["contexts"]] == ["on", "123", "gcp"]
    assert config["current-context"] == "on"
    users = {one["name"]: one["user"]["token"] for one in config["users"]}
    assert users == tokens
    clusters = {one["name"]: one["cluster"] for one in config["clusters"]}
    assert clusters["gcp"]["server"] == "https://127.0.0.1:17120"
    assert base64.b64decode(clusters["gcp"]["certificate-authority-data"]) == b"PEM"


@pytest.mark.parametrize("name", ["127.0.0.1", "localhost"])
def test_clients_that_trust_the_authority_trust_its_clouds_and_nobody_else(tmp_path, name):
    authority = certificates.new_authority(NOW)
    certificates.write_server(authority, "aws", tmp_path, NOW)
    server = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    server.load_cert_chain(tmp_path / "server.crt", tmp_path / "server.key")
    good = ssl.create_default_context(cadata=authority.pem)
    assert handshake(server, good, name)
    stranger = certificates.new_authority(NOW)
    assert not handshake(server, ssl.create_default_context(cadata=stranger.pem), name)


def handshake(server: ssl.SSLContext, client: ssl.SSLContext, name: str) -> bool:
    ours, theirs = socket.socketpair()

    def accept() -> None:
        try:
            server.wrap_socket(theirs, server_side=True).close()
        except OSError:
            theirs.close()

    thread = threading.Thread(target=accept)
    thread.start()
    try:
        client.wrap_socket(ours, server_hostname=name).close()
    except ssl.SSLError:
        ours.close()
        return False
    finally:
        thread.join()
    return True
