"""`crossfade version`"""

import platform
from importlib.metadata import PackageNotFoundError

import pytest

from crossfade.cli import version


@pytest.fixture
def installed(monkeypatch):
    monkeypatch.setattr(version, "version", lambda _: "1.2.3")


def test_it_prints_one_line(crossfade, installed):
    assert crossfade("version").out == "crossfade 1.2.3\n"


def test_the_option_that_most_programs_have_prints_it_too(crossfade, installed):
    assert crossfade("--version").out == "crossfade 1.2.3\n"


def test_programs_get_json(crossfade, installed):
    python = platform.python_version()

    assert crossfade("version", "-o", "json").data == {"crossfade": "1.2.3", "python": python}


def test_a_checkout_that_is_not_installed_says_so(crossfade, monkeypatch):
    def missing(_):
        raise PackageNotFoundError

    monkeypatch.setattr(version, "version", missing)
    assert crossfade("version").out == "crossfade unknown\n"
