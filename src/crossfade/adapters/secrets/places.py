"""Several places for secrets as one."""

from collections.abc import Sequence

from crossfade.base.errors import InputError, NotFound
from crossfade.base.secrets import Secret, SecretRef
from crossfade.ports.secrets import Secrets


class SecretPlaces:
    """Looks in one place after the other; the first that has the secret wins."""

    def __init__(self, *places: Secrets) -> None:
        self._places: Sequence[Secrets] = places

    def holds(self, ref: SecretRef) -> bool:
        """Say whether any place looks up references of this form."""
        return any(place.holds(ref) for place in self._places)

    async def resolve(self, ref: SecretRef) -> Secret:
        """Return the secret; see the port for errors."""
        hints = []
        for place in self._places:
            if not place.holds(ref):
                continue
            try:
                return await place.resolve(ref)
            except NotFound as error:
                if ref.namespace:
                    raise
                hints.append(error.hint)
        if not hints:
            raise InputError(
                f"the hub knows no place for the secret `{ref}`",
                hint="give `{secret: NAME}` for one of the hub's own",
            )
        raise NotFound(f"there is no secret `{ref}`", hint=", or ".join(hints))
