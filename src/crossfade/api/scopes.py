"""Grants as requests write them, and what becomes of tokens that have them."""

from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, Field

from crossfade.core.access.roles import ANY, Grant, Role

KeepTokens = Field(
    default=False, description="Tokens stay that change no accounts: whoever has one stays in."
)


class Scope(BaseModel):
    """A role on one application or all, on one cluster or all."""

    model_config = ConfigDict(extra="forbid")
    role: Role
    application: str = Field(default=ANY, min_length=1, max_length=253)
    cluster: str = Field(default=ANY, min_length=1, max_length=253)

    @property
    def grant(self) -> Grant:
        """The grant."""
        return Grant(self.role, self.application, self.cluster)


def scopes(grants: Iterable[Grant]) -> list[Scope]:
    """Return the grants as they are sent."""
    return [
        Scope(role=each.role, application=each.application, cluster=each.cluster) for each in grants
    ]
