"""Publishes the hosts of applications in DNS: users leave sites that are gone."""

from dataclasses import dataclass, replace

from crossfade.base.errors import CrossfadeError
from crossfade.base.ids import ApplicationName
from crossfade.core.dns.state import NameState
from crossfade.engine.names import Looked, Names
from crossfade.engine.records import DNS, save_name
from crossfade.ports.documents import Event

LOOK_SECONDS = 2.0


@dataclass(frozen=True, slots=True)
class NameLoop:
    """One key an application."""

    names: Names

    async def keys(self) -> list[str]:
        """Return the applications whose host is to be published."""
        return [str(each) for each in await self.names.applications()]

    async def reconcile(self, key: str) -> float:
        """Look at one name, save what should be published, and publish it."""
        application = ApplicationName(key)
        await self.names.identify()
        try:
            looked = await self.names.look(application)
        except CrossfadeError as error:
            await self._remember_trouble(application, error)
            return LOOK_SECONDS
        now = self.names.clock.now()
        state = looked.state
        if state.want != state.published:
            state = replace(state, past=state.past.after(state.published, state.want, now))
        await self._save(replace(looked, state=state), now)
        if state.want != state.published:
            try:
                await self.names.servers.write(looked.spec, state.host, state.published, state.want)
            except CrossfadeError as error:
                await self._remember_trouble(application, error)
        return LOOK_SECONDS

    async def _save(self, looked: Looked, now: float) -> None:
        """Intent first: what counts against the limit is known before the zone is changed."""
        remembered = await self.names.records.find_name(looked.state.application)
        before = remembered.value if remembered else None
        if before == looked.state:
            return
        await self.names.records.commit(
            save_name(looked.version, looked.state), events=_events(before, looked.state, now)
        )

    async def _remember_trouble(self, application: ApplicationName, error: CrossfadeError) -> None:
        records, now = self.names.records, self.names.clock.now()
        remembered = await records.find_name(application)
        before = remembered.value if remembered else NameState(application, "")
        state = replace(before, trouble=f"{error}; {error.hint}")
        if state != before:
            await records.commit(
                save_name(remembered.version if remembered else 0, state),
                events=(Event(f"{DNS}/{application}", now, state.trouble, {}),),
            )


def _events(before: NameState | None, state: NameState, now: float) -> tuple[Event, ...]:
    """Return what people should hear of: a change, and a refusal when it begins."""
    subject = f"{DNS}/{state.application}"
    if state.want != state.published:
        facts = {"before": state.published.addresses, "want": state.want.addresses}
        return (Event(subject, now, f"{state.host}: {state.reason}", facts),)
    if state.refused and (before is None or before.reason != state.reason):
        return (Event(subject, now, f"{state.host}: {state.reason}", {}),)
    return ()
