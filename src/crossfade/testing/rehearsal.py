"""A rollout where clusters do at once what is wanted of them, to see which way it goes."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from crossfade.base.ids import ClusterName
from crossfade.core.analysis.judgement import Judgement, Run, Verdict
from crossfade.core.rollout.decide import decide
from crossfade.core.rollout.state import ClusterSight, Progress, Rollout, Sight, State
from crossfade.testing.builders import CLUSTERS, judgement, seen


@dataclass(slots=True)
class Rehearsal:
    """What is seen of the clusters can be changed between looks."""

    rollout: Rollout
    waves: Mapping[ClusterName, int] = field(default_factory=dict)
    clusters: Iterable[ClusterName] = CLUSTERS
    judgement: Judgement = field(default_factory=lambda: judgement(Verdict.PASS))
    runs: Mapping[str, Run] = field(default_factory=dict)
    frozen: str = ""
    closed: Mapping[str, str] = field(default_factory=dict)
    faults: dict[ClusterName, dict[str, object]] = field(default_factory=dict)
    """What is not well in a cluster, as fields of its sight."""
    now: float = 0.0
    reasons: list[str] = field(default_factory=list)

    @property
    def state(self) -> State:
        """Where the rollout stands."""
        return self.rollout.state

    def at(self, cluster: ClusterName) -> Progress:
        """Return where the cluster stands."""
        return self.state.clusters[cluster]

    def look(self, seconds: float = 1.0) -> State:
        """Return the state after one more decision, `seconds` later."""
        self.now += seconds
        sight = Sight(
            tuple(self._seen(name) for name in self.clusters),
            self.judgement,
            self.runs,
            self.frozen,
            self.closed,
        )
        decision = decide(self.rollout, sight, self.now)
        self.reasons.append(decision.reason)
        state = replace(decision.want, reason=decision.reason)
        self.rollout = replace(self.rollout, state=state)
        return state

    def looks(self, count: int, seconds: float = 1.0) -> State:
        """Return the state after so many decisions."""
        for _ in range(count):
            self.look(seconds)
        return self.state

    def until(self, true: Callable[[State], bool], most: int = 200) -> State:
        """Return the first state of which this is true; raises AssertionError without one."""
        for _ in range(most):
            if true(self.state):
                return self.state
            self.look()
        raise AssertionError(f"never came to it: {self.reasons[-3:]}")

    def _seen(self, name: ClusterName) -> ClusterSight:
        progress = self.state.clusters.get(name, Progress())
        scale = 100 if progress.percent >= 100 else progress.scale
        well = {"scale": scale, "wave": self.waves.get(name, 0)}
        return seen(name, **{**well, **self.faults.get(name, {})})
