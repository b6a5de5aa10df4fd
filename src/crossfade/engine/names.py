"""What is known of a name in DNS and of the sites behind it, and what should be published."""

import asyncio
import ipaddress
import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.base.clock import Clock
from crossfade.base.errors import NotFound, Unavailable
from crossfade.base.ids import ApplicationName
from crossfade.core.application import Route
from crossfade.core.dns.decide import Wish, decide
from crossfade.core.dns.record import DnsSpec, Scheme
from crossfade.core.dns.state import NameState, Owner
from crossfade.engine.records import Records, save_owner
from crossfade.ports.dns import NameServers
from crossfade.ports.gateway_probe import GatewayProbe, Tls

_PROBE_SECONDS = 1.0
_NOBODY = "nobody yet"
"""Who we are before a hub has published a name: no zone says so."""


@dataclass(frozen=True, slots=True)
class Looked:
    """A name after a look, and the version of what was remembered of it."""

    spec: DnsSpec
    state: NameState
    version: int


@dataclass(frozen=True, slots=True)
class Names:
    """Looks at names, and changes nothing that anybody sees."""

    records: Records
    servers: NameServers
    probe: GatewayProbe
    clock: Clock

    async def applications(self) -> list[ApplicationName]:
        """Return the applications whose host is to be published, by name."""
        return sorted(
            each.value.spec.name
            for each in await self.records.applications()
            if each.value.spec.dns is not None
        )

    async def remembered(self) -> tuple[NameState, ...]:
        """Return the names as the hub last saw them, by application."""
        found = [await self.records.find_name(each) for each in await self.applications()]
        return tuple(each.value for each in found if each is not None)

    async def planned(self, application: ApplicationName) -> NameState:
        """Return the name as `look` finds it."""
        return (await self.look(application)).state

    async def look(self, application: ApplicationName) -> Looked:
        """
        Return what the zone says and what it should say.

        Raises NotFound when the application publishes no name, and what NameServers raise.
        """
        spec = (await self.records.application(application)).value.spec
        if spec.dns is None or spec.route is None:
            raise NotFound(
                "the application publishes no name", hint="give it `spec.dns`", name=application
            )
        remembered = await self.records.find_name(application)
        before = remembered.value if remembered else NameState(application, spec.route.host)
        zone = await self.servers.read(spec.dns, spec.route.host)
        sites = await self._sites(application, spec.dns)
        silent = await self._silent(sites, frozenset(zone.addresses), _tls(spec.dns, spec.route))
        wish = Wish(
            await self._owner(),
            spec.dns.ttl_seconds,
            tuple(sorted(sites)),
            frozenset(sites) - frozenset(zone.addresses) - frozenset(silent),
            silent,
        )
        decision = decide(wish, zone, before.past, self.clock.now())
        state = NameState(
            application=application,
            host=spec.route.host,
            published=zone,
            want=decision.want,
            reason=decision.reason,
            refused=decision.refused,
            past=before.past,
        )
        return Looked(spec.dns, state, remembered.version if remembered else 0)

    async def _sites(self, application: ApplicationName, spec: DnsSpec) -> Mapping[str, int]:
        """Return the addresses that may have users, with the port where they answer."""
        plain = spec.probe_scheme is Scheme.HTTP
        if spec.edges:
            edges = (await self.records.edges()).value.edges
            there = {each.edge for each in edges if each.gone_since is None}
            found = [(spec.edges[each], spec.probe_port) for each in spec.edges if each in there]
        else:
            plan = await self.records.edge_plan()
            found = [
                (target.host, target.port if plain else spec.probe_port)
                for route in (plan.value.routes if plan else ())
                if route.application == application
                for target in route.targets
                if target.weight > 0
            ]
        written = ((_as_written_in_zones(host), port) for host, port in found)
        return {address: port for address, port in written if address}

    async def _silent(
        self, sites: Mapping[str, int], published: frozenset[str], tls: Tls | None
    ) -> dict[str, str]:
        """Return the sites that do not answer, and why; those that are published are not asked."""
        async with asyncio.TaskGroup() as group:
            asked = {
                host: group.create_task(self._trouble(host, port, tls))
                for host, port in sites.items()
                if host not in published
            }
        return {host: told for host, task in asked.items() if (told := task.result())}

    async def _trouble(self, host: str, port: int, tls: Tls | None) -> str:
        """Return why nobody answers there, "" when somebody does."""
        try:
            async with asyncio.timeout(_PROBE_SECONDS):
                await self.probe.answers(host, port, tls)
        except TimeoutError:
            return f"port {port}: no answer in {_PROBE_SECONDS:g} s"
        except Unavailable as error:
            why = error.facts.get("why")
            return f"port {port}: {error.what}{f': {why}' if why else ''}"
        return ""

    async def identify(self) -> None:
        """Make sure that we are somebody; two hubs on one store are the same owner."""
        if await self.records.find_owner() is None:
            await self.records.commit(save_owner(Owner(secrets.token_hex(8))))

    async def _owner(self) -> str:
        known = await self.records.find_owner()
        return known.value.identity if known else _NOBODY


def _tls(spec: DnsSpec, route: Route) -> Tls | None:
    """Return how to ask: over TLS by the name that users come with, or plainly."""
    return Tls(route.host, spec.probe_verify) if spec.probe_scheme is Scheme.HTTPS else None


def _as_written_in_zones(host: str) -> str:
    """Return the address in its usual form (IPv6 has many), or "" for a name."""
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        return ""
