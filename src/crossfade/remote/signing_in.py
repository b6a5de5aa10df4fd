"""Signing in at a hub for programs: a password becomes a token that expires."""

import json
import socket

from crossfade.base.errors import NotSignedIn
from crossfade.base.secrets import Secret
from crossfade.remote.client import HubClient
from crossfade.remote.logins import Login

_API = "/api/v1"


async def by_password(
    url: str, name: str, password: Secret, days: int, known: Secret | None = None
) -> Login:
    """
    Return a login with a new token, which allows what the account may do now.

    With a token of the account that is `known` already, wrong passwords of others do not count.
    """
    client = HubClient(url)
    try:
        body = {"name": name, "password": password.reveal()}
        client.carry({}, password)
        headers, data = {"Content-Type": "application/json"}, json.dumps(body).encode()
        if known is not None:
            client.carry({}, known)
            headers["Authorization"] = f"Bearer {known.reveal()}"
        signed = await client.ask("POST", f"{_API}/session", headers=headers, body=data)
        session = signed.json()
        cookie = signed.headers["set-cookie"].partition(";")[0]
        client.carry({"Cookie": cookie, "X-CSRF-Token": session["csrf"]}, Secret(cookie))
        host = socket.gethostname()[:60]
        everything = {"role": "admin", "application": "*", "cluster": "*"}
        wanted = {
            "name": f"crossfade at {host}",
            "days": days,
            "grants": session["grants"],
            "accounts": everything in session["grants"],
        }
        made = await client.post(f"{_API}/tokens", wanted)
        await client.ask("DELETE", f"{_API}/session")
        return Login(url, session["account"], Secret(made["text"]), made["token"]["id"])
    finally:
        await client.close()


async def by_token(url: str, token: Secret) -> Login:
    """Return a login with a token that was made on the page.  Raises NotSignedIn."""
    client = HubClient(url, token)
    try:
        session = await client.get(f"{_API}/session")
    finally:
        await client.close()
    parts = token.reveal().split("_")
    return Login(url, session["account"], token, parts[1] if len(parts) == 3 else "")


async def sign_out(login: Login) -> bool:
    """Revoke the token; return whether it counted until now."""
    client = HubClient(login.url, login.token)
    try:
        await client.ask("DELETE", f"{_API}/tokens/{login.token_id}")
    except NotSignedIn:
        return False
    finally:
        await client.close()
    return True
