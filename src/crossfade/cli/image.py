"""`crossfade image`: images that are built and kept on this machine, and registries."""

import os
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError, NotFound
from crossfade.cli.frame import noun, settings_of
from crossfade.cli.output import Format, OutputOption, note, show, table

if TYPE_CHECKING:
    from crossfade.adapters.images.builder import Built
    from crossfade.adapters.images.cache import LayerCache
    from crossfade.adapters.images.credentials import Credentials
    from crossfade.adapters.images.store import ImageStore
    from crossfade.core.image.reference import Reference

app = noun("Build images, keep them on this machine, push and pull them.")

UsernameOption = Annotated[str, typer.Option(help="User of the registry.")]
PasswordOption = Annotated[
    bool, typer.Option("--password-stdin", help="Read the password from standard input.")
]
_LONGEST_PASSWORD = 1 << 16
_EPOCH = "SOURCE_DATE_EPOCH"
_LATEST_EPOCH = 253402300799  # the end of the year 9999: later ones are no date
_SHORT = 19


@dataclass(frozen=True, slots=True)
class _Kept:
    """Where images are."""

    store: "ImageStore"
    cache: "LayerCache"


def _kept(context: typer.Context) -> _Kept:
    from crossfade.adapters.images.cache import LayerCache
    from crossfade.adapters.images.store import ImageStore

    folder = settings_of(context).images_dir
    store = ImageStore(folder)
    return _Kept(store, LayerCache(store, folder / "cache"))


@app.command()
def build(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The build context: files that COPY may take.")],
    tags: Annotated[
        list[str] | None,
        typer.Option("--tag", "-t", metavar="NAME[:TAG]", help="A name of the image; repeatable."),
    ] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", "-f", help="The Dockerfile, if not the one in the context."),
    ] = None,
    build_args: Annotated[
        list[str] | None,
        typer.Option("--build-arg", metavar="NAME[=VALUE]", help="Value of an ARG; repeatable."),
    ] = None,
    target: Annotated[str, typer.Option(help="The stage to build, if not the last one.")] = "",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Make every layer again.")] = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Build an image from a Dockerfile.

    Layers of which nothing has changed are taken from earlier builds; the same files make the same
    digest.  Files have the time of SOURCE_DATE_EPOCH, 1970 if it is not set.
    """
    from crossfade.adapters.documents.files import read_text
    from crossfade.adapters.images.builder import Builder, BuildOrder
    from crossfade.core.image.dockerfile import parse
    from crossfade.core.image.reference import reference

    names = tuple(_to_be_named(each) for each in tags or ())
    if not folder.is_dir():
        raise InputError("the build context is no folder", hint="name one", folder=str(folder))
    path = file if file is not None else folder / "Dockerfile"
    if not path.is_file():
        raise NotFound("there is no Dockerfile", hint="name it with --file", file=str(path))
    at = _epoch()
    order = BuildOrder(
        file=parse(read_text(path, 1 << 20), str(path)),
        path=path,
        context=folder,
        names=tuple(map(reference, names)),
        arguments=_arguments(build_args or ()),
        target=target,
        no_cache=no_cache,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
        time=at,
    )
    kept = _kept(context)
    built = Builder(kept.store, kept.cache, order, note).build()
    show(_built(built, names), output, lambda: _said(built, names))


def _to_be_named(text: str) -> str:
    from crossfade.core.image.reference import reference

    found = reference(text)
    if found.digest:
        hint = "an image is called name:tag; its digest is what it is made of"
        raise InputError(f"a name cannot have a digest: {text}", hint=hint)
    return str(found)


def _epoch() -> int:
    given = os.environ.get(_EPOCH, "").strip() or "0"
    if not (given.isascii() and given.isdigit() and int(given) <= _LATEST_EPOCH):
        hint = "write the seconds since 1970, as `git log -1 --format=%ct` does"
        raise InputError(f"{_EPOCH} is {given!r}", hint=hint)
    return int(given)


def _arguments(given: "list[str] | tuple[str, ...]") -> dict[str, str]:
    """Return build arguments; a name alone has the value of the environment, if it is there."""
    found = {}
    for each in given:
        name, equals, value = each.partition("=")
        if not name:
            raise InputError(f"--build-arg {each!r} has no name", hint="write NAME=VALUE")
        if equals or name in os.environ:
            found[name] = value if equals else os.environ[name]
    return found


def _built(built: "Built", names: tuple[str, ...]) -> dict[str, object]:
    return {
        "digest": built.image.digest,
        "imageId": built.config_digest,
        "names": list(names),
        "layers": built.layers,
        "layersMade": built.made,
        "unchanged": built.unchanged,
    }


def _said(built: "Built", names: tuple[str, ...]) -> str:
    called = " ".join(names) or "the image (it has no name: `--tag` gives one)"
    if built.unchanged:
        return f"{called} is unchanged: {built.image.digest}"
    return f"{called} is {built.image.digest} (layers: {built.layers}, made now: {built.made})"


@app.command(name="list")
def list_(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the images that are kept, by name."""
    from crossfade.adapters.images.loading import loaded

    store = _kept(context).store
    rows = []
    for name, image in sorted(store.images().items()):
        found = loaded(store, image)
        size = sum(each.blob.size for each in found.layers)
        rows.append({"name": name, "digest": image.digest, "size": size})
    if not rows and output is Format.TEXT:
        note("there are no images; `crossfade image build` makes one")
        return
    columns = ("NAME", "DIGEST", "SIZE")
    cells = [(each["name"], str(each["digest"])[:_SHORT], _size(each["size"])) for each in rows]
    show(rows, output, lambda: table(columns, cells))


