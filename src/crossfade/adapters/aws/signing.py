"""
Signatures of requests to AWS, version 4.

Source: AWS Signature Version 4, "Create a signed AWS API request"; checked against the vectors of
its public test suite.
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import parse_qsl, quote, urlsplit

from crossfade.adapters.http.caller import Call
from crossfade.base.secrets import Secret

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Keys:
    """Credentials of an account; temporary ones have a session token."""

    access_key_id: str
    secret_access_key: Secret
    session_token: Secret | None = None


@dataclass(frozen=True, slots=True)
class Scope:
    """What a signature is for."""

    region: str
    service: str


def signed(call: Call, keys: Keys, scope: Scope, now: float) -> Call:
    """Return the call with the headers that sign it at `now`; `params` belong into its URL."""
    at = datetime.fromtimestamp(now, UTC)
    stamp, day = at.strftime("%Y%m%dT%H%M%SZ"), at.strftime("%Y%m%d")
    headers = {**call.headers, "Host": urlsplit(call.url).netloc, "X-Amz-Date": stamp}
    secrets = [*call.secrets, keys.secret_access_key]
    if keys.session_token is not None:
        headers["X-Amz-Security-Token"] = keys.session_token.reveal()
        secrets.append(keys.session_token)
    canonical, names = _canonical(call, headers)
    credential = f"{day}/{scope.region}/{scope.service}/aws4_request"
    to_sign = "\n".join((_ALGORITHM, stamp, credential, _digest(canonical.encode())))
    key = f"AWS4{keys.secret_access_key.reveal()}".encode()
    for part in credential.split("/"):
        key = _mac(key, part)
    headers["Authorization"] = (
        f"{_ALGORITHM} Credential={keys.access_key_id}/{credential}, "
        f"SignedHeaders={names}, Signature={_mac(key, to_sign).hex()}"
    )
    return Call(call.url, call.method, {}, headers, call.body, tuple(secrets))


def _canonical(call: Call, headers: Mapping[str, str]) -> tuple[str, str]:
    """Return the request in its one form, and the names of the headers in it."""
    parts = urlsplit(call.url)
    pairs = parse_qsl(parts.query, keep_blank_values=True)
    query = "&".join(sorted(f"{quote(k, safe='-_.~')}={quote(v, safe='-_.~')}" for k, v in pairs))
    lower = sorted((name.lower(), " ".join(value.split())) for name, value in headers.items())
    names = ";".join(name for name, _ in lower)
    lines = "".join(f"{name}:{value}\n" for name, value in lower)
    path = quote(parts.path or "/", safe="/-_.~%")
    canonical = "\n".join((call.method, path, query, lines, names, _digest(call.body)))
    return canonical, names


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _mac(key: bytes, text: str) -> bytes:
    return hmac.new(key, text.encode(), hashlib.sha256).digest()
