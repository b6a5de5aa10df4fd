"""An edge as a child process."""

import os

import pytest

from crossfade.adapters.envoy.bootstrap import edge_bootstrap
from crossfade.base.errors import Unavailable
from crossfade.testing.edge_process import running_edge
from crossfade.testing.free_ports import free_port


async def test_an_edge_runs_as_long_as_the_block_and_needs_no_hub(tmp_path):
    bootstrap = edge_bootstrap("edge-2", "127.0.0.1", 9, free_port(), free_port())
    folder = tmp_path / "second"
    folder.mkdir()
    async with running_edge(folder, bootstrap) as edge:
        os.kill(edge.pid, 0)

    with pytest.raises(ProcessLookupError):
        os.kill(edge.pid, 0)


async def test_an_edge_that_cannot_start_says_why(tmp_path):
    bootstrap = edge_bootstrap("edge-2", "not an address", 9, 1, 2)
    bootstrap["static_resources"]["clusters"][0]["type"] = "STATIC"

    with pytest.raises(Unavailable) as caught:
        async with running_edge(tmp_path, bootstrap):
            pass

    assert "malformed IP address" in str(caught.value.facts["words"])
