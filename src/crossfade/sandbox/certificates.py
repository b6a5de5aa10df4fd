"""A certificate authority for one sandbox, and a server certificate for each of its clouds."""

from pathlib import Path
from typing import TYPE_CHECKING

from crossfade.base.files import write_text

if TYPE_CHECKING:
    from crossfade.base.certificates import Authority

_DAYS = 3650


def new_authority(now: float) -> "Authority":
    """Return a fresh authority; its key is never written to disk.  `now` in Unix seconds."""
    from crossfade.base.certificates import Authority, Validity  # slow: cryptography

    return Authority.new("crossfade-sandbox-ca", Validity(now, _DAYS))


def write_server(authority: "Authority", cloud: str, folder: Path, now: float) -> None:
    """Write `server.crt` and `server.key` (0600) for the API of a cloud."""
    from crossfade.base.certificates import Validity

    others = ("127.0.0.1", "localhost", "kubernetes.default.svc")
    made = authority.sign(f"{cloud}.crossfade-sandbox", others, Validity(now, _DAYS))
    write_text(folder / "server.crt", made.pem)
    write_text(folder / "server.key", made.key.reveal())
