"""A real OpenID provider on loopback, for tests: the package oidc-provider-mock."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx

from crossfade.testing.free_ports import free_port
from crossfade.testing.server_process import server_process

_START_SECONDS = 20


@dataclass(frozen=True, slots=True)
class IdentityServer:
    """One that runs."""

    issuer: str

    def know(self, subject: str, claims: Mapping[str, object]) -> None:
        """Have it know somebody."""
        answer = httpx.put(f"{self.issuer}/users/{subject}", json=dict(claims), trust_env=False)
        answer.raise_for_status()

    def sign_in(self, address: str, subject: str) -> str:
        """Sign somebody in as their browser does; return where it is sent back to."""
        form = {"sub": subject} if subject else {"action": "deny"}
        answer = httpx.post(address, data=form, trust_env=False)
        return answer.headers["Location"]


@contextmanager
def identity_server(folder: Path) -> Iterator[IdentityServer]:
    """Yield a new provider, which is a process of its own."""
    port = free_port()
    command = [sys.executable, "-W", "ignore", "-m", "oidc_provider_mock", "-p", str(port)]
    # It calls itself by the name that it is asked by.
    server = IdentityServer(f"http://localhost:{port}")
    known = f"{server.issuer}/.well-known/openid-configuration"
    with server_process(command, known, folder, _START_SECONDS):
        yield server
