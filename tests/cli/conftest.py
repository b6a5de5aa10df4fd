"""What tests of commands need."""

import random
from pathlib import Path

import pytest

from crossfade.sandbox import ports, state


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
