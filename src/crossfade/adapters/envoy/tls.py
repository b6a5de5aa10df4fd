"""The hub's end of TLS with edges: both show certificates of one authority."""

# Generated protobuf modules get their attributes at run time.
# pyright: reportAttributeAccessIssue=false

import logging
import ssl
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

import grpc  # type: ignore[import-untyped]

from crossfade.base.certificates import ends_at, is_signed_by
from crossfade.base.clock import Clock
from crossfade.base.errors import CrossfadeError, Denied, InputError

CA, HUB, HUB_KEY = "ca.pem", "hub.pem", "hub.key"
"""Files of the folder that CROSSFADE_EDGE_TLS names."""
NOT_ITS_NAME = "the certificate of this edge has another name"
SOON_SECONDS = 30 * 86400.0
"""So long before its end it is told that a certificate ends."""
_DAY_SECONDS = 86400.0
_LOG = logging.getLogger(__name__)


class Peer(Protocol):
    """The part of grpc.aio's context that says who is at the other end."""

    def auth_context(self) -> Mapping[str, Sequence[bytes]]: ...


@dataclass(slots=True)
class HubTls:
    """The certificate of the hub, read again for each connection: it may be renewed any time."""

    folder: Path
    _last: tuple[bytes, ...] = ()
    _trouble: str = ""
    """With the renewed certificate, as it was told last."""

    def credentials(self) -> grpc.ServerCredentials:
        """Return what a server needs.  Raises InputError, Denied for files that cannot serve."""
        first = self.read()
        return grpc.dynamic_ssl_server_credentials(
            _configuration(first),
            self._newer,  # pyright: ignore[reportArgumentType] - None: as before
            require_client_authentication=True,
        )

    def ends(self) -> Mapping[str, float]:
        """Return until when the certificates in use are good, in Unix seconds, by file."""
        return {name: ends_at(_text(self._last[index])) for index, name in enumerate((CA, HUB))}

    def _newer(self) -> grpc.ServerCertificateConfiguration | None:
        """Return what is to be shown from now on; None when that is as before."""
        before = self._last
        try:
            found = self.read()
        except (CrossfadeError, OSError) as error:  # a file may go between two looks at it
            if str(error) != self._trouble:  # edges connect every second
                self._trouble = str(error)
                _LOG.warning("the renewed certificate of the hub cannot be used: %s", error)
            return None
        self._trouble = ""
        return None if found == before else _configuration(found)

    def read(self) -> tuple[bytes, ...]:
        """Return authority, certificate and key.  Raises InputError, Denied."""
        found = tuple(_content(self.folder / name) for name in (CA, HUB, HUB_KEY))
        if found != self._last:
            self._check(found)
            self._last = found
        return found

    def _check(self, found: tuple[bytes, ...]) -> None:
        key = self.folder / HUB_KEY
        if key.stat().st_mode & 0o077:
            raise Denied(
                f"others may read the key file {key}",
                hint=f"chmod 600 {key}; somebody may have read it",
            )
        authority, certificate = _text(found[0]), _text(found[1])
        anew = f"`crossfade edge authority {self.folder} --renew` makes both anew"
        if not is_signed_by(certificate, authority):
            raise InputError(
                f"the hub's certificate in {self.folder} is of another authority than {CA}",
                hint=f"no edge would trust it; {anew}",
            )
        try:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(self.folder / HUB, key, password="")
        except ssl.SSLError as error:
            raise InputError(
                f"certificate and key of the hub are no pair: {error.reason}", hint=anew
            ) from error


def _content(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise InputError(
            f"the file {path} cannot be read: {error.strerror}",
            hint=f"`crossfade edge authority {path.parent}` makes what hubs need there",
        ) from error


def _text(pem: bytes) -> str:
    return pem.decode(errors="replace")


def _configuration(files: tuple[bytes, ...]) -> grpc.ServerCertificateConfiguration:
    authority, certificate, key = files
    return grpc.ssl_server_certificate_configuration([(key, certificate)], authority)


def speaks_for(peer: Peer, edge: str) -> bool:
    """Say whether the certificate at the other end is that of this edge."""
    names = peer.auth_context().get("x509_subject_alternative_name", ())
    return edge.encode() in names


def certificate_ends_at(peer: Peer) -> float | None:
    """Return until when the certificate at the other end is good, in Unix seconds."""
    pem = peer.auth_context().get("x509_pem_cert", ())
    return ends_at(_text(pem[0])) if pem else None


@dataclass(slots=True)
class Ends:
    """Tells once a day which certificates end soon, or have ended: connections outlive them."""

    hub: HubTls
    clock: Clock
    _next: float = 0.0

    def look(self, edges: Iterable[tuple[str, float | None]]) -> None:
        """Tell of the hub's, and of those that these edges have shown; once a day."""
        now = self.clock.now()
        if now < self._next:
            return
        self._next = now + _DAY_SECONDS
        for file, end in self.hub.ends().items():
            self._tell("the hub", end, {"file": file})
        for edge, shown in sorted(dict(edges).items()):
            self.tell(edge, shown)

    def tell(self, edge: str, end: float | None) -> None:
        """Tell of the certificate of one edge, if its end is near."""
        if end is not None:
            self._tell("an edge", end, {"edge": edge})

    def _tell(self, whose: str, end: float, facts: Mapping[str, str]) -> None:
        left = end - self.clock.now()
        if left <= 0:
            _LOG.warning("the certificate of %s has ended", whose, extra=dict(facts))
        elif left < SOON_SECONDS:
            days = round(left / _DAY_SECONDS)
            _LOG.warning("the certificate of %s ends soon", whose, extra={**facts, "days": days})
