"""A build in a world of its own, where every run ends as it is told to and time is a number."""

from collections.abc import Mapping, Sequence
from typing import TypeAlias

from crossfade.base.codec import from_json, to_json
from crossfade.base.json_value import Json
from crossfade.core.pipeline.checked import checked
from crossfade.core.pipeline.graph import Graph, graph_of
from crossfade.core.pipeline.run import Run, begin, decide, runs
from crossfade.core.pipeline.state import Answer, RunSight, Seen, State, Status
from crossfade.core.pipeline.tree import Mark, grown
from crossfade.core.pipeline.variables import Source, Variable

End: TypeAlias = Status | RunSight
MOST_LOOKS = 300


def graph_from(document: Mapping[str, Json]) -> Graph:
    """Return the graph of a document without its version.  Raises ValueError if it is refused."""
    result = checked(grown({"version": "1.0", **document}, Mark(1, 1)))
    if result.pipeline is None:
        raise ValueError([each.message for each in result.findings.errors])
    return graph_of(result.pipeline)


def step(**keys: Json) -> dict[str, Json]:
    """Return a step that runs something."""
    return {"image": "x", **keys}


def after(name: str, *results: str, **keys: Json) -> dict[str, Json]:
    """Return a step that waits for another one to have one of these results, else success."""
    wanted: dict[str, Json] = {"name": name}
    if results:
        wanted["on"] = list(results)
    return step(when={"steps": [wanted]}, **keys)


def on(text: str, **keys: Json) -> dict[str, Json]:
    """Return a step with a condition."""
    return step(when={"condition": {"all": {"c": text}}}, **keys)


class FakeBuild:
    """Looks, decides and saves as an engine does; its runners only say what they are told to."""

    def __init__(
        self,
        document: Mapping[str, Json],
        ends: Mapping[str, End | Sequence[End]] | None = None,
        variables: Mapping[str, str] | None = None,
    ) -> None:
        """`ends` are those of the runs of a step, by its name; others succeed."""
        self.graph = graph_from(document)
        given = (variables or {}).items()
        self.state = begin({name: Variable(name, value, Source.RUN) for name, value in given})
        self.ends: dict[str, list[End] | End] = {
            name: end if isinstance(end, Status | RunSight) else list(end)
            for name, end in (ends or {}).items()
        }
        self.now = 0.0
        self.started: list[str] = []
        self.times: dict[str, list[float]] = {}
        self.seen = Seen()
        self.wake_at: float | None = None

    def sight(self, run: Run) -> RunSight:
        """Return what is seen of a run that was started."""
        usual = Status.SERVING if run.key == self.graph.services else Status.SUCCEEDED
        end = self.ends.get(run.step.name, usual)
        if isinstance(end, list):
            end = end.pop(0) if end else usual
        if isinstance(end, RunSight):
            return RunSight(run.number, end.status, end.why, end.members, end.exports)
        return RunSight(run.number, end)

    def look(self, *, terminate: str = "", answers: Mapping[str, Answer] | None = None) -> State:
        """Take one step; return the state, which has been stored and read back."""
        seen = Seen(self.seen.runs, answers or {}, terminate)
        decision = decide(self.graph, self.state, seen, self.now)
        self.state = from_json(State, to_json(decision.want))
        sights = {}
        for run in runs(self.graph, self.state):
            old = self.seen.runs.get(run.key)
            if old is None or old.run != run.number:
                self.started.append(run.key)
                self.times.setdefault(run.key, []).append(self.now)
            sights[run.key] = self.sight(run)
        self.wake_at = decision.wake_at
        self.seen = Seen(sights)
        return self.state

    def play(self, *, answers: Mapping[str, Answer] | None = None) -> "FakeBuild":
        """Go on until the build has ended, or nothing happens any more."""
        for _ in range(MOST_LOOKS):
            before = self.state
            self.look(answers=answers)
            answers = None
            if self.state.ended:
                return self
            moving = any(not each.status.alive for each in self.seen.runs.values())
            if self.state == before and not moving:
                if self.wake_at is None:
                    return self
                self.now = max(self.now, self.wake_at)
        raise TimeoutError("the build does not end")

    def __getitem__(self, key: str) -> str:
        """Return the result of a step, or of the build."""
        unit = self.state.units.get("" if key == "build" else key)
        return "pending" if unit is None else unit.result.value
