"""Gives clones the key of their integration, so that they reach repositories that only it may."""

from dataclasses import replace

from crossfade.base.errors import InputError, NotFound
from crossfade.base.secrets import SecretRef
from crossfade.core.pipeline.orders import SSH_HOSTS, SSH_KEY
from crossfade.ports.runner import Order
from crossfade.ports.secrets import Secrets

KEY_PREFIX, HOSTS_PREFIX = "git-key-", "git-hosts-"
"""Begin the names of the secrets with a private key, and with what `known_hosts` would say."""


async def with_deploy_key(order: Order, integration: str, secrets: Secrets) -> Order:
    """
    Return the order with the integration's key, as it was if there is none.

    Raises Unavailable when a place of secrets does not answer.
    """
    key = await _found(secrets, f"{KEY_PREFIX}{integration}")
    if not key:
        return order
    hosts = await _found(secrets, f"{HOSTS_PREFIX}{integration}")
    given = {SSH_KEY: key, SSH_HOSTS: hosts}
    return replace(order, environment={**order.environment, **given}, secrets=(*order.secrets, key))


async def _found(secrets: Secrets, name: str) -> str:
    try:
        return (await secrets.resolve(SecretRef(name))).reveal()
    except (NotFound, InputError):  # no such secret, or no name that one could have
        return ""
