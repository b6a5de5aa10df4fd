"""A recorder in memory: what was taken down, in the order in which it ended."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from itertools import count

from crossfade.base.tracing import Fact, Kind


@dataclass(slots=True)
class FakeSpan:
    """One piece of work."""

    recorder: "FakeRecorder"
    name: str
    kind: Kind
    parent: str
    facts: dict[str, Fact]
    number: int
    notes: list[tuple[str, Mapping[str, Fact]]] = field(default_factory=list)
    failure: str = ""

    @property
    def traceparent(self) -> str:
        """Its place; the trace is that of its parent."""
        trace = self.parent.split("-")[1] if self.parent else f"{self.number:032x}"
        return f"00-{trace}-{self.number:016x}-01"

    def put(self, facts: Mapping[str, Fact]) -> None:
        """Add facts."""
        self.facts |= facts

    def note(self, name: str, facts: Mapping[str, Fact]) -> None:
        """Add something that has just happened."""
        self.notes.append((name, facts))

    def rename(self, name: str) -> None:
        """Give it a better name."""
        self.name = name

    def end(self, failure: str = "") -> None:
        """Say that it is over."""
        self.failure = failure
        self.recorder.ended.append(self)


class FakeRecorder:
    """The protocol `base.tracing.Recorder`."""

    def __init__(self) -> None:
        self.ended: list[FakeSpan] = []
        self._numbers = count(1)

    def begin(
        self, name: str, kind: Kind, parent: str, facts: Mapping[str, Fact], _began_ns: int
    ) -> FakeSpan:
        """Return the work."""
        return FakeSpan(self, name, kind, parent, dict(facts), next(self._numbers))

    def past(
        self, name: str, parent: str, facts: Mapping[str, Fact], seconds: tuple[float, float]
    ) -> None:
        """Take down what was."""
        began, ended = seconds
        facts = {**facts, "seconds": ended - began}
        self.begin(name, Kind.INTERNAL, parent, facts, 0).end()

    def named(self, name: str) -> FakeSpan:
        """Return the one piece of work of this name."""
        (found,) = [each for each in self.ended if each.name == name]
        return found
