"""The looks of a judge as events: written down, and read again."""

from typing import Any

from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import InputError
from crossfade.base.ids import ApplicationName
from crossfade.core.analysis.counts import Window
from crossfade.core.analysis.evidence import Look
from crossfade.core.analysis.past import Past
from crossfade.engine.records import EVIDENCE, Records, rollout_name
from crossfade.ports.documents import Event


def facts_of(seen: Look, discarded: tuple[Window, ...]) -> dict[str, Any]:
    """Return all that the verdict rests on, as it is written down."""
    return {
        "windows": [to_json(each) for each in seen.windows],
        "percent": seen.percent,
        "rps": seen.rps,
        "excluded": list(seen.excluded),
        "verdict": to_json(seen.found),
        "still": seen.after.still_since is not None,
        "discarded": [to_json(each) for each in discarded],
    }


def past_of(event: Event) -> Past:
    """Return the look that the event tells of.  Raises InputError when it cannot be read."""
    facts = event.facts
    try:
        return Past(
            tuple(from_json(Window, each) for each in facts["windows"]),
            float(facts["percent"]),
            float(facts["rps"]),
            event.at,
            bool(facts.get("still", False)),
            tuple(from_json(Window, each) for each in facts.get("discarded", ())),
        )
    except (KeyError, TypeError) as error:
        raise InputError(
            f"the verdict at {event.at:.1f} cannot be read",
            hint="it was written by another version of crossfade",
        ) from error


async def read_past(records: Records, application: ApplicationName, number: int) -> list[Past]:
    """Return all looks at a rollout, the oldest first.  Raises InputError."""
    subject = f"{EVIDENCE}/{rollout_name(application, number)}"
    found: list[Event] = []
    while page := await records.events(subject, found[-1].number if found else 0):
        found += page
    return [past_of(each) for each in found]
