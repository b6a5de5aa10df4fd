"""What the demo has seen, as a record that can be read by programs."""

from dataclasses import dataclass, field
from typing import Any

from crossfade.sandbox.load_figures import Figures, as_json


@dataclass(frozen=True, slots=True)
class Claim:
    """One promise, and whether it held."""

    text: str
    held: bool
    measured: str


@dataclass(frozen=True, slots=True)
class Moment:
    """Something that happened."""

    at: float
    """Seconds since the start of the demo."""
    what: str


@dataclass(slots=True)
class Act:
    """One act; times are seconds since the start of the demo."""

    number: int
    title: str
    began: float
    ended: float = 0.0
    moments: list[Moment] = field(default_factory=list)
    claims: list[Claim] = field(default_factory=list)
    measured: dict[str, float] = field(default_factory=dict)

    def claim(self, text: str, held: bool, measured: str) -> Claim:
        """Record whether a promise held, and return that."""
        claim = Claim(text, held, measured)
        self.claims.append(claim)
        return claim


@dataclass(slots=True)
class Record:
    """All acts, and the figures of the load that ran through them."""

    figures: Figures
    load_began: float = 0.0
    """Seconds between the start of the demo and the first request."""
    acts: list[Act] = field(default_factory=list)
    trouble: str = ""
    """Why the demo could not go on; "" when it came to its end."""

    @property
    def ok(self) -> bool:
        """Whether the demo came to its end and every claim held."""
        return not self.trouble and all(claim.held for act in self.acts for claim in act.claims)

    def as_json(self) -> dict[str, Any]:
        """Return the record as JSON values."""
        whole = as_json(self.figures)
        del whole["series"]
        return {
            "ok": self.ok,
            "trouble": self.trouble,
            "load": whole,
            "acts": [self._act(act) for act in self.acts],
        }

    def _act(self, act: Act) -> dict[str, Any]:
        since, until = act.began - self.load_began, act.ended - self.load_began
        shares = self.figures.shares(since, until)
        series = [
            step | {"at": round(step["at"] + self.load_began, 1)}
            for step in as_json(self.figures)["series"]
            if since <= step["at"] < until
        ]
        return {
            "act": act.number,
            "title": act.title,
            "began": round(act.began, 2),
            "seconds": round(act.ended - act.began, 2),
            "requests": shares.answers + shares.failed,
            "failed": shares.failed,
            "versions": {name: round(part, 4) for name, part in shares.versions.items()},
            "clouds": {name: round(part, 4) for name, part in shares.clouds.items()},
            "series": series,
            "measured": {name: round(value, 3) for name, value in act.measured.items()},
            "moments": [{"at": round(one.at, 2), "what": one.what} for one in act.moments],
            "claims": [
                {"claim": one.text, "held": one.held, "measured": one.measured}
                for one in act.claims
            ],
        }
