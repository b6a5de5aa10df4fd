"""A person's change of a rollout, written down with what it rests on."""

from crossfade.base.errors import Conflict, NotFound
from crossfade.base.ids import ApplicationName
from crossfade.core.rollout.commands import Begin
from crossfade.core.rollout.record import Record
from crossfade.core.rollout.state import Rollout
from crossfade.engine.records import (
    ROLLOUT,
    Records,
    Stored,
    rollout_name,
    save_application,
    save_rollout,
)
from crossfade.ports.documents import Event


def no_rollout(name: ApplicationName) -> NotFound:
    """Return the error for an application that was never deployed."""
    return NotFound(f"`{name}` has no rollout yet", hint=f"`crossfade deploy {name}` starts one")


async def save_change(
    records: Records,
    stored: Stored[Record],
    before: Stored[Rollout],
    changed: Rollout | Begin,
    reason: str,
    now: float,
) -> Rollout:
    """Save the changed rollout and return it.  Raises Conflict when it must be a new one."""
    name = stored.value.spec.name
    if isinstance(changed, Begin):
        raise Conflict(
            f"rollout {name}.{before.value.number} is over",
            hint=f"`crossfade rollout list {name}` shows how it ended",
        )
    subject = f"{ROLLOUT}/{rollout_name(name, changed.number)}"
    # The application is saved along, so that no new rollout can slip in between.
    await records.commit(
        save_rollout(before, changed),
        save_application(stored, stored.value),
        events=(Event(subject, now, reason, {}),),
    )
    return changed
