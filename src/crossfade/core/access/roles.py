"""Who may do what, as pure rules: roles, given per application and cluster."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import MappingProxyType

ANY = "*"
"""In a grant: every application, or every cluster."""


class Role(StrEnum):
    """What somebody is; each may do all that those before may."""

    VIEWER = "viewer"
    DEVELOPER = "developer"
    RELEASER = "releaser"
    ADMIN = "admin"

    @property
    def rank(self) -> int:
        """Position among the roles: who has a higher one may do more."""
        return list(Role).index(self)


class Action(StrEnum):
    """What is asked for."""

    READ = "read"
    """Look at an application, its rollouts and builds, or at a cluster."""
    BUILD = "build"
    """Start, stop and repeat pipelines."""
    REGISTER = "register"
    """Say what pipelines do: their steps run on the hub's machine, and may deploy anything."""
    APPLY = "apply"
    """Make or change an application."""
    RELEASE = "release"
    """Deploy, and steer rollouts: promote, abort, approve."""
    DRAIN = "drain"
    """Take users from a cluster, and give them back."""
    FLEET = "fleet"
    """Add clusters and remove them."""
    SECRETS = "secrets"
    """Set and remove secrets; nobody may read them."""
    ACCESS = "access"
    """Accounts, and everybody's tokens."""
    AUDIT = "audit"
    """Read who has done what."""


DEEDS: Mapping[Action, str] = MappingProxyType(
    {
        Action.READ: "to look at it",
        Action.BUILD: "to start and end builds",
        Action.REGISTER: "to say what pipelines do",
        Action.APPLY: "to apply an application file",
        Action.RELEASE: "to deploy and to steer rollouts",
        Action.DRAIN: "to take users from a cluster and give them back",
        Action.FLEET: "to add and remove clusters",
        Action.SECRETS: "to set and list secrets",
        Action.ACCESS: "to change accounts and tokens",
        Action.AUDIT: "to read who has done what",
    }
)
"""What an action is called when somebody may not."""

NEEDS: Mapping[Action, Role] = MappingProxyType(
    {
        Action.READ: Role.VIEWER,
        Action.BUILD: Role.DEVELOPER,
        Action.REGISTER: Role.ADMIN,
        Action.APPLY: Role.DEVELOPER,
        Action.RELEASE: Role.RELEASER,
        Action.DRAIN: Role.RELEASER,
        Action.FLEET: Role.ADMIN,
        Action.SECRETS: Role.ADMIN,
        Action.ACCESS: Role.ADMIN,
        Action.AUDIT: Role.ADMIN,
    }
)
"""The least role for each action."""


@dataclass(frozen=True, slots=True)
class Grant:
    """A role on one application or all, on one cluster or all."""

    role: Role
    application: str = ANY
    cluster: str = ANY

    def covers(self, action: Action, application: str, cluster: str) -> bool:
        """Say whether this alone allows the action there; ANY asks for all of them at once."""
        return (
            self.role.rank >= NEEDS[action].rank
            and self.application in {ANY, application}
            and self.cluster in {ANY, cluster}
        )


@dataclass(frozen=True, slots=True)
class Identity:
    """Somebody who asks."""

    name: str
    grants: tuple[Grant, ...]
    within: tuple[Grant, ...] | None = None
    """A token allows no more than this, whatever its owner may do; None: no token."""

    def may(self, action: Action, application: str = ANY, clusters: Iterable[str] = (ANY,)) -> bool:
        """
        Say whether the action is allowed on the application in all of the clusters.

        Args:
            action: what is asked for.
            application: its name; ANY for what concerns all of them.
            clusters: those that it changes; whoever may not touch one of them may not do it.
        """
        scopes = (self.grants,) if self.within is None else (self.grants, self.within)
        wanted = tuple(clusters) or (ANY,)
        return all(
            any(grant.covers(action, application, cluster) for grant in scope)
            for scope in scopes
            for cluster in wanted
        )

    def sees(self, application: str) -> bool:
        """Say whether anything of the application may be looked at, in whichever cluster."""
        return self._meets(lambda grant: grant.application in {ANY, application})

    def sees_cluster(self, cluster: str) -> bool:
        """Say whether the cluster may be looked at, for whichever application."""
        return self._meets(lambda grant: grant.cluster in {ANY, cluster})

    def _meets(self, fits: Callable[[Grant], bool]) -> bool:
        scopes = (self.grants,) if self.within is None else (self.grants, self.within)
        return all(any(fits(grant) for grant in scope) for scope in scopes)
