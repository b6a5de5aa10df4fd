"""A hub of its own process, to be killed: publishes the plan in a file, whenever it changes."""

import asyncio
import json
import sys
from pathlib import Path

from crossfade.adapters.envoy.ads import AdsEdges
from crossfade.adapters.envoy.resources import Tuning
from crossfade.base.codec import from_json
from crossfade.ports.edge import EdgePlan


async def main(port: int, path: Path) -> None:
    edges = AdsEdges(port, tuning=Tuning(ejection_seconds=1))
    await edges.start()
    published = None
    while True:
        text = path.read_text()
        if text != published:
            published = text
            await edges.publish(from_json(EdgePlan, json.loads(text)))
        await asyncio.sleep(0.01)


asyncio.run(main(int(sys.argv[1]), Path(sys.argv[2])))
