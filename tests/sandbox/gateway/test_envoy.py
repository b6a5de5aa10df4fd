"""The gateway's Envoy as a slow one behaves: what it was given is what it is told again."""

import json
from types import SimpleNamespace

import pytest

from crossfade.sandbox.gateway import envoy as module
from crossfade.sandbox.gateway import resources
from crossfade.sandbox.gateway.admin import AdminError
from crossfade.sandbox.gateway.config import Config
from crossfade.sandbox.gateway.envoy import GatewayEnvoy, Place

NAMES = {
    "cluster_manager.cds": "clusters",
    f"http.gateway.rds.{resources.ROUTES}": "routes",
    "listener_manager.lds": "listeners",
}


class Admin:
    """The admin page of an Envoy that reads its files at once, or not in time."""

    def __init__(self, files):
        self.files, self.slow = files, False
        self.page = ""

    async def get(self, path):
        if "total_listeners_active" in path:
            return "total_listeners_active: 1"
        if "update_rejected" in path:
            return "\n".join(f"{name}.update_rejected: 0" for name in NAMES)
        if not self.slow:
            read = {name: self.files / f"{what}.json" for name, what in NAMES.items()}
            self.page = "\n".join(
                f'{name}.version_text: "{json.loads(file.read_text())["version_info"]}"'
                for name, file in read.items()
                if file.exists()
            )
        return self.page

    def close(self):
        pass


@pytest.fixture
async def served(tmp_path, monkeypatch):
    """An Envoy that serves blue; its process is none."""

    async def no_process(*_, **__):
        return None

    times = iter(range(1_000_000))
    clock = SimpleNamespace(monotonic=lambda: next(times) / 100)
    monkeypatch.setattr(module, "time", clock)
    monkeypatch.setattr(module.asyncio, "create_subprocess_exec", no_process)
    made = GatewayEnvoy(Place("node", tmp_path, 1, 2))
    made.admin = Admin(made.files)
    await made.start({})
    await made.serve(config("blue"))
    return made


def config(service):
    routes = resources.route_configuration({"colors.test": [{"service": service}]})
    return Config({}, {}, routes, {}, frozenset())


def routed(envoy):
    routes = json.loads((envoy.files / "routes.json").read_text())["resources"][0]
    return routes["virtual_hosts"][0]["routes"][0]["service"]


async def test_a_change_taken_back_while_envoy_was_slow_is_taken_back_from_envoy_too(served):
    """Else it would serve red to users for ever, while the route says that blue is in force."""
    served.admin.slow = True
    with pytest.raises(AdminError, match="has not read"):
        await served.serve(config("red"))
    served.admin.slow = False
    await served.serve(config("blue"))

    assert routed(served) == "blue"


async def test_what_envoy_has_confirmed_is_not_written_again(served):
    before = (served.files / "routes.json").read_bytes()
    await served.serve(config("blue"))

    assert (served.files / "routes.json").read_bytes() == before
