"""Secrets in memory."""

from crossfade.base.errors import NotFound
from crossfade.base.secrets import Secret, SecretRef


class FakeSecrets:
    """The Secrets port for tests: values by the text of their reference."""

    def __init__(self, **values: str) -> None:
        self.values = {name.replace("_", "-"): value for name, value in values.items()}

    def holds(self, ref: SecretRef) -> bool:
        """Say yes: references of every form are looked up here."""
        return True

    async def resolve(self, ref: SecretRef) -> Secret:
        """Return the secret; see the port for errors."""
        if str(ref) not in self.values:
            raise NotFound(f"there is no secret `{ref}`", hint="give it to FakeSecrets")
        return Secret(self.values[str(ref)])