def _size(count: object) -> str:
    value = float(str(count))
    for unit in ("B", "kB", "MB"):
        if value < 1000:
            return f"{value:.3g} {unit}"
        value /= 1000
    return f"{value:.3g} GB"


@app.command()
def tag(
    context: typer.Context,
    image: Annotated[str, typer.Argument(help="Name or name@digest of an image that is kept.")],
    names: Annotated[list[str], typer.Argument(help="Names that it is to have too.")],
) -> None:
    """Give an image more names; other images lose them."""
    from crossfade.core.image.reference import reference

    store = _kept(context).store
    found = store.find(reference(image))
    if found is None:
        raise _not_here(store, image)
    store.name(found, [reference(_to_be_named(each)) for each in names])
    note(f"{found.digest} is now also {' '.join(map(_to_be_named, names))}")


@app.command(name="rm")
def remove(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Names to take away.")],
) -> None:
    """Take names away; files that no image needs any more go with `crossfade image prune`."""
    from crossfade.core.image.reference import reference

    store = _kept(context).store
    wanted = [reference(_to_be_named(each)) for each in names]
    for each in wanted:
        if store.find(each) is None:
            raise _not_here(store, str(each))
    for each in wanted:
        store.remove(each)
        note(f"{each} is gone")


@app.command()
def prune(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """Remove the files that no image with a name needs, layers for later builds among them."""
    kept = _kept(context)
    found = kept.store.prune()
    kept.cache.forget_pruned()
    data = {"files": found.blobs, "bytes": found.size}
    show(data, output, lambda: f"removed {found.blobs} files, {_size(found.size)}")


@app.command()
def push(
    context: typer.Context,
    image: Annotated[str, typer.Argument(help="An image that is kept, as registry/name:tag.")],
    username: UsernameOption = "",
    password_stdin: PasswordOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Bring an image to its registry; what is there already is not sent again.

    Credentials are those of `docker login`, unless --username is given.
    """
    from crossfade.adapters.images import transfer
    from crossfade.adapters.images.registry import Registry

    name = _with_registry(_to_be_named(image))
    store = _kept(context).store
    found = store.find(name)
    if found is None:
        raise _not_here(store, str(name))
    with Registry(name, _credentials(name, username, password_stdin=password_stdin)) as registry:
        sent = transfer.push(store, found, registry, name.tag, note)
    data = {"name": str(name), "digest": found.digest, "blobsSent": sent}
    show(data, output, lambda: f"{name} is {found.digest} (sent: {sent})")


@app.command()
def pull(
    context: typer.Context,
    image: Annotated[str, typer.Argument(help="As registry/name:tag or registry/name@sha256:...")],
    username: UsernameOption = "",
    password_stdin: PasswordOption = False,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Fetch an image from its registry, each part compared with its digest.

    Credentials are those of `docker login`, unless --username is given.
    """
    from crossfade.adapters.images import transfer
    from crossfade.adapters.images.builder import machine_platform
    from crossfade.adapters.images.registry import Registry

    name = _with_registry(image)
    store = _kept(context).store
    with Registry(name, _credentials(name, username, password_stdin=password_stdin)) as registry:
        found = transfer.pull(store, name, registry, machine_platform(), note)
    data = {"name": str(name), "digest": found.digest}
    show(data, output, lambda: f"{name} is {found.digest}")


def _with_registry(image: str) -> "Reference":
    from crossfade.core.image.reference import reference

    found = reference(image)
    if not found.registry:
        hint = f"write registry.example.com/{found}; `crossfade image tag` gives such a name"
        raise InputError(f"{image} names no registry", hint=hint)
    return found


def _credentials(name: "Reference", user: str, *, password_stdin: bool) -> "Credentials | None":
    from crossfade.adapters.images.credentials import Credentials, docker_credentials

    if bool(user) != password_stdin:
        raise InputError(
            "--username and --password-stdin go together",
            hint="write: crossfade image push NAME --username USER --password-stdin <FILE",
        )
    if user:
        return Credentials(user, sys.stdin.readline(_LONGEST_PASSWORD).rstrip("\r\n"))
    return docker_credentials(name)


def _not_here(store: "ImageStore", image: str) -> NotFound:
    known = ", ".join(sorted(store.images())[:10])
    hint = f"images are {known}" if known else "there are none; `crossfade image build` makes one"
    return NotFound(f"there is no image {image}", hint=hint)
