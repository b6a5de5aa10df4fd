"""Kinds of documents about people: who may do what, and what was done."""

ACCOUNT = "account"
TOKEN = "token"  # noqa: S105 - the kind of a document
SESSION = "browser-session"
ONCE = "once"
"""Keys of requests that were carried out, so that none is carried out twice."""
AUDIT_HEAD = "audit-head"
AUDIT_LOG = "audit/log"
"""Subject of the events of the audit log."""
SIGN_ON = "sign-on"
"""The identity provider that vouches for people."""
ACCESS = (SIGN_ON, ACCOUNT, TOKEN, SESSION, ONCE, AUDIT_HEAD)
"""Those that concern no loop of the hub."""
