"""The demo's stage over clusters in memory, in a time that passes as fast as it can be computed."""

import json
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import pytest

from crossfade.ports.traffic_counts import SLOWER_EDGES
from crossfade.sandbox.demo import acts, stage, verdicts
from crossfade.sandbox.demo.play import prepared
from crossfade.sandbox.demo.record import Record
from crossfade.sandbox.demo.stage import Hands, Stage
from crossfade.sandbox.load import Target
from crossfade.sandbox.load_figures import Figures, Source
from crossfade.sandbox.state import new_layout
from crossfade.testing.builders import application
from crossfade.testing.engine_world import EngineWorld

STEP_SECONDS = 0.25
RATE = 200


class Theatre:
    """A world, its users, and a stage."""

    def __init__(self, folder):
        self.world = EngineWorld(requests_per_second=0)
        self.load = SimpleNamespace(rate=float(RATE), figures=Figures())
        self.told = []
        self.edge_notices = True
        """False: users are sent to clusters that do not answer."""
        self.users_came = False
        self._due = {}

        async def hub():
            return "here/1/1"

        world = self.world
        hands = Hands(world.commands, world.deployments, world.queries, world.clock, hub)
        self.stage = Stage(
            hands,
            new_layout(folder / "sandbox", tuple(world.clusters), 17000),
            prepared(application(), acts.PROGRAMME),
            Target("127.0.0.1", 17000, "/", "colors.localhost"),
            self.load,
            Record(self.load.figures),
            lambda act, news: self.told.append(news),
        )

    def monotonic(self):
        return self.world.clock.now()

    async def sleep(self, seconds):
        left = seconds
        while left > 1e-9:
            step = min(left, STEP_SECONDS)
            await self.world.turn(step)
            if self.users_came:
                self._answers(step)
            left -= step

    def _answers(self, seconds):
        figures = self.load.figures
        figures.requests += round(RATE * seconds)
        at = self.stage.now() - self.stage.record.load_began
        weights = {
            name: weight
            for name, weight in self.world.weights().items()
            if weight and not (self.edge_notices and self.world.clusters[name].faults.gateway_down)
        }
        for name, weight in weights.items():
            cluster = self.world.clusters[name]
            requests = RATE * seconds * weight / sum(weights.values())
            if cluster.faults.gateway_down:
                figures.no_answer(at, 1.0, "nobody answers")
                continue
            for (_, revision), installed in cluster.revisions.items():
                colour = str(installed.revision.values["colour"])
                share = cluster.shares("colors").get(revision, 0) / 100
                many = round(requests * share)
                rate = self._error_rate(installed.revision.values, name)
                due = self._due.get((colour, name), 0.0) + many * rate
                errors = min(many, int(due))
                self._due[colour, name] = due - errors
                for number in range(many):
                    status = 500 if number < errors else 200
                    figures.answer(at, 0.001, status, Source(colour, name))
                latency = float(installed.revision.values.get("latencyMs", 0))
                slower = {edge: many for edge in SLOWER_EDGES if latency > edge}
                cluster.serve("colors", revision, many, errors, slower)

    def _error_rate(self, values, cloud):
        """Return the part of answers that fails, as the app of the example has it."""
        faulty = cloud in str(values.get("faultClouds", cloud)).split()
        rate = float(values.get("errorRate", 0)) * faulty
        with suppress(OSError, KeyError):
            rate += json.loads(Path(values["incidents"], f"{cloud}.json").read_text())["errorRate"]
        return rate

    async def act(self, verb, cloud):
        faults = self.world.clusters[cloud].faults
        faults.unreachable = faults.gateway_down = verb == "kill"


@pytest.fixture
def theatre(tmp_path, monkeypatch):
    """A stage whose clock, users and clouds are simulated."""
    made = Theatre(tmp_path)
    monkeypatch.setattr(stage, "time", SimpleNamespace(monotonic=made.monotonic))
    monkeypatch.setattr(stage, "LOOK_SECONDS", STEP_SECONDS)
    monkeypatch.setattr(stage, "asyncio", SimpleNamespace(sleep=made.sleep))
    monkeypatch.setattr(acts, "asyncio", SimpleNamespace(sleep=made.sleep))
    monkeypatch.setattr(verdicts, "asyncio", SimpleNamespace(sleep=made.sleep))

    async def break_cloud(_, verb, cloud):
        await made.act(verb, cloud)

    monkeypatch.setattr(Stage, "break_cloud", break_cloud)
    monkeypatch.setattr(acts, "_all_serve", _all_serve)
    made.stage._began = made.monotonic()
    return made


async def _all_serve(_):
    return True
