"""Settings from the environment."""

from pathlib import Path

import pytest

from crossfade import settings
from crossfade.base.errors import InputError


@pytest.mark.parametrize(
    ("environment", "option", "folder"),
    [
        ({"HOME": "/u/ann"}, None, "/u/ann/.local/state/crossfade"),
        ({"HOME": "/u/ann", "XDG_STATE_HOME": "/var/s"}, None, "/var/s/crossfade"),
        ({"HOME": "/u/ann", "XDG_STATE_HOME": "relative"}, None, "/u/ann/.local/state/crossfade"),
        ({"HOME": "/u/ann", "XDG_STATE_HOME": "/s", "CROSSFADE_HOME": "/x"}, None, "/x"),
        ({"HOME": "/u/ann", "CROSSFADE_HOME": "~/x"}, None, "/u/ann/x"),
        ({"HOME": "/u/ann", "CROSSFADE_HOME": "/x"}, "/y", "/y"),
    ],
)
def test_the_nearest_choice_of_a_folder_wins(monkeypatch, environment, option, folder):
    monkeypatch.setenv("HOME", environment["HOME"])
    found = settings.load(environment, Path(option) if option else None)

    assert found.state_dir == Path(folder)
    assert found.database_url == f"sqlite:///{folder}/crossfade.db"
    assert found.secrets_dir == Path(folder) / "secrets"


def test_a_relative_folder_does_not_move_with_the_process(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)

    assert settings.load({}, Path("state")).state_dir == tmp_path / "state"


def test_the_store_can_be_elsewhere():
    url = "sqlite:////elsewhere/x.db"

    assert settings.load({"CROSSFADE_DATABASE_URL": url}, Path("/y")).database_url == url


def test_all_ports_follow_the_first_one():
    found = settings.load({"CROSSFADE_PORT_BASE": "20000"}, Path("/y"))

    assert (found.edge_port, found.hub_port) == (20000, 20001)


@pytest.mark.parametrize("port", ["x", "80", "70000", "-1", "1e4", "٢٠٠٠٠"])
def test_a_port_that_cannot_be_is_refused_by_name(port):
    with pytest.raises(InputError, match="CROSSFADE_PORT_BASE") as caught:
        settings.load({"CROSSFADE_PORT_BASE": port}, Path("/y"))
    assert caught.value.facts == {"value": port}


def test_a_hub_listens_for_edges_on_the_loopback_interface_unless_told_otherwise():
    other = {"CROSSFADE_EDGE_LISTEN": "0.0.0.0:17443", "CROSSFADE_EDGE_TLS": "/tls"}

    assert str(settings.load({}, Path("/y")).hub_listens) == "127.0.0.1:17001"
    found = settings.load(other, Path("/y"))
    assert (str(found.hub_listens), found.edge_tls) == ("0.0.0.0:17443", Path("/tls"))


@pytest.mark.parametrize("address", ["0.0.0.0:17443", "[::]:17443", "192.0.2.1:1", "hub:1"])
def test_a_hub_is_not_open_to_other_machines_without_certificates(address):
    with pytest.raises(InputError) as caught:
        settings.load({"CROSSFADE_EDGE_LISTEN": address}, Path("/y"))

    assert "CROSSFADE_EDGE_TLS" in caught.value.what


def test_a_user_without_a_home_is_told_what_to_give(monkeypatch):
    def homeless(_):
        raise RuntimeError("no home")

    monkeypatch.setattr(Path, "expanduser", homeless)
    with pytest.raises(InputError, match="no home") as caught:
        settings.load({})
    assert "--state-dir" in caught.value.hint


@pytest.mark.parametrize(
    ("environment", "wanted", "refusal"),
    [
        pytest.param({}, False, "", id="off-by-default"),
        pytest.param({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c:4318"}, True, "", id="a-place"),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://c/v1/traces"}, True, "", id="its-own"
        ),
        pytest.param({"OTEL_TRACES_EXPORTER": "otlp"}, True, "", id="the-usual-place"),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_TRACES_EXPORTER": "none"},
            False,
            "",
            id="not-of-traces",
        ),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_SDK_DISABLED": "True"},
            False,
            "",
            id="disabled",
        ),
        pytest.param({"OTEL_TRACES_EXPORTER": "console"}, False, "console", id="another-exporter"),
        pytest.param(
            {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://c", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            False,
            "grpc",
            id="another-protocol",
        ),
    ],
)
def test_traces_are_wanted_only_where_the_variables_of_opentelemetry_say(
    environment, wanted, refusal
):
    found = settings.tracing(environment)

    assert found.wanted is wanted
    assert refusal in found.refusal
    assert bool(found.refusal) == bool(refusal)


@pytest.mark.parametrize(
    ("name", "allowed"),
    [
        ("CROSSFADE_CONTAINER_ENGINE", "auto, podman, docker"),
        ("CROSSFADE_CONTAINER_NETWORK", "own, host"),
    ],
)
def test_a_word_that_is_not_allowed_is_refused_with_those_that_are(name, allowed):
    with pytest.raises(InputError, match=f"{name} is 'pods'") as caught:
        settings.load({name: "pods"}, Path("/y"))
    assert caught.value.hint == f"allowed: {allowed}"
