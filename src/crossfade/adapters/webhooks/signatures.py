"""Whether a request was sent by one who knows the secret; compared in constant time."""

import hashlib
import hmac
from collections.abc import Mapping

from crossfade.base.secrets import Secret

_SIGNED = ("x-hub-signature-256", "x-gitea-signature", "x-hub-signature")
_TOLD = ("x-gitlab-token", "x-crossfade-token")


def genuine(headers: Mapping[str, str], body: bytes, secret: Secret) -> bool:
    """
    Return whether the request is signed with the secret, or says it.

    GitHub, Gitea and Bitbucket sign the body (HMAC with SHA-256), GitLab sends the secret itself,
    and so do registries, as `Authorization: Bearer SECRET` or `X-Crossfade-Token`.
    `headers` have names in lower case.
    """
    key = secret.reveal().encode()
    if not key:
        return False
    signature = next((headers[name] for name in _SIGNED if headers.get(name)), None)
    if signature is not None:
        wanted = hmac.new(key, body, hashlib.sha256).hexdigest()
        return _same(signature.removeprefix("sha256="), wanted)
    told = next((headers[name] for name in _TOLD if headers.get(name)), None)
    scheme, _, value = headers.get("authorization", "").partition(" ")
    if told is None and scheme.lower() == "bearer":
        told = value.strip()
    return told is not None and _same(told, secret.reveal())


def _same(one: str, other: str) -> bool:
    return hmac.compare_digest(one.encode(errors="replace"), other.encode())
