"""Which hubs one is signed in at: addresses and tokens in a file that only its owner may read."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from crossfade.base.codec import from_json
from crossfade.base.errors import InputError, NotSignedIn, Unavailable
from crossfade.base.files import write_text
from crossfade.base.secrets import Secret
from crossfade.core.access.sign_on import require_private

LOCAL = "local"
"""In place of an address: commands work on the store of this machine, without any hub."""


@dataclass(frozen=True, slots=True)
class Login:
    """Where one is signed in."""

    url: str
    account: str
    token: Secret
    token_id: str


@dataclass(frozen=True, slots=True)
class _Kept:
    account: str
    token: str
    token_id: str


@dataclass(frozen=True, slots=True)
class _File:
    current: str = ""
    hubs: Mapping[str, _Kept] | None = None


@dataclass(frozen=True, slots=True)
class Logins:
    """The file."""

    path: Path

    def chosen(self, wish: str) -> Login | None:
        """
        Return the hub to talk to, None for the store of this machine.

        Args:
            wish: an address, `local`, or "" for the one that was signed in at last.

        Raises NotSignedIn for an address without a token.
        """
        if wish == LOCAL or (not wish and not self.path.exists()):
            return None
        file = self._read()
        url = hub_url(wish) if wish else file.current
        kept = (file.hubs or {}).get(url)
        if not url:
            return None
        if kept is None:
            raise NotSignedIn(f"you are not signed in at {url}", hint=f"`crossfade login {url}`")
        return Login(url, kept.account, Secret(kept.token), kept.token_id)

    def known(self, url: str, account: str) -> Secret | None:
        """Return the token of the account at this hub, whether it still counts or not."""
        kept = (self._read().hubs or {}).get(url)
        return Secret(kept.token) if kept is not None and kept.account == account else None

    def keep(self, login: Login) -> None:
        """Have commands talk to this hub from now on."""
        file = self._read()
        kept = _Kept(login.account, login.token.reveal(), login.token_id)
        self._write(_File(login.url, {**(file.hubs or {}), login.url: kept}))

    def forget(self, url: str) -> None:
        """Forget the token; when commands talked to this hub, they work on this machine again."""
        file = self._read()
        others = {each: kept for each, kept in (file.hubs or {}).items() if each != url}
        current = "" if file.current == url else file.current
        self._write(replace(file, current=current, hubs=others))

    def _read(self) -> _File:
        try:
            return from_json(_File, json.loads(self.path.read_text()))
        except FileNotFoundError:
            return _File()
        except OSError as error:
            raise _unusable(self.path, error) from error
        except (ValueError, InputError):  # from nothing: it may have parts of a token
            hint = f"remove {self.path}, then `crossfade login URL`"
            raise InputError("the file of sign-ins cannot be read", hint=hint) from None

    def _write(self, file: _File) -> None:
        hubs = {
            url: {"account": each.account, "token": each.token, "token_id": each.token_id}
            for url, each in (file.hubs or {}).items()
        }
        data = json.dumps({"current": file.current, "hubs": hubs}, indent=2)
        try:
            self.path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_text(self.path, data)
        except OSError as error:
            raise _unusable(self.path, error) from error


def hub_url(text: str) -> str:
    """Return the address of a hub as it is kept.  Raises InputError."""
    url = text.rstrip("/").removesuffix("/api/v1")
    require_private(url)
    return url


def _unusable(path: Path, error: OSError) -> Unavailable:
    return Unavailable(
        f"the file of sign-ins cannot be used: {error.strerror}",
        hint="see that the state folder can be written",
        file=path,
    )
