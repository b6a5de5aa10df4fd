"""
Tells channels what happens to rollouts, without ever holding one up.

One look turns new events into deliveries, which are saved together with the place in the history
that was reached; then each channel gets its own, in order.  A delivery is removed only after it was
taken: a crash between the two sends it again, under the same key.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field, replace

from crossfade.base.clock import Clock
from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import CrossfadeError, InputError
from crossfade.base.ids import ApplicationName
from crossfade.core.rollout.deliveries import Delivery, LastTold, failed, is_over, message_key
from crossfade.core.rollout.messages import facts_of, message
from crossfade.core.rollout.notifications import Notification
from crossfade.engine.records import Records
from crossfade.ports.documents import Document, Documents, Event, Remove, Save
from crossfade.ports.notifier import Notifier

log = logging.getLogger(__name__)

DELIVERY = "delivery"
LAST_TOLD = "last-told"
"""What became of the messages of a notification, by its line."""
CURSOR = "notification-cursor"
DISPATCH = "dispatch"
"""The key of the look that turns events into deliveries; other keys are lines of deliveries."""

LOOK_SECONDS = 1.0
IDLE_SECONDS = 30.0
SEND_SECONDS = 60.0
RECENT_SECONDS = 60.0
"""A hub that was never told to notify begins with what is no older."""
_PAGE = 500
_SAVE_EVERY = 500
"""Events that concern nobody are passed over in memory; the place is saved every so many."""

Subscriptions = Callable[[ApplicationName], Awaitable[tuple[Notification, ...]]]
"""Returns what an application has notifications of, nothing when there is no such application."""


@dataclass(slots=True)
class Notifications:
    """One line of deliveries at a time; keys are `dispatch` and `application/notification`."""

    records: Records
    documents: Documents
    notifier: Notifier
    subscriptions: Subscriptions
    clock: Clock
    _reached: int = field(default=0)
    """Number of the last event that was looked at; at least what is saved."""

    async def keys(self) -> list[str]:
        """Return `dispatch`, and each line in which something waits."""
        waiting = {_delivery(each).queue for each in await self.documents.list(DELIVERY)}
        return [DISPATCH, *sorted(waiting)]

    async def reconcile(self, key: str) -> float:
        """Take one step; return seconds until the next look."""
        if key == DISPATCH:
            return await self._dispatch()
        return await self._deliver(key)

    async def _dispatch(self) -> float:
        cursor = await self.documents.get(CURSOR, DISPATCH)
        if cursor is None:
            await self._begin()
            return 0.0
        saved = int(cursor.body["after"])
        after = max(saved, self._reached)
        events = await self.documents.events(after=after, limit=_PAGE)
        if not events:
            return LOOK_SECONDS
        saves = await self._saves(events)
        reached = events[-1].number
        if saves or reached - saved >= _SAVE_EVERY:
            place = Save(CURSOR, DISPATCH, cursor.version, {"after": reached})
            await self.records.commit(place, *saves)
        self._reached = reached
        return 0.0

    async def _begin(self) -> None:
        """Begin near the end of the history: what is long past is told to nobody."""
        last, oldest = 0, self.clock.now() - RECENT_SECONDS
        while events := await self.documents.events(after=last, limit=_PAGE):
            past = [event.number for event in events if event.at < oldest]
            last = max(past, default=last)
            if len(past) < len(events):
                break
        await self.records.commit(Save(CURSOR, DISPATCH, 0, {"after": last}))

    async def _saves(self, events: tuple[Event, ...]) -> list[Save]:
        """Return the deliveries that the events lead to."""
        known: dict[ApplicationName, tuple[Notification, ...]] = {}
        saves = []
        for event in events:
            facts = facts_of(event.subject, event.at, event.reason, event.facts)
            if facts is None:
                continue
            name = facts.application
            if name not in known:
                known[name] = await self.subscriptions(name)
            for notification in known[name]:
                key = message_key(name, notification.name, event.number)
                told = message(notification, facts, key)
                if told is None:
                    continue
                delivery = Delivery(
                    name, notification.name, event.number, notification.channel, told, event.at
                )
                saves.append(Save(DELIVERY, _document_name(delivery), 0, to_json(delivery)))
        return saves

    async def _deliver(self, queue: str) -> float:
        """Send the oldest delivery of the line, if it is due."""
        found = await self._oldest(queue)
        if found is None:
            return IDLE_SECONDS
        document, delivery = found
        now = self.clock.now()
        if is_over(delivery, now):
            await self._give_up(document, delivery, "it could not be delivered for a day")
            return 0.0
        if delivery.next_at > now:
            return delivery.next_at - now
        try:
            async with asyncio.timeout(SEND_SECONDS):
                await self.notifier.send(delivery.channel, delivery.message)
        except InputError as error:
            await self._give_up(document, delivery, error.what)
        except (CrossfadeError, TimeoutError) as error:
            return await self._put_off(document, delivery, str(error) or "no answer in time")
        else:
            title = delivery.message.title
            told = await self._told(delivery, lambda last: replace(last, sent_at=now, sent=title))
            await self.records.commit(Remove(DELIVERY, document.name, document.version), told)
        return 0.0

    async def _oldest(self, queue: str) -> tuple[Document, Delivery] | None:
        pairs = [(each, _delivery(each)) for each in await self.documents.list(DELIVERY)]
        waiting = [pair for pair in pairs if pair[1].queue == queue]
        return min(waiting, key=lambda pair: pair[1].event, default=None)

    async def _put_off(self, document: Document, delivery: Delivery, why: str) -> float:
        later = failed(delivery, self.clock.now(), why)
        log.warning(
            "message-delayed",
            extra={"queue": delivery.queue, "attempts": later.attempts, "error": why},
        )
        change = Save(DELIVERY, document.name, document.version, to_json(later))
        await self.records.commit(change)
        return later.next_at - self.clock.now()

    async def _give_up(self, document: Document, delivery: Delivery, why: str) -> None:
        event = Event(
            f"notification/{delivery.queue}",
            self.clock.now(),
            f"`{delivery.message.title}` was not delivered: {why}",
            {"event": delivery.event, "attempts": delivery.attempts},
        )
        log.error("message-given-up", extra={"queue": delivery.queue, "error": why})
        change = Remove(DELIVERY, document.name, document.version)
        lost = f"{delivery.message.title}: {why}"
        told = await self._told(delivery, lambda at: replace(at, lost_at=event.at, lost=lost))
        await self.records.commit(change, told, events=(event,))

    async def _told(self, delivery: Delivery, change: Callable[[LastTold], LastTold]) -> Save:
        """Return the change of what is remembered of the line."""
        found = await self.documents.get(LAST_TOLD, delivery.queue)
        last = from_json(LastTold, found.body) if found else LastTold()
        version = found.version if found else 0
        return Save(LAST_TOLD, delivery.queue, version, to_json(change(last)))


def _document_name(delivery: Delivery) -> str:
    return f"{delivery.queue}/{delivery.event:012d}"


def _delivery(document: Document) -> Delivery:
    return from_json(Delivery, document.body)
