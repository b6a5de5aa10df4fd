"""What is said of a rollout, in the words of its users: events as occasions, facts and messages."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime

from crossfade.base.errors import InputError
from crossfade.base.ids import ApplicationName
from crossfade.base.json_value import Json
from crossfade.core.analysis.placeholders import fill, names
from crossfade.core.rollout.notifications import Notification, Occasion

FIELDS: Mapping[str, str] = {
    "application": "its name",
    "rollout": "its number",
    "revision": "the new revision",
    "occasion": "what there is to tell, as `rolled-back`",
    "reason": "why, as `crossfade rollout why` says it",
    "phase": "where the rollout stands",
    "percent": "the new revision's share of users",
    "from_percent": "its share before",
    "step": "the number of the step",
    "outcome": "how it ended",
    "pending": "clusters that have not confirmed a roll back",
    "requests": "requests that were judged",
    "errors": "how many of them failed",
    "at": "when, as `2026-11-23 08:15:00 UTC`",
}
"""Names that templates may have, and what they stand for."""

_TEMPLATES: Mapping[Occasion, tuple[str, str]] = {
    Occasion.STARTED: ("{{application}}: rollout {{rollout}} begins", "{{reason}}"),
    Occasion.STEP: (
        "{{application}}: {{percent}} % of users have {{revision}}",
        "before: {{from_percent}} %. {{reason}}",
    ),
    Occasion.HELD: ("{{application}}: rollout {{rollout}} waits at {{percent}} %", "{{reason}}"),
    Occasion.PROMOTING: ("{{application}}: {{revision}} is given all users", "{{reason}}"),
    Occasion.SUCCEEDED: ("{{application}}: all users have {{revision}}", "{{reason}}"),
    Occasion.ROLLING_BACK: (
        "{{application}}: users are taken back from {{revision}}",
        "it had {{from_percent}} %. {{reason}}",
    ),
    Occasion.ROLLED_BACK: ("{{application}}: {{revision}} was rolled back", "{{reason}}"),
    Occasion.SUPERSEDED: ("{{application}}: rollout {{rollout}} was superseded", "{{reason}}"),
    Occasion.COMMAND: ("{{application}}: rollout {{rollout}}: {{reason}}", "by a person"),
}
_OUTCOMES = {
    "succeeded": Occasion.SUCCEEDED,
    "rolled-back": Occasion.ROLLED_BACK,
    "superseded": Occasion.SUPERSEDED,
}
_PHASES = {"promoting": Occasion.PROMOTING, "rolling-back": Occasion.ROLLING_BACK}


@dataclass(frozen=True, slots=True)
class RolloutFacts:
    """What is known of a rollout at one moment; gates, hooks and receivers of messages get it."""

    application: ApplicationName
    rollout: int
    reason: str
    at: float
    facts: Mapping[str, Json] = field(default_factory=dict)
    """As in the rollout's history: phase, percent, step, outcome, revision, ...; nothing nested."""

    def as_json(self) -> dict[str, Json]:
        """Return them as the body of a request."""
        known: dict[str, Json] = {"application": self.application, "rollout": self.rollout}
        return {**self.facts, **known, "reason": self.reason, "at": self.at}


@dataclass(frozen=True, slots=True)
class Message:
    """What one channel is told of one event."""

    key: str
    """The same each time that it is sent: receivers may drop what they have already."""
    occasion: Occasion
    title: str
    text: str
    facts: RolloutFacts


def facts_of(
    subject: str, at: float, reason: str, facts: Mapping[str, Json]
) -> RolloutFacts | None:
    """Return the facts of an event, None when it is not about a rollout."""
    kind, _, name = subject.partition("/")
    application, _, number = name.rpartition(".")
    if kind != "rollout" or not application or not number.isdigit():
        return None
    plain = {key: value for key, value in facts.items() if _is_plain(value)}
    return RolloutFacts(ApplicationName(application), int(number), reason, at, plain)


def occasion_of(facts: RolloutFacts) -> Occasion | None:
    """
    Return what there is to tell of an event, None when only figures in its reason have changed.

    It is held from the event on that says `held` without `from_held`.
    """
    known = facts.facts
    if "phase" not in known:
        return Occasion.STARTED if "revision" in known else Occasion.COMMAND
    outcome, phase = str(known.get("outcome") or ""), str(known["phase"])
    if outcome in _OUTCOMES:
        return _OUTCOMES[outcome]
    if phase != known.get("from_phase") and phase in _PHASES:
        return _PHASES[phase]
    if known.get("percent") != known.get("from_percent"):
        return Occasion.STEP
    return Occasion.HELD if known.get("held") and not known.get("from_held") else None


def check_templates(notification: Notification) -> None:
    """Raise InputError for a placeholder that no message has a value for."""
    for text in (notification.title, notification.text):
        unknown = [name for name in names(text) if name not in FIELDS]
        if unknown:
            fill(f"{{{{{unknown[0]}}}}}", dict.fromkeys(FIELDS, ""))


def message(notification: Notification, facts: RolloutFacts, key: str) -> Message | None:
    """Return what the channel is to be told, None when it does not want to know."""
    occasion = occasion_of(facts)
    if occasion is None or occasion not in notification.on:
        return None
    title, text = _TEMPLATES[occasion]
    values = _values(facts, occasion)
    return Message(
        key,
        occasion,
        _filled(notification.title or title, values),
        _filled(notification.text or text, values),
        facts,
    )


def _is_plain(value: Json) -> bool:
    """Say whether receivers get it: what a decision was made from is large, and the hub's own."""
    match value:
        case dict():
            return False
        case list():
            return all(isinstance(each, str) for each in value)
        case _:
            return True


def _filled(template: str, values: Mapping[str, str]) -> str:
    try:
        return fill(template, values)
    except InputError as error:
        # Checked when it was applied; a message with its template is better than none.
        return f"{template} ({error.what})"


def _values(facts: RolloutFacts, occasion: Occasion) -> dict[str, str]:
    own = {
        "application": facts.application,
        "rollout": str(facts.rollout),
        "reason": facts.reason,
        "occasion": occasion.value,
        "at": datetime.fromtimestamp(facts.at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC"),
    }
    others = {name: _text(facts.facts.get(name)) for name in FIELDS if name not in own}
    return {**others, **own}


def _text(value: Json) -> str:
    match value:
        case None:
            return ""
        case float():
            return f"{value:g}"
        case list():
            return ", ".join(_text(each) for each in value)
        case _:
            return str(value)
