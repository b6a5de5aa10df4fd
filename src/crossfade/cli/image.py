"""`crossfade image`: images that are built and kept on this machine, and registries."""

from typing import Annotated

import typer

from crossfade.cli import image_build, image_push, image_registry
from crossfade.cli.frame import noun
from crossfade.cli.image_kept import kept, not_here, to_be_named
from crossfade.cli.output import Format, OutputOption, note, show, table

app = noun("Build images, keep them on this machine, push and pull them.")
app.command()(image_build.build)
_SHORT = 19


@app.command(name="list")
def list_(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """List the images that are kept, by name."""
    from crossfade.adapters.images.loading import loaded

    store = kept(context).store
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

    store = kept(context).store
    found = store.find(reference(image))
    if found is None:
        raise not_here(store, image)
    store.name(found, [to_be_named(each) for each in names])
    note(f"{found.digest} is now also {' '.join(map(str, map(to_be_named, names)))}")


@app.command(name="rm")
def remove(
    context: typer.Context,
    names: Annotated[list[str], typer.Argument(help="Names to take away.")],
) -> None:
    """Take names away; files that no image needs any more go with `crossfade image prune`."""
    store = kept(context).store
    wanted = [to_be_named(each) for each in names]
    for each in wanted:
        if store.find(each) is None:
            raise not_here(store, str(each))
    for each in wanted:
        store.remove(each)
        note(f"{each} is gone")


@app.command()
def prune(context: typer.Context, output: OutputOption = Format.TEXT) -> None:
    """Remove the files that no image with a name needs, layers for later builds among them."""
    from crossfade.adapters.images.roots import Roots

    images = kept(context)
    found = images.store.prune()
    images.cache.forget_pruned()
    Roots(images.store, images.store.roots).forget_pruned()
    data = {"files": found.blobs, "bytes": found.size}
    show(data, output, lambda: f"removed {found.blobs} files, {_size(found.size)}")


app.command()(image_push.push)
app.command(name="push-tag")(image_push.push_tag)
app.command()(image_push.pull)
app.add_typer(image_registry.app, name="registry")
