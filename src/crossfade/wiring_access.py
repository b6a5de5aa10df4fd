"""Which adapters commands about people and secrets are made of; apart, as few need them."""

from crossfade.adapters.passwords import ArgonPasswords
from crossfade.engine.audit import AuditedDocuments
from crossfade.engine.people import People
from crossfade.engine.secret_commands import SecretCommands
from crossfade.engine.sign_on import SignOnCommands
from crossfade.wiring import Session, key_ring, who_runs_this


def people(session: Session) -> People:
    """Return the accounts, for the person of this machine."""
    return People(_documents(session), ArgonPasswords(), session.clock)


def secret_commands(session: Session) -> SecretCommands:
    """Return the secrets of the store, for the person of this machine."""
    return SecretCommands(_documents(session), key_ring(session.settings), session.clock)


def sign_on_commands(session: Session) -> SignOnCommands:
    """Return the identity provider, for the person of this machine."""
    return SignOnCommands(_documents(session), session.clock)


def _documents(session: Session) -> AuditedDocuments:
    return AuditedDocuments(session.store, who_runs_this(), "cli", session.clock)
