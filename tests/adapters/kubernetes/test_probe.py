"""An API server that is there, but not fit to be used."""

import pytest

from crossfade.adapters.kubernetes.probe import LightkubeProbe
from crossfade.base.errors import Unavailable
from crossfade.core.fleet.cluster import Cluster


class Pages:
    """What an API server answers, by path."""

    cluster = Cluster("aws", "aws", "/nowhere")

    def __init__(self, **pages):
        self.pages = {f"/{path}": answer for path, answer in pages.items()}
        self.asked = []

    async def text(self, path):
        self.asked.append(path)
        return self.pages[path]

    get = text


def pages(readyz="ok", version="v1.32.0"):
    return Pages(readyz=readyz, api={}, version={"gitVersion": version})


async def test_a_server_that_is_not_ready_is_unavailable_and_says_why():
    with pytest.raises(Unavailable) as raised:
        await LightkubeProbe(pages("[-]etcd failed")).api()
    assert "etcd failed" in raised.value.what


async def test_a_probe_is_one_request_since_it_comes_every_second():
    server = pages()
    probe = LightkubeProbe(server)
    assert [await probe.api() for _ in range(3)] == ["v1.32.0"] * 3
    assert server.asked == ["/readyz", "/api", "/version", "/readyz", "/readyz"]
