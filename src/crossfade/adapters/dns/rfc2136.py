"""Name servers that take dynamic updates (RFC 2136), signed with a key (TSIG, RFC 8945)."""

import asyncio
import base64
from collections.abc import Iterable

import dns.asyncquery
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dns.tsig
import dns.update

from crossfade.base.errors import Conflict, Denied, InputError, Unavailable
from crossfade.core.dns.record import OWNER_LABEL, DnsSpec, Published
from crossfade.ports.secrets import Secrets

_SECONDS = 3.0
_PREFIX = "heritage=crossfade,owner="
_TYPES = {4: "A", 6: "AAAA"}
_CHANGED = (dns.rcode.NXRRSET, dns.rcode.YXRRSET, dns.rcode.NXDOMAIN, dns.rcode.YXDOMAIN)
_DENIED = (dns.rcode.REFUSED, dns.rcode.NOTAUTH)


class Rfc2136NameServers:
    """The NameServers port; every question and update has a TCP connection of its own."""

    def __init__(self, secrets: Secrets) -> None:
        self._secrets = secrets

    async def read(self, spec: DnsSpec, host: str) -> Published:
        """Return what the zone says of the host; see the port for errors."""
        a = await self._ask(spec, host, "A")
        aaaa = await self._ask(spec, host, "AAAA")
        texts = await self._ask(spec, f"{OWNER_LABEL}.{host}", "TXT")
        addresses = sorted(each.to_text() for found in (a, aaaa) for each in found)
        ttl = max((found.ttl for found in (a, aaaa) if found), default=0)
        return Published(tuple(addresses), ttl, _owner(each.to_text() for each in texts))

    async def write(self, spec: DnsSpec, host: str, before: Published, want: Published) -> None:
        """Change the zone if it says `before`; see the port for errors."""
        update = dns.update.UpdateMessage(spec.zone)
        name, owner = dns.name.from_text(host), dns.name.from_text(f"{OWNER_LABEL}.{host}")
        update.absent(name, "CNAME")
        for kind in _TYPES.values():
            _expect(update, name, kind, _of_type(before.addresses, kind))
            _replace(update, name, want.ttl_seconds, kind, _of_type(want.addresses, kind))
        _expect(update, owner, "TXT", _owner_text(before.owner))
        _replace(update, owner, want.ttl_seconds, "TXT", _owner_text(want.owner))
        await self._sign(spec, update)
        answer = await _send(spec, update)
        _refuse(spec, answer.rcode())

    async def _ask(self, spec: DnsSpec, name: str, kind: str) -> dns.rrset.RRset:
        query = dns.message.make_query(name, kind)
        answer = await _send(spec, query)
        if answer.rcode() not in (dns.rcode.NOERROR, dns.rcode.NXDOMAIN):
            raise _not_for_zone(spec, dns.rcode.to_text(answer.rcode()))
        if not answer.flags & dns.flags.AA:
            raise _not_for_zone(spec, "its answers are not authoritative")
        whole, rdtype = dns.name.from_text(name), dns.rdatatype.from_text(kind)
        aliases = [each for each in answer.answer if each.rdtype == dns.rdatatype.CNAME]
        if aliases:
            raise InputError(
                "the name is an alias (CNAME), which can have no addresses",
                hint="delete the alias, or publish another host",
                name=name,
            )
        found = answer.get_rrset(dns.message.ANSWER, whole, dns.rdataclass.IN, rdtype)
        return found or dns.rrset.RRset(whole, dns.rdataclass.IN, rdtype)

    async def _sign(self, spec: DnsSpec, update: dns.update.UpdateMessage) -> None:
        secret = await self._secrets.resolve(spec.key.secret)
        try:
            shared = base64.b64decode(secret.reveal().strip(), validate=True)
        except ValueError as error:
            raise InputError(
                "the secret is no key of a zone",
                hint="store the base64 text that `tsig-keygen` or `keymgr` prints",
                secret=spec.key.secret,
            ) from error
        update.use_tsig(dns.tsig.Key(spec.key.name, shared, spec.key.algorithm.value))


async def _send(spec: DnsSpec, message: dns.message.Message) -> dns.message.Message:
    try:
        return await dns.asyncquery.tcp(message, spec.server, timeout=_SECONDS, port=spec.port)
    except (dns.tsig.PeerError, dns.tsig.BadSignature, dns.message.UnknownTSIGKey) as error:
        raise _denied(spec, type(error).__name__) from error
    except (OSError, EOFError, asyncio.IncompleteReadError, dns.exception.DNSException) as error:
        raise Unavailable(
            "the name server does not answer",
            hint="is it up, and does it take TCP?",
            server=f"{spec.server}:{spec.port}",
            why=str(error) or type(error).__name__,
        ) from error


def _expect(
    update: dns.update.UpdateMessage, name: dns.name.Name, kind: str, values: list[str]
) -> None:
    """Have the update refused unless the zone has exactly these values, or none."""
    if values:
        update.present(name, kind, *values)
    else:
        update.absent(name, kind)


def _replace(
    update: dns.update.UpdateMessage, name: dns.name.Name, ttl: int, kind: str, values: list[str]
) -> None:
    if values:
        update.replace(name, ttl, kind, *values)
    else:
        update.delete(name, kind)


def _refuse(spec: DnsSpec, code: dns.rcode.Rcode) -> None:
    """Raise what the answer to an update means, if it is no success."""
    if code == dns.rcode.NOERROR:
        return
    words = dns.rcode.to_text(code)
    if code in _CHANGED:
        raise Conflict("the zone says something else by now", hint="read it again", answer=words)
    if code in _DENIED:
        raise _denied(spec, words)
    if code == dns.rcode.NOTZONE:
        raise _not_for_zone(spec, words)
    raise Unavailable(
        "the name server could not make the change",
        hint="see its log",
        server=f"{spec.server}:{spec.port}",
        answer=words,
    )


def _denied(spec: DnsSpec, words: str) -> Denied:
    return Denied(
        "the name server refuses the key",
        hint="check the key's name, algorithm and secret, and that it may update the zone",
        server=f"{spec.server}:{spec.port}",
        key=spec.key.name,
        answer=words,
    )


def _not_for_zone(spec: DnsSpec, words: str) -> InputError:
    return InputError(
        "the server does not answer for the zone",
        hint="name the primary server of the zone",
        server=f"{spec.server}:{spec.port}",
        zone=spec.zone,
        answer=words,
    )


def _of_type(addresses: Iterable[str], kind: str) -> list[str]:
    return [each for each in addresses if (":" in each) == (kind == "AAAA")]


def _owner_text(owner: str) -> list[str]:
    return [f'"{_PREFIX}{owner}"'] if owner else []


def _owner(texts: Iterable[str]) -> str:
    """Return whose the name is: somebody else's when the text is not one of ours."""
    found = [text.strip('"') for text in texts]
    if not found:
        return ""
    ours = [text.removeprefix(_PREFIX) for text in found if text.startswith(_PREFIX)]
    return ours[0] if len(found) == len(ours) == 1 else " ".join(found)
