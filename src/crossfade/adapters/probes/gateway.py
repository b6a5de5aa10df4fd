"""Asks a cluster's gateway for any HTTP answer, over plain TCP or TLS."""

import asyncio
import ssl
from contextlib import suppress

from crossfade.base.errors import Unavailable
from crossfade.ports.gateway_probe import Tls

_REQUEST = "HEAD /.crossfade/probe HTTP/1.1\r\nHost: {host}\r\nConnection: close\r\n\r\n"
_NOBODY = "probe.crossfade"


class HttpGatewayProbe:
    """The GatewayProbe port; each probe has a connection of its own, as new users have."""

    async def answers(self, host: str, port: int, tls: Tls | None = None) -> None:
        """Return when there is an answer; see the port for errors."""
        trust = None if tls is None else await asyncio.to_thread(_trust, tls)
        name = tls.name if tls is not None else None
        try:
            reader, writer = await asyncio.open_connection(
                host, port, ssl=trust, server_hostname=name
            )
        except ssl.SSLCertVerificationError as error:
            raise _distrusted(host, port, error) from error
        except OSError as error:
            raise _silent(host, port, str(error)) from error
        try:
            writer.write(_REQUEST.format(host=name or _NOBODY).encode())
            await writer.drain()
            line = await reader.readline()
        except (OSError, ValueError) as error:
            raise _silent(host, port, str(error)) from error
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()
        if not line.startswith(b"HTTP/"):
            raise _silent(host, port, "it does not speak HTTP")


def _trust(tls: Tls) -> ssl.SSLContext:
    """Return what is trusted; read anew each time, since authorities are replaced."""
    trust = ssl.create_default_context()
    if not tls.verify:
        trust.check_hostname = False
        trust.verify_mode = ssl.CERT_NONE
    return trust


def _distrusted(host: str, port: int, error: ssl.SSLCertVerificationError) -> Unavailable:
    return Unavailable(
        "the gateway's certificate is not accepted",
        hint="mend the certificate, trust its authority on the hub's machine, or do not verify it",
        address=f"{host}:{port}",
        why=error.verify_message or str(error),
    )


def _silent(host: str, port: int, why: str) -> Unavailable:
    return Unavailable(
        "the gateway does not answer", hint="is it up?", address=f"{host}:{port}", why=why
    )
