"""Which images an engine must be lent, and whether it works at all."""

from pathlib import Path

import pytest

from crossfade.adapters.images import engine
from crossfade.adapters.images.engine import why_not
from crossfade.adapters.images.engines import bases, why_no_builder
from crossfade.ports.image_builder import BuildOrder


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("FROM scratch\n", ()),
        ("FROM --platform=linux/amd64 a:1\n", ("a:1",)),
        ("ARG V=2\nFROM a:$V\n", ("a:2",)),
        ("FROM a AS x\nFROM x\nCOPY --from=b:1 / /\nCOPY --from=x / /\n", ("a", "b:1")),
        ("FROM a AS x\nFROM b\n", ("b",)),
        ("FROM a AS X\nRUN --mount=type=cache true\nFROM x\nCOPY --from=0 a b\n", ("a",)),
    ],
)
def test_an_engine_is_lent_what_a_build_needs_and_no_stage(text, found):
    assert bases(BuildOrder(text, Path("Dockerfile"), Path())) == found


@pytest.fixture
def answers(tmp_path, monkeypatch):
    """Put a program in the place of an engine."""
    forget()

    def put(engine, script):
        (tmp_path / engine).write_text(f"#!/bin/sh\n{script}\n")
        (tmp_path / engine).chmod(0o755)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")

    yield put
    forget()


def forget():
    why_not.cache_clear()
    why_no_builder.cache_clear()


def test_an_engine_whose_daemon_does_not_run_is_not_taken(answers):
    answers("podman", "echo 'no daemon here' >&2; exit 125")

    assert why_not("podman") == "no daemon here"


def test_an_engine_that_hangs_is_not_waited_for_for_long(answers, monkeypatch):
    monkeypatch.setattr(engine, "_PROBE_SECONDS", 0.2)
    answers("podman", "exec sleep 60")

    assert "TimeoutExpired" in why_not("podman")


@pytest.mark.parametrize(("version", "works"), [("20.10.24+dfsg1", False), ("28.2.2", True)])
def test_a_docker_that_saves_images_in_no_form_of_oci_is_not_taken(answers, version, works):
    answers("docker", f"echo {version}")

    assert (why_no_builder("docker") == "") is works
    assert why_not("docker") == ""
