"""
Events that say more to those who may see all applications.

Whoever may see a cluster reads what happens to it, and may see only some of its applications.  So
the reason of such an event names none; what does stands in its facts, and streams leave facts out.
"""

from dataclasses import replace

from crossfade.ports.documents import Event

_IN_FULL = "in_full"


def with_more(event: Event, reason: str) -> Event:
    """Return the event with the reason that only those read who may see all applications."""
    if reason == event.reason:
        return event
    return replace(event, facts={**event.facts, _IN_FULL: reason})


def in_full(event: Event) -> str:
    """Return the reason for those who may see all applications."""
    return str(event.facts.get(_IN_FULL, event.reason))


def told_in_full(event: Event) -> Event:
    """Return the event as those see it who may see all applications."""
    facts = {key: value for key, value in event.facts.items() if key != _IN_FULL}
    return replace(event, reason=in_full(event), facts=facts)
