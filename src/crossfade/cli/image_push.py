"""`crossfade image push`, `push-tag` and `pull`"""

from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError
from crossfade.cli.image_kept import (
    ExportOption,
    PasswordOption,
    RegistryOption,
    UsernameOption,
    access,
    export,
    not_here,
    password_of,
    to_be_named,
)
from crossfade.cli.output import Format, OutputOption, note, show

if TYPE_CHECKING:
    from crossfade.adapters.images.access import Access
    from crossfade.core.image.documents import Descriptor
    from crossfade.core.image.reference import Reference


def push(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    image: Annotated[str, typer.Argument(help="An image that is kept, as registry/name:tag.")],
    names: Annotated[
        list[str] | None,
        typer.Option("--as", metavar="NAME[:TAG]", help="Another name for it there; repeatable."),
    ] = None,
    registry: RegistryOption = "",
    username: UsernameOption = "",
    password_stdin: PasswordOption = False,
    export_file: ExportOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Bring an image to its registry; what is there already is not sent again.

    Credentials are those of the known registry, else of `docker login`, unless --username is given.
    """
    from crossfade.adapters.images.loading import loaded
    from crossfade.core.image.registries import chosen

    own = password_of(username, password_stdin=password_stdin)
    registries = access(context, (registry,) if _is_name(context, registry) else (), own)
    to = chosen(registries.known, registry) if _is_name(context, registry) else None
    wanted = [to_be_named(each) for each in names or (image,)]
    targets = [_placed(each if to is None else to.full(each), registry) for each in wanted]
    found = _found(registries, image, fetch=bool(names))
    sent = registries.send(found, targets, note)
    registries.store.name(found, targets)
    export(export_file, targets[0], loaded(registries.store, found).config_digest, found.digest)
    called = str(targets[0])
    data = {
        "name": called,
        "names": [str(each) for each in targets],
        "digest": found.digest,
        "blobsSent": sent,
    }
    show(data, output, lambda: f"{called} is {found.digest} (sent: {sent})")


def _is_name(context: typer.Context, registry: str) -> bool:
    """Return whether a known registry is meant: of "" the default one, or it is an address."""
    known = access(context).known
    if any(registry in (each.name, each.address) for each in known) or not registry:
        return True
    return not ("." in registry or ":" in registry or registry == "localhost")


def _placed(image: "Reference", registry: str) -> "Reference":
    from dataclasses import replace

    if image.registry:
        return image
    if registry:
        return replace(image, registry=registry)
    hint = (
        f"write registry.example.com/{image}, or make a registry known with "
        "`crossfade image registry add`"
    )
    raise InputError(f"{image} names no registry", hint=hint)


def _found(registries: "Access", image: str, *, fetch: bool) -> "Descriptor":
    """Return the image; one that gets another name may still be in a registry."""
    from crossfade.core.image.reference import reference

    wanted = reference(image)
    found = registries.store.find(wanted)
    if found is None and fetch and wanted.registry:
        note(f"{image} is not here: it is fetched")
        return registries.fetch(wanted, note)
    if found is None:
        raise not_here(registries.store, image)
    return found


def push_tag(
    context: typer.Context,
    image: Annotated[str, typer.Argument(help="An image in a registry, as registry/name:tag.")],
    tags: Annotated[list[str], typer.Argument(help="Tags that it is to have there too.")],
    registry: RegistryOption = "",
    output: OutputOption = Format.TEXT,
) -> None:
    """Give an image in a registry more tags; nothing of it is fetched or sent."""
    from dataclasses import replace

    from crossfade.core.image.reference import reference
    from crossfade.core.image.registries import chosen

    registries = access(context, (registry,) if registry else ())
    to, given = chosen(registries.known, registry), reference(image)
    wanted = _placed(given if to is None else to.full(given), "")
    for tag in tags:
        reference(f"{wanted.name}:{tag}")  # or it says what is wrong with it
    found = registries.tag(wanted, tags)
    called = [str(replace(wanted, tag=tag, digest="")) for tag in tags]
    data = {"names": called, "digest": found.digest}
    show(data, output, lambda: f"{' '.join(called)} is {found.digest}")


def pull(
    context: typer.Context,
    image: Annotated[str, typer.Argument(help="As registry/name:tag or registry/name@sha256:...")],
    username: UsernameOption = "",
    password_stdin: PasswordOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Fetch an image from its registry, each part compared with its digest.

    Credentials are those of the known registry, else of `docker login`, unless --username is given.
    """
    from crossfade.core.image.reference import reference

    name = _placed(reference(image), "")
    own = password_of(username, password_stdin=password_stdin)
    found = access(context, credentials=own).fetch(name, note)
    data = {"name": str(name), "digest": found.digest}
    show(data, output, lambda: f"{name} is {found.digest}")
