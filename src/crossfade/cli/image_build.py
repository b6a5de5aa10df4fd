"""`crossfade image build`"""

import json
import os
import sys
import time
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from crossfade.base.errors import InputError, NotFound
from crossfade.cli.frame import settings_of
from crossfade.cli.image_kept import (
    ExportOption,
    RegistryOption,
    access,
    export,
    kept,
    to_be_named,
)
from crossfade.cli.output import Format, OutputOption, note, show

if TYPE_CHECKING:
    from crossfade.adapters.images.access import Access
    from crossfade.core.image.reference import Reference
    from crossfade.ports.image_builder import BuildOrder, Built

_EPOCH = "SOURCE_DATE_EPOCH"
_LATEST_EPOCH = 253402300799  # the end of the year 9999: later ones are no date
_LARGEST = 1 << 20
_BuilderOption = Annotated[
    str,
    typer.Option(
        help="podman, buildah, docker or built-in; auto: the first of these that works here.  "
        "[default: CROSSFADE_IMAGE_BUILDER, else auto]"
    ),
]
_DefaultOption = Annotated[
    bool,
    typer.Option("--push-default", help="The same, if there is a default registry."),
]
_ContextOption = Annotated[
    list[str] | None,
    typer.Option(help="A known registry that goes before others when bases are fetched."),
]
_PlatformOption = Annotated[
    str, typer.Option(metavar="SYSTEM/ARCHITECTURE", help="Only that of this machine.")
]
_ArgFileOption = Annotated[
    Path | None,
    typer.Option(help="More of them: a JSON object, or NAME=VALUE a line; `-` as above."),
]
_ArgsOption = Annotated[
    list[str] | None,
    typer.Option("--build-arg", metavar="NAME[=VALUE]", help="Value of an ARG; repeatable."),
]
_FileOption = Annotated[
    Path | None,
    typer.Option(
        "--file",
        "-f",
        help="The Dockerfile, if not the one in the context; `-` reads standard input.",
    ),
]
_TagsOption = Annotated[
    list[str] | None,
    typer.Option("--tag", "-t", metavar="NAME[:TAG]", help="A name of the image; repeatable."),
]


def build(  # noqa: PLR0913 - one argument for each option of the command
    context: typer.Context,
    folder: Annotated[Path, typer.Argument(help="The build context: files that COPY may take.")],
    tags: _TagsOption = None,
    file: _FileOption = None,
    build_args: _ArgsOption = None,
    build_arg_file: _ArgFileOption = None,
    target: Annotated[str, typer.Option(help="The stage to build, if not the last one.")] = "",
    platform: _PlatformOption = "",
    builder: _BuilderOption = "",
    no_cache: Annotated[bool, typer.Option("--no-cache", help="Make every layer again.")] = False,
    push: Annotated[bool, typer.Option("--push", help="Bring it to its registry.")] = False,
    push_default: _DefaultOption = False,
    registry: RegistryOption = "",
    registry_context: _ContextOption = None,
    export_file: ExportOption = None,
    output: OutputOption = Format.TEXT,
) -> None:
    """
    Build an image from a Dockerfile.

    Layers of which nothing has changed are taken from earlier builds; the same files make the same
    digest.  Files have the time of SOURCE_DATE_EPOCH, 1970 if it is not set.  Bases that are not
    here are fetched from known registries.
    """
    from crossfade.ports.image_builder import BuildOrder

    names = tuple(map(to_be_named, tags or ()))
    first = ((registry,) if registry else ()) + tuple(registry_context or ())
    registries = access(context, first)
    sent = _to_send(registries, names, registry, push=push, push_default=push_default)
    _check_platform(platform)
    if not folder.is_dir():
        raise InputError("the build context is no folder", hint="name one", folder=str(folder))
    path = file if file is not None and str(file) != "-" else folder / "Dockerfile"
    at = _epoch()
    order = BuildOrder(
        text=_dockerfile(file, path),
        path=path,
        context=folder,
        names=tuple(dict.fromkeys((*names, *sent))),
        arguments=_arguments(build_arg_file, build_args or ()),
        target=target,
        no_cache=no_cache,
        created=time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(at)),
        time=at,
    )
    built = _build(context, order, registries, builder)
    registries.send(built.image, sent, note)
    called = next(iter((*sent, *names)), None)
    export(export_file, called, built.config_digest, built.image.digest)
    data = _built(built, order.names, sent)
    show(data, output, lambda: _said(built, tuple(map(str, order.names))))


