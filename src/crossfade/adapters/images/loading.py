"""Images of the store, read back: configuration and layers."""

from dataclasses import dataclass

from crossfade.adapters.images.store import ImageStore
from crossfade.base.errors import InputError
from crossfade.core.image.documents import (
    LAYER,
    MANIFEST,
    Descriptor,
    ImageConfig,
    Layer,
    read_config,
)
from crossfade.core.image.reference import Reference


@dataclass(frozen=True, slots=True)
class Loaded:
    """An image as it is kept."""

    image: Descriptor
    config: ImageConfig
    layers: tuple[Layer, ...]
    config_digest: str


def load(store: ImageStore, wanted: Reference) -> Loaded | None:
    """
    Return an image of the store, None when it is not there.

    Raises NotFound or Unavailable when a part of it is gone or damaged, InputError when it is of
    a kind that is not known.
    """
    image = store.find(wanted)
    return None if image is None else loaded(store, image)


def loaded(store: ImageStore, image: Descriptor) -> Loaded:
    """Return the image of a manifest; raises as `load`."""
    manifest = store.document(image.digest)
    try:
        config_digest = str(manifest["config"]["digest"])
        document = store.document(config_digest)
        blobs = [
            Descriptor(str(each.get("mediaType", LAYER)), str(each["digest"]), int(each["size"]))
            for each in manifest["layers"]
        ]
        diffs = [str(each) for each in document["rootfs"]["diff_ids"]]
        made = [each for each in document.get("history") or () if not each.get("empty_layer")]
        said = [str(each.get("created_by", "")) for each in made]
        said += [""] * (len(blobs) - len(said))
        said = said[: len(blobs)]
        layers = tuple(Layer(*each) for each in zip(blobs, diffs, said, strict=True))
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        hint = f"images of the kind {MANIFEST} can be used; build or pull it again"
        raise InputError(
            f"the image cannot be read: {error}", hint=hint, digest=image.digest
        ) from None
    return Loaded(image, read_config(document), layers, config_digest)
