"""What an engine is told of a container, and what it is not."""

import pytest

from crossfade.adapters.runners.containers import (
    Container,
    Containers,
    Network,
    name_of,
    running,
    variables_of,
)
from crossfade.adapters.runners.view import Mount
from crossfade.base.errors import InputError
from crossfade.core.image.documents import ImageConfig

WHERE = Containers("podman", {"PATH": "/usr/bin", "HOME": "/var/lib/ci"}, "/state/pipelines")
RUN = "/state/pipelines/7/runs/0-abc-1"


def told(tmp_path, **more):
    values = {"image": "sha256:1", "argv": ("sh", "x"), "mounts": (), "network": Network.HOST}
    return running(WHERE, RUN, Container(**{**values, **more}), tmp_path / "variables")


def test_values_of_variables_are_on_no_command_line(tmp_path):
    given = {"TOKEN": "s3cret", "HOME": "/codefresh/home", "DOCKER_HOST": "tcp://theirs"}
    words, environment = told(tmp_path, environment=given)

    assert "--env=TOKEN" in words
    assert not any("s3cret" in each or "theirs" in each for each in words)
    assert environment["TOKEN"] == "s3cret"


def test_variables_of_a_step_do_not_turn_the_engine_to_another_place(tmp_path):
    given = {"HOME": "/codefresh/home", "DOCKER_HOST": "tcp://theirs", "LD_PRELOAD": "/x"}
    words, environment = told(tmp_path, environment=given)
    (file,) = (each.removeprefix("--env-file=") for each in words if "--env-file=" in each)

    assert environment["HOME"] == "/var/lib/ci"
    assert not {"DOCKER_HOST", "LD_PRELOAD"} & environment.keys()
    with open(file) as written:
        assert dict(line.rstrip().split("=", 1) for line in written) == given
    assert (tmp_path / "variables").stat().st_mode & 0o077 == 0


def test_a_variable_that_an_engine_cannot_be_told_is_refused_by_its_name(tmp_path):
    with pytest.raises(InputError, match="DOCKER_CONFIG"):
        told(tmp_path, environment={"DOCKER_CONFIG": "a\nb"})


def test_paths_with_commas_are_mounted_as_they_are(tmp_path):
    words, _ = told(tmp_path, mounts=(Mount('/a,b "c"', "/codefresh/volume", read_only=True),))

    assert '--mount=type=bind,"source=/a,b ""c""",target=/codefresh/volume,readonly' in words, words


def test_names_of_hosts_are_written_down_only_on_the_network_of_the_machine(tmp_path):
    hosts = (Mount("/state/hosts", "/etc/hosts"),)
    own, _ = told(tmp_path, mounts=hosts, network="crossfade-1", aliases=("db",))
    host, _ = told(tmp_path, mounts=hosts, aliases=("db",))

    assert "--network-alias=db" in own
    assert not any("/etc/hosts" in each for each in own)
    assert "--network-alias=db" not in host
    assert any("/etc/hosts" in each for each in host)


def test_a_container_has_its_images_path_and_neither_our_marks_nor_passwords():
    given = {"PATH": "/ours", "CF_STEP_RUN": RUN, "X_REGISTRY_PROD": "password", "A": "1"}
    image = ImageConfig(environment={"PATH": "/image/bin"})

    assert variables_of(given, ["X_REGISTRY_PROD"], image, "") == {
        "A": "1",
        "PATH": "/codefresh/bin:/image/bin",
    }
    assert variables_of({}, [], image, "/step/bin")["PATH"] == "/codefresh/bin:/step/bin"


def test_names_of_containers_tell_people_the_build_and_the_step_and_are_never_the_same():
    one, other = name_of(RUN, "unit tests-1"), name_of(RUN, "unit/tests-1")

    assert one.startswith("crossfade-7-unit-tests-1-")
    assert one != other
