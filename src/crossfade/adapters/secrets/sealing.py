"""AES-256-GCM with keys of a file, or of a variable where machines share a store."""

import base64
import binascii
import hashlib
import os
import secrets
import tempfile
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from crossfade.base.errors import Denied, InputError, Unavailable
from crossfade.base.secrets import Secret
from crossfade.ports.sealing import Sealed

_KEY_BYTES = 32
_NONCE_BYTES = 12
_KEPT = 2
"""Keys of the file: the newest, and the one before, for who has just read the file."""
_MAKE = "make one with `head -c 32 /dev/urandom | base64`"


class KeyRing:
    """
    The port Sealing.

    Keys are 32 bytes in base64, the one that seals first; all of them open.
    """

    def __init__(self, file: Path, variable: str, given: str) -> None:
        """`given` are the keys of the environment variable, which go before the file; "" : none."""
        self._file, self._variable, self._given = file, variable, given

    def seal(self, name: str, value: Secret, at: float) -> Sealed:
        """Return the value sealed with the newest key; see the port."""
        key = self._or_first(self._keys())[0]
        nonce = secrets.token_bytes(_NONCE_BYTES)
        sealed = AESGCM(key).encrypt(nonce, value.reveal().encode(), _bound(name))
        return Sealed(_id(key), base64.b64encode(nonce + sealed).decode(), at)

    def open(self, name: str, sealed: Sealed) -> Secret:
        """Return the value; see the port."""
        key = next((each for each in self._keys() if _id(each) == sealed.key), None)
        if key is None:
            where = f"the variable {self._variable}" if self._given else str(self._file)
            raise Denied(
                f"the secret `{name}` cannot be opened: its key {sealed.key} is not here",
                hint=f"bring the key back to {where}, or set the secret again",
            )
        try:
            data = base64.b64decode(sealed.text, validate=True)
            plain = AESGCM(key).decrypt(data[:_NONCE_BYTES], data[_NONCE_BYTES:], _bound(name))
            return Secret(plain.decode())
        except (InvalidTag, ValueError):  # from nothing: there may be parts of the value
            raise Denied(
                f"the secret `{name}` was changed in the store", hint="set the secret again"
            ) from None

    def newest(self) -> str:
        """Return the id of the key that seals; see the port."""
        return _id(self._or_first(self._keys())[0])

    def rotate(self) -> str:
        """Have a new key seal from now on; see the port."""
        if self._given:
            raise InputError(
                f"the keys are in the variable {self._variable}",
                hint=f"put a new key before the others there ({_MAKE}), restart, and ask again",
            )
        keys = [secrets.token_bytes(_KEY_BYTES), *self._keys()][:_KEPT]
        self._write(keys)
        return _id(keys[0])

    def _or_first(self, keys: list[bytes]) -> list[bytes]:
        """Return the keys; when there is none, the first one, which is kept from now on."""
        if keys:
            return keys
        try:
            self._file.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
            opened = os.open(self._file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError:  # another process has just made it
            return self._keys()
        except OSError as error:
            raise self._unavailable(error) from error
        made = secrets.token_bytes(_KEY_BYTES)
        with os.fdopen(opened, "wb") as file:
            file.write(_lines([made]))
            file.flush()
            os.fsync(file.fileno())
        return [made]

    def _keys(self) -> list[bytes]:
        if self._given:
            return [
                self._key(text, f"the variable {self._variable}") for text in self._given.split()
            ]
        try:
            if self._file.stat().st_mode & 0o077:
                raise Denied(
                    f"others may read the key file {self._file}",
                    hint=f"chmod 600 {self._file}, and rotate the key: somebody may have read it",
                )
            return [self._key(text, str(self._file)) for text in self._file.read_text().split()]
        except FileNotFoundError:
            return []
        except (OSError, UnicodeDecodeError) as error:
            raise self._unavailable(error) from None

    def _key(self, text: str, where: str) -> bytes:
        try:
            key = base64.b64decode(text, validate=True)
        except binascii.Error:
            key = b""
        if len(key) != _KEY_BYTES:
            raise InputError(f"{where} has what is no key of 32 bytes in base64", hint=_MAKE)
        return key

    def _write(self, keys: list[bytes]) -> None:
        try:
            with tempfile.NamedTemporaryFile(dir=self._file.parent, delete=False) as file:
                file.write(_lines(keys))
                file.flush()
                os.fsync(file.fileno())
            Path(file.name).replace(self._file)  # made with mode 600
        except OSError as error:
            raise self._unavailable(error) from error

    def _unavailable(self, error: Exception) -> Unavailable:
        reason = error.strerror if isinstance(error, OSError) else "it is no text"
        return Unavailable(
            f"the key file cannot be used: {reason}",
            hint="see that the state folder can be written",
            file=self._file,
        )


def _lines(keys: list[bytes]) -> bytes:
    return b"".join(base64.b64encode(each) + b"\n" for each in keys)


def _bound(name: str) -> bytes:
    """Return what is sealed along, so that a text is opened under its own name only."""
    return name.encode()


def _id(key: bytes) -> str:
    """Return what names the key and says nothing of it: a key has 256 random bits."""
    return hashlib.sha256(b"crossfade key id" + key).hexdigest()[:12]