def _build(
    context: typer.Context, order: "BuildOrder", registries: "Access", wanted: str
) -> "Built":
    from crossfade.adapters.images.builders import builder

    def fetch(image: "Reference") -> bool:
        return registries.here(image, note) is not None

    images = kept(context)
    name = wanted or settings_of(context).image_builder
    found = builder(name, order, images.store, images.cache, note, fetch)
    return found.build(order)


def _check_platform(platform: str) -> None:
    from crossfade.adapters.images.builder import machine_platform

    own = "/".join(machine_platform())
    if platform not in ("", own):
        hint = f"images for {own} can be built here"
        raise InputError(f"--platform is {platform}", hint=hint)


def _to_send(
    registries: "Access",
    names: "Sequence[Reference]",
    registry: str,
    *,
    push: bool,
    push_default: bool,
) -> "tuple[Reference, ...]":
    """Return the names under which the image goes to registries."""
    from crossfade.core.image.registries import chosen

    if not (push or push_default or registry):
        return ()
    if not names:
        raise InputError("an image without a name cannot be pushed", hint="give it one with --tag")
    to = chosen(registries.known, registry)
    if to is None and not all(each.registry for each in names):
        if push:
            hint = "`crossfade image registry add` makes one known, or begin the name with it"
            raise InputError("no registry is known to push to", hint=hint)
        note("notice: no registry is known, so the image stays on this machine")
        return tuple(each for each in names if each.registry)
    return tuple(each if to is None else to.full(each) for each in names)


def _dockerfile(file: Path | None, path: Path) -> str:
    from crossfade.adapters.documents.files import read_given

    if str(file) != "-" and not path.is_file():
        hint = "name it with --file; a step of a pipeline with `dockerfile`"
        raise NotFound("there is no Dockerfile", hint=hint, file=str(path))
    return read_given(Path("-") if str(file) == "-" else path, _LARGEST)


def _epoch() -> int:
    given = os.environ.get(_EPOCH, "").strip() or "0"
    if not (given.isascii() and given.isdigit() and int(given) <= _LATEST_EPOCH):
        hint = "write the seconds since 1970, as `git log -1 --format=%ct` does"
        raise InputError(f"{_EPOCH} is {given!r}", hint=hint)
    return int(given)


def _arguments(file: Path | None, given: "Sequence[str]") -> dict[str, str]:
    """Return build arguments; a name alone has the value of the environment, if it is there."""
    found = {} if file is None else _arguments_of(file)
    for each in given:
        name, equals, value = each.partition("=")
        if not name:
            raise InputError(f"--build-arg {each!r} has no name", hint="write NAME=VALUE")
        if equals or name in os.environ:
            found[name] = value if equals else os.environ[name]
    return found


def _arguments_of(file: Path) -> dict[str, str]:
    try:
        data = sys.stdin.read(_LARGEST) if str(file) == "-" else file.read_text()
        if data.lstrip().startswith("{"):
            return {str(name): str(value) for name, value in json.loads(data).items()}
    except (OSError, ValueError) as error:
        hint = "write a JSON object of texts, or NAME=VALUE a line"
        raise InputError(
            f"--build-arg-file cannot be read: {error}", hint=hint, file=str(file)
        ) from error
    pairs = (line.partition("=") for line in data.splitlines() if "=" in line)
    return {name.strip(): value for name, _, value in pairs if not name.startswith("#")}


def _built(
    built: "Built", names: "Sequence[Reference]", sent: "Sequence[Reference]"
) -> dict[str, object]:
    return {
        "digest": built.image.digest,
        "imageId": built.config_digest,
        "names": [str(each) for each in names],
        "pushed": [str(each) for each in sent],
        "layers": built.layers,
        "layersMade": built.made,
        "unchanged": built.unchanged,
    }


def _said(built: "Built", names: tuple[str, ...]) -> str:
    called = " ".join(names) or "the image (it has no name: `--tag` gives one)"
    if built.unchanged:
        return f"{called} is unchanged: {built.image.digest}"
    return f"{called} is {built.image.digest} (layers: {built.layers}, made now: {built.made})"
