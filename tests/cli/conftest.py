"""What tests of commands need."""

import json
import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from crossfade.cli.main import main
from crossfade.sandbox import ports, state


@dataclass(frozen=True, slots=True)
class Ran:
    """What a command did."""

    code: int
    out: str
    err: str

    @property
    def data(self) -> Any:
        """What it printed with `--output json`."""
        return json.loads(self.out)


@pytest.fixture
def crossfade(capsys, tmp_path, monkeypatch):
    """Run `crossfade ARGUMENTS...` in this process, with a state folder of its own."""
    monkeypatch.setenv("CROSSFADE_HOME", str(tmp_path / "state"))
    monkeypatch.delenv("CROSSFADE_DATABASE_URL", raising=False)
    monkeypatch.delenv("CROSSFADE_PORT_BASE", raising=False)

    def run(*arguments: str) -> Ran:
        capsys.readouterr()
        code = main(list(arguments))
        printed = capsys.readouterr()
        return Ran(code, printed.out, printed.err)

    return run


@pytest.fixture
def free_port_base():
    """Find the first port of a sandbox of so many clouds on ports that are free now."""

    def find(clouds: int) -> int:
        names = [f"c{number}" for number in range(clouds)]
        for _ in range(200):
            base = random.randrange(5000, 16000, 200)  # noqa: S311 - spreads tests, no secret
            layout = state.new_layout(Path("/nowhere"), names, base)
            if all(ports.is_free(port) for port in layout.own_ports()):
                return base
        raise AssertionError("no free ports")

    return find
