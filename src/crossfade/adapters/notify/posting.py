"""JSON to webhooks: addresses that may be secrets, signatures, and keys against doubles."""

import hashlib
import hmac
import json
from collections.abc import Mapping
from typing import Any

from crossfade.adapters.http.caller import Call
from crossfade.base import tracing
from crossfade.base.clock import Clock
from crossfade.base.json_value import Json
from crossfade.base.secrets import Secret, SecretRef
from crossfade.core.rollout.gates import Endpoint
from crossfade.ports.secrets import Secrets

SIGNATURE = "X-Crossfade-Signature"
TIMESTAMP = "X-Crossfade-Timestamp"


async def post(
    endpoint: Endpoint, body: Mapping[str, Json], key: str, secrets: Secrets, clock: Clock
) -> Call:
    """
    Return the request; it is signed when the endpoint has a key for that.

    `key` goes along as `Idempotency-Key`.  Raises what looking secrets up raises.
    """
    headers: dict[str, str] = {"Content-Type": "application/json", "Idempotency-Key": key}
    headers |= tracing.carried()
    hidden: list[Secret] = []

    async def revealed(value: str | SecretRef) -> str:
        if isinstance(value, str):
            return value
        hidden.append(await secrets.resolve(value))
        return hidden[-1].reveal().strip()

    url = await revealed(endpoint.url)
    for name, value in endpoint.headers.items():
        headers[name] = await revealed(value)
    content = as_json(body)
    if endpoint.signing_key is not None:
        stamp = str(int(clock.now()))
        headers[TIMESTAMP] = stamp
        headers[SIGNATURE] = signature(await revealed(endpoint.signing_key), stamp, content)
    if isinstance(endpoint.url, SecretRef):
        hidden.append(Secret(_path(url)))
    return Call(url, "POST", {}, headers, content, tuple(hidden))


def as_json(body: Mapping[str, Any]) -> bytes:
    """Return the body's bytes."""
    return json.dumps(body, ensure_ascii=False, sort_keys=True).encode()


def signature(key: str, stamp: str, content: bytes) -> str:
    """Return `sha256=` and the HMAC, in hexadecimal, of the timestamp, a point and the body."""
    mac = hmac.new(key.encode(), f"{stamp}.".encode() + content, hashlib.sha256)
    return f"sha256={mac.hexdigest()}"


def _path(url: str) -> str:
    """Return what of a secret address must not be shown either: all after the host."""
    return "/".join(url.split("/")[3:])
