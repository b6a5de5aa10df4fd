"""Secrets of the hub, from variables of its environment."""

import re
from collections.abc import Mapping

from crossfade.base.errors import NotFound
from crossfade.base.secrets import Secret, SecretRef


def variable_of(prefix: str, secret: str) -> str:
    """Return what the variable of a secret is called."""
    return prefix + re.sub(r"[^A-Z0-9]", "_", secret.upper())


class EnvironmentSecrets:
    """`{secret: slack-url}` is the variable PREFIX + `SLACK_URL`."""

    def __init__(self, environment: Mapping[str, str], prefix: str) -> None:
        self._environment, self._prefix = environment, prefix

    def holds(self, ref: SecretRef) -> bool:
        """Say whether the reference is to a secret of the hub."""
        return not ref.namespace

    async def resolve(self, ref: SecretRef) -> Secret:
        """Return the secret; see the port for errors."""
        name = variable_of(self._prefix, str(ref))
        value = self._environment.get(name, "")
        if not value:
            raise NotFound(
                f"there is no secret `{ref}`",
                hint=f"set the variable {name} where the hub runs",
            )
        return Secret(value)
