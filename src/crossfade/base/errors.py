"""
Every error that Crossfade raises on purpose.

    CrossfadeError
      InputError     a file, argument or request is wrong: mend it, send it again   (exit 2)
      NotFound       no such thing                                                  (exit 3)
      UnsafePlan     allowed only with an explicit override                         (exit 4)
      Conflict       changed or owned by someone else: read again, then retry       (exit 5)
      Unavailable    a dependency did not answer: safe to retry later               (exit 6)
        Denied       a dependency refused our credentials: retrying will not help   (exit 6)
        TooManyRequests  asked too often: wait, then try again                      (exit 6)
      RolloutFailed  a rollout that was waited for did not succeed                  (exit 7)
      NotSignedIn    nobody, or nobody any more, is signed in                       (exit 8)
      NotAllowed     who is signed in may not do this                               (exit 8)
"""

from typing import ClassVar


class CrossfadeError(Exception):
    """Built from facts, so that the log, the API and the CLI each print it their own way."""

    code: ClassVar[str] = "internal"
    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, hint: str, **facts: object) -> None:
        super().__init__(what)
        self.what, self.hint, self.facts = what, hint, facts

    def __str__(self) -> str:
        facts = ", ".join(f"{key}={value}" for key, value in sorted(self.facts.items()))
        return f"{self.what} ({facts})" if facts else self.what


class InputError(CrossfadeError):
    """A file, an argument or a request is wrong."""

    code = "invalid-input"
    exit_code = 2


class NotFound(CrossfadeError):
    """The thing that was named does not exist."""

    code = "not-found"
    exit_code = 3


class UnsafePlan(CrossfadeError):
    """The plan breaks a safety rule and needs an explicit override."""

    code = "unsafe-plan"
    exit_code = 4


class Conflict(CrossfadeError):
    """Somebody else changed or owns the thing."""

    code = "conflict"
    exit_code = 5


class Unavailable(CrossfadeError):
    """A dependency did not answer in time, or not at all."""

    code = "unavailable"
    exit_code = 6


class Denied(Unavailable):
    """A dependency answered and refused our credentials."""

    code = "denied"


class TooManyRequests(Unavailable):
    """Somebody asks too often."""

    code = "too-many-requests"


class RolloutFailed(CrossfadeError):
    """A rollout that was waited for was rolled back or superseded."""

    code = "rollout-failed"
    exit_code = 7


class NotSignedIn(CrossfadeError):
    """Nobody is signed in: no token or cookie, or one that does not count any more."""

    code = "not-signed-in"
    exit_code = 8


class NotAllowed(CrossfadeError):
    """Who is signed in may not do this."""

    code = "not-allowed"
    exit_code = 8


def ungrouped(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Return the first error of a group if all of it was raised on purpose, else the group."""
    ours, others = group.split(CrossfadeError)
    if ours is None or others is not None:
        return group
    first: BaseException = ours
    while isinstance(first, BaseExceptionGroup):
        first = first.exceptions[0]
    return first
