"""Secrets of the hub, one a file, as Docker, systemd and Kubernetes give them to a process."""

import asyncio
from pathlib import Path

from crossfade.base.errors import Denied, InputError, NotFound, Unavailable
from crossfade.base.files import write_text
from crossfade.base.secrets import Secret, SecretRef
from crossfade.core.access.secret_names import secret_name

_LARGEST_BYTES = 1 << 20


class FileSecrets:
    """`{secret: slack-url}` is the file `slack-url` of the folder; its last line end is dropped."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def holds(self, ref: SecretRef) -> bool:
        """Say whether the reference is to a secret of the hub."""
        return not ref.namespace

    async def resolve(self, ref: SecretRef) -> Secret:
        """Return the secret; see the port for errors."""
        parts = [part for part in (ref.name, ref.key) if part]
        for part in parts or ("",):
            secret_name(part)
        return await asyncio.to_thread(self._read, ref, self._folder.joinpath(*parts))

    async def keep(self, name: str, value: str) -> None:
        """Keep a secret in place of an older one; only its owner may read it."""
        await asyncio.to_thread(self._write, self._folder / name, value)

    def _write(self, path: Path, value: str) -> None:
        try:
            self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            write_text(path, value)
        except OSError as error:
            raise Unavailable(
                f"the secret `{path.name}` cannot be kept: {error.strerror}",
                hint=f"see that {self._folder} can be written and has room",
            ) from error

    def _read(self, ref: SecretRef, path: Path) -> Secret:
        try:
            with path.open("rb") as file:
                value = file.read(_LARGEST_BYTES).decode()
        except (FileNotFoundError, NotADirectoryError, IsADirectoryError) as error:
            raise NotFound(
                f"there is no secret `{ref}`", hint=f"put it into the file {path}"
            ) from error
        except PermissionError as error:
            raise Denied(
                f"the secret `{ref}` cannot be read: permission denied",
                hint=f"let the user that the hub runs as read {path}",
            ) from error
        except UnicodeDecodeError:
            # From nothing: that error has the bytes of the secret.
            raise InputError(
                f"the secret `{ref}` is no text", hint=f"write {path} as UTF-8"
            ) from None
        except OSError as error:
            raise Unavailable(
                f"the secret `{ref}` cannot be read: {error.strerror}",
                hint=f"look at the file {path}",
            ) from error
        value = value.removesuffix("\n").removesuffix("\r")
        if not value:
            raise NotFound(f"the secret `{ref}` is empty", hint=f"put it into the file {path}")
        return Secret(value)
