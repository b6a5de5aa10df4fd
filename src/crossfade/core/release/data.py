"""
The form of data that a version writes, and those that it reads: who may serve beside whom.  Pure.

Two versions of an application share its data.  One that writes what the other cannot read breaks
it for those users, at once during a rollout, or later, when a failover or `undo` brings them there.
"""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DataForms:
    """What a version declares; a version without it gets along with all."""

    writes: str
    reads: tuple[str, ...] = ()
    """Besides what it writes, which every version reads."""

    def understands(self, form: str) -> bool:
        """Say whether it reads data of this form."""
        return form == self.writes or form in self.reads


def quarrel(one: DataForms | None, other: DataForms | None) -> str:
    """Return why `one` may not serve beside `other`, in words said of `one`; "" when it may."""
    if one is None or other is None:
        return ""
    said = []
    if not one.understands(other.writes):
        said.append(f"does not read `{other.writes}`")
    if not other.understands(one.writes):
        said.append(f"writes `{one.writes}`, which the other does not read")
    return " and ".join(said)
