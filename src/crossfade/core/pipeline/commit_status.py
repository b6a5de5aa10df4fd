"""How a build stands, as the people see it who look at its commit."""

from dataclasses import dataclass
from enum import StrEnum

from crossfade.base.units import format_duration
from crossfade.core.pipeline.state import BUILD, Result, State

PROVIDERS = ("github", "gitlab")
LONGEST_TEXT = 140
"""Characters of a description that GitHub shows."""
_MOST_STEPS = 50


@dataclass(frozen=True, slots=True)
class Commit:
    """The commit that a build is of, and who is told about it."""

    provider: str
    repository: str
    """owner/name."""
    revision: str
    title: str
    """Under which statuses of a commit replace each other."""
    context: str
    """The integration: its token is the secret `git-CONTEXT`."""
    pull: int = 0
    """The pull request, 0 for none."""
    api: str = ""
    """Address of the server's API, "" for the public one."""
    comment: bool = False
    """Whether the pull request gets a comment with the result."""


class Mood(StrEnum):
    """What a commit status says."""

    PENDING = "pending"
    RUNNING = "running"
    SUCCESS = "success"
    FAILURE = "failure"
    ENDED = "ended"
    """Somebody ended it."""


@dataclass(frozen=True, slots=True)
class Report:
    """How a build stands, in one line."""

    mood: Mood
    text: str

    @property
    def final(self) -> bool:
        """Whether it will not change any more."""
        return self.mood not in (Mood.PENDING, Mood.RUNNING)


def report_of(number: str, state: State) -> Report:
    """Return how build `number` stands."""
    build = state.units.get(BUILD)
    match state.result:
        case Result.PENDING:
            return Report(Mood.PENDING, f"build {number} waits for its turn")
        case Result.WAITING:
            return Report(Mood.RUNNING, f"build {number} waits for an approval")
        case Result.SUCCESS | Result.APPROVED | Result.SKIPPED:
            took = ""
            if build is not None and build.ended is not None:
                took = f" in {format_duration(round(build.ended - build.since))}"
            return Report(Mood.SUCCESS, f"build {number} succeeded{took}")
        case Result.TERMINATED:
            return Report(Mood.ENDED, _short(f"build {number} was ended", state))
        case Result.FAILURE | Result.DENIED:
            return Report(Mood.FAILURE, _short(f"build {number} failed", state))
        case _:
            return Report(Mood.RUNNING, f"build {number} runs")


def _short(text: str, state: State) -> str:
    failed = [key for key, unit in state.units.items() if key and unit.result is Result.FAILURE]
    reason = state.units[BUILD].reason if BUILD in state.units else ""
    whole = f"{text}: {', '.join(failed) or reason}" if failed or reason else text
    return whole if len(whole) <= LONGEST_TEXT else f"{whole[: LONGEST_TEXT - 1]}…"


def comment_of(pipeline: str, report: Report, state: State) -> str:
    """Return what a pull request is told at the end of a build, in Markdown."""
    rows = [
        f"| {_cell(key)} | {unit.result} | {_cell(unit.reason)} |"
        for key, unit in state.units.items()
        if key != BUILD
    ]
    more = [f"\n{len(rows) - _MOST_STEPS} more steps"] if len(rows) > _MOST_STEPS else []
    table = ["| step | result | why |", "|---|---|---|", *rows[:_MOST_STEPS]] if rows else []
    return "\n".join([f"**{_cell(pipeline)}**: {_cell(report.text)}", "", *table, *more])


def _cell(text: str) -> str:
    """Return the text as it may stand in a table, calling nobody and linking nothing."""
    plain = " ".join(text.split())
    for character in "\\`*_[]<>|#@!":
        plain = plain.replace(character, f"&#{ord(character)};")
    return plain
