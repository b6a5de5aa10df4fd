"""Gives a step the key and the token of its integration, which no other step sees."""

import re
import shlex
from dataclasses import replace

from crossfade.base.errors import InputError, NotFound
from crossfade.base.secrets import SecretRef
from crossfade.core.pipeline.cloning import (
    SERVER,
    SSH_HOSTS,
    SSH_KEY,
    TOKEN,
    TOKEN_USER,
    public_server,
)
from crossfade.ports.runner import Order
from crossfade.ports.secrets import Secrets

KEY_PREFIX, HOSTS_PREFIX = "git-key-", "git-hosts-"
"""Begin the names of the secrets with a private key, and with what `known_hosts` would say."""
TOKEN_PREFIX, SERVER_PREFIX = "git-", "git-server-"
"""Begin the names of the secrets with a token, and with the address of its server."""
_OTHERS = ("key-", "hosts-", "server-")
_NO_SERVER = (
    "the token git-{0} is not used: the secret git-server-{0} is to say for which server it is, "
    "as https://git.example.com"
)
_ANY_USER = "x-access-token"
"""GitHub and GitLab take any name with a token."""
_SERVER = re.compile(r"(https?)://(?:([^@/\s]+)@)?([^@/\s]+)/?")


async def with_integration(order: Order, integration: str, secrets: Secrets) -> Order:
    """
    Return the order with what the integration has, as it was if there is none.

    A token is given with the address of the one server that it is for.

    Raises Unavailable when a place of secrets does not answer.
    """
    key = await _found(secrets, f"{KEY_PREFIX}{integration}")
    token = await _token(secrets, integration)
    given: dict[str, str] = {}
    if key:
        given = {SSH_KEY: key, SSH_HOSTS: await _found(secrets, f"{HOSTS_PREFIX}{integration}")}
    if token:
        address = await _found(secrets, f"{SERVER_PREFIX}{integration}")
        server, user = _server(address.strip() or public_server(integration))
        if server:
            given |= {TOKEN: token, TOKEN_USER: user, SERVER: server}
        else:
            order = _saying(order, _NO_SERVER.format(integration))
    hidden = tuple(each for each in (given.get(SSH_KEY), given.get(TOKEN)) if each)
    return replace(
        order,
        environment={**order.environment, **given},
        secrets=(*order.secrets, *hidden),
    )


async def _token(secrets: Secrets, integration: str) -> str:
    if integration.startswith(_OTHERS):
        return ""  # or the key of another integration would be taken for a token
    return (await _found(secrets, f"{TOKEN_PREFIX}{integration}")).strip()


def _saying(order: Order, words: str) -> Order:
    return replace(order, script=f"echo {shlex.quote(words)} >&2\n{order.script}")


def _server(address: str) -> tuple[str, str]:
    """Return the server as git names it, and the user there; ("", "") when it is no address."""
    found = _SERVER.fullmatch(address)
    if found is None:
        return "", ""
    return f"{found[1]}://{found[3].lower()}", found[2] or _ANY_USER


async def _found(secrets: Secrets, name: str) -> str:
    try:
        return (await secrets.resolve(SecretRef(name))).reveal()
    except (NotFound, InputError):  # no such secret, or no name that one could have
        return ""
