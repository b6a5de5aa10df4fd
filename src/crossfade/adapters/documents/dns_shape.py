"""`spec.dns` of an application: where its host is published."""

import ipaddress
from collections.abc import Mapping
from typing import cast

from crossfade.adapters.documents.shapes import (
    Choice,
    Duration,
    Field,
    Flag,
    MapOf,
    Number,
    Places,
    Read,
    Record,
    Text,
    part,
)
from crossfade.adapters.documents.webhook_shape import SECRET, secret
from crossfade.core.dns.record import Algorithm, DnsSpec, Scheme, UpdateKey

_LABEL = r"[a-z0-9_]([-a-z0-9_]{0,61}[a-z0-9])?"
_NAME = Text("a name in lower case, without a dot at the end", rf"{_LABEL}(\.{_LABEL})*", 253)
_ADDRESS = Text("an IPv4 or IPv6 address", r"[0-9a-fA-F.:]+", 45)


def _check(dns: Read, places: Places) -> None:
    edges = cast("Mapping[str, str]", dns.get("edges", {}))
    given = [("server", dns.get("server")), *(("edges", each) for each in edges.values())]
    for key, value in given:
        if isinstance(value, str) and not _is_address(value):
            places.wrong(key, f"`{value}` is not an IPv4 or IPv6 address")
    if "probeVerify" in dns and dns.get("probeScheme") != Scheme.HTTPS:
        places.wrong("probeVerify", "says nothing without `probeScheme: https`")


DNS = Record(
    {
        "server": Field(_ADDRESS, "Address of the primary name server of the zone.", required=True),
        "port": Field(Number(1, 65535), "Its port, over TCP.", default="53"),
        "zone": Field(_NAME, "Zone that `route.host` is in.", required=True),
        "key": Field(
            Record(
                {
                    "name": Field(_NAME, "As the server calls it.", required=True),
                    "algorithm": Field(
                        Choice(tuple(Algorithm)), "How updates are signed.", default="hmac-sha256"
                    ),
                    "secret": Field(SECRET, "The key in base64.", required=True),
                }
            ),
            "Key with which updates are signed (TSIG).",
            required=True,
        ),
        "ttl": Field(Duration(1, 3600), "How long resolvers may keep an answer.", default="30s"),
        "edges": Field(
            MapOf(_NAME, _ADDRESS),
            "Addresses of edges by name; one is published while its edge is connected.",
            default="none: the gateways of clusters that have users",
        ),
        "probePort": Field(
            Number(1, 65535),
            "Where the address of an edge must answer before it is published; with `https`, of a"
            " gateway too.",
            default="80, with `https` 443",
        ),
        "probeScheme": Field(
            Choice(tuple(Scheme)), "What an address must speak there.", default="http"
        ),
        "probeVerify": Field(
            Flag(),
            "With `https`: its certificate must be valid, of a known authority, and for"
            " `route.host`.",
            default="true",
        ),
    },
    check=_check,
)


def dns_spec(spec: Read) -> DnsSpec | None:
    """Return where the host is published, or None when the file does not say so."""
    if "dns" not in spec:
        return None
    dns, key = part(spec, "dns"), part(part(spec, "dns"), "key")
    scheme = Scheme(str(dns.get("probeScheme", Scheme.HTTP)))
    return DnsSpec(
        server=str(dns["server"]),
        zone=str(dns["zone"]),
        key=UpdateKey(
            str(key["name"]),
            secret(key["secret"]),
            Algorithm(str(key.get("algorithm", Algorithm.SHA256))),
        ),
        port=cast(int, dns.get("port", 53)),
        ttl_seconds=round(cast(float, dns.get("ttl", 30))),
        edges=dict(cast("Mapping[str, str]", dns.get("edges", {}))),
        probe_port=cast(int, dns.get("probePort", 80 if scheme is Scheme.HTTP else 443)),
        probe_scheme=scheme,
        probe_verify=bool(dns.get("probeVerify", True)),
    )


def check_dns(spec: Read, places: Places) -> None:
    """Check that the host is in the zone."""
    if "dns" not in spec:
        return
    zone, host = part(spec, "dns").get("zone"), part(spec, "route").get("host")
    written = places.record.value
    if isinstance(written, Mapping) and "route" not in written:
        places.wrong("dns", "publishes `route.host`, and there is none")
    elif zone is None or host is None:
        return
    elif host != zone and not str(host).endswith(f".{zone}"):
        places.wrong("dns", f"the zone {zone} does not hold the host {host}")


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True
