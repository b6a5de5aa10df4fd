"""What commands of images share: where images are kept, and which registries are known."""

import os
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError, NotFound
from crossfade.cli.frame import settings_of

if TYPE_CHECKING:
    from crossfade.adapters.images.access import Access
    from crossfade.adapters.images.cache import LayerCache
    from crossfade.adapters.images.credentials import Credentials
    from crossfade.adapters.images.store import ImageStore
    from crossfade.core.image.reference import Reference

UsernameOption = Annotated[str, typer.Option(help="User of the registry.")]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
RegistryOption = Annotated[
    str, typer.Option(help="A known registry, for names that do not begin with one.")
]
ExportOption = Annotated[
    Path | None,
    typer.Option(help="Append IMAGE=, IMAGE_ID=, IMAGE_DIGEST= and IMAGE_REPO_DIGEST= to it."),
]
_LONGEST_PASSWORD = 1 << 16


@dataclass(frozen=True, slots=True)
class Kept:
    """Where images are."""

    store: "ImageStore"
    cache: "LayerCache"


def kept(context: typer.Context) -> Kept:
    """Return the images of this machine."""
    from crossfade.adapters.images.cache import LayerCache
    from crossfade.adapters.images.store import ImageStore

    folder = settings_of(context).images_dir
    store = ImageStore(folder)
    return Kept(store, LayerCache(store, folder / "cache"))


def access(
    context: typer.Context,
    first: tuple[str, ...] = (),
    credentials: "Credentials | None" = None,
) -> "Access":
    """Return the known registries; those named `first` go before others at their address."""
    from crossfade.adapters.images.access import Access
    from crossfade.adapters.images.registry_file import RegistryFile
    from crossfade.adapters.secrets.environment import EnvironmentSecrets
    from crossfade.adapters.secrets.files import FileSecrets
    from crossfade.adapters.secrets.places import SecretPlaces
    from crossfade.adapters.secrets.stored import StoredSecrets
    from crossfade.core.image.registries import chosen
    from crossfade.settings import SEALING_KEY, SECRET

    settings = settings_of(context)
    known = RegistryFile(settings.registries_file).read()
    for name in first:
        chosen(known, name)  # or it says that it is not known
    places = SecretPlaces(
        EnvironmentSecrets(os.environ, SECRET.name),
        FileSecrets(settings.secrets_dir),
        StoredSecrets(settings.database_url, settings.sealing_key_file, SEALING_KEY.name),
    )
    return Access(kept(context).store, known, places, first, credentials)


def password_of(user: str, *, password_stdin: bool) -> "Credentials | None":
    """Return who is to be asked for, None when nobody is named."""
    from crossfade.adapters.images.credentials import Credentials

    if bool(user) != password_stdin:
        raise InputError(
            "--username and --password-stdin go together",
            hint="write: crossfade image push NAME --username USER --password-stdin <FILE",
        )
    if not user:
        return None
    return Credentials(user, sys.stdin.readline(_LONGEST_PASSWORD).rstrip("\r\n"))


def to_be_named(text: str) -> "Reference":
    """Return a name that an image can be given."""
    from crossfade.core.image.reference import reference

    found = reference(text)
    if found.digest:
        hint = "an image is called name:tag; its digest is what it is made of"
        raise InputError(f"a name cannot have a digest: {text}", hint=hint)
    return found


def not_here(store: "ImageStore", image: str) -> NotFound:
    """Return the error that says which images there are."""
    known = ", ".join(sorted(store.images())[:10])
    hint = f"images are {known}" if known else "there are none; `crossfade image build` makes one"
    return NotFound(f"there is no image {image}", hint=hint)


def export(file: Path | None, image: "Reference | None", image_id: str, digest: str) -> None:
    """Append what later steps of a pipeline may ask for, as `cf_export` would."""
    if file is None:
        return
    lines = {"IMAGE": image or "", "IMAGE_ID": image_id, "IMAGE_DIGEST": digest}
    if image is not None:
        lines["IMAGE_REPO_DIGEST"] = f"{image.name}@{digest}"
    try:
        with file.open("a") as opened:
            opened.write("".join(f"{name}={value}\n" for name, value in lines.items()))
    except OSError as error:
        raise InputError(
            f"--export-file cannot be written: {error.strerror or error}",
            hint="name a file in a folder that is there",
            file=str(file),
        ) from error
