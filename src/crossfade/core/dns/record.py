"""A name in DNS that leads users to sites: what is wanted of it, and what a zone says."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.base.secrets import SecretRef

OWNER_LABEL = "_crossfade"
"""The TXT record at this label below a name says whose the name is."""


class Algorithm(StrEnum):
    """How updates are signed."""

    SHA256 = "hmac-sha256"
    SHA384 = "hmac-sha384"
    SHA512 = "hmac-sha512"


@dataclass(frozen=True, slots=True)
class UpdateKey:
    """The key of a zone (TSIG), without its secret."""

    name: str
    secret: SecretRef
    algorithm: Algorithm = Algorithm.SHA256


class Scheme(StrEnum):
    """What an address must speak before it is published."""

    HTTP = "http"
    HTTPS = "https"


@dataclass(frozen=True, slots=True)
class DnsSpec:
    """Where an application's host is published, and what."""

    server: str
    """Address of the primary name server."""
    zone: str
    key: UpdateKey
    port: int = 53
    ttl_seconds: int = 30
    edges: Mapping[str, str] = field(default_factory=dict)
    """Addresses of edges, by name; without any, the clusters' gateways are published."""
    probe_port: int = 80
    """Where an edge's address must answer before it is published; with TLS a gateway's, too."""
    probe_scheme: Scheme = Scheme.HTTP
    probe_verify: bool = True
    """With TLS: its certificate must be a good one for the application's host."""


@dataclass(frozen=True, slots=True)
class Published:
    """What a zone says of a name."""

    addresses: tuple[str, ...] = ()
    """IPv4 and IPv6, sorted."""
    ttl_seconds: int = 0
    owner: str = ""
    """Whose name it is; "" when nobody has said so."""
