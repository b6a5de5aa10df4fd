"""Whole images to a registry and from it."""

import json
import re
from collections.abc import Callable
from functools import partial

from crossfade.adapters.images.loading import loaded
from crossfade.adapters.images.registry import INDEXES, Registry
from crossfade.adapters.images.store import ImageStore
from crossfade.base.errors import InputError, NotFound
from crossfade.core.image.documents import MANIFEST, MANIFESTS, Descriptor
from crossfade.core.image.reference import Reference

_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


def push(
    store: ImageStore, image: Descriptor, to: Registry, tag: str, say: Callable[[str], None]
) -> int:
    """
    Bring an image to a registry under a tag, and return how many blobs were sent.

    What the registry has is not sent again; the tag comes last, so that it never means half an
    image.
    """
    kept = loaded(store, image)
    sent = 0
    for blob in dict.fromkeys((*(each.blob.digest for each in kept.layers), kept.config_digest)):
        if to.has(blob):
            continue
        if not store.has(blob):
            raise NotFound("a part of the image is gone", hint="build it again", digest=blob)
        say(f"sending {blob}")
        to.put(blob, store.path(blob))
        sent += 1
    content = store.path(image.digest).read_bytes()
    to.put_manifest(tag, image.media_type, content)
    return sent


def pull(
    store: ImageStore,
    name: Reference,
    registry: Registry,
    platform: tuple[str, str],
    say: Callable[[str], None],
) -> Descriptor:
    """
    Return the image, kept under its name, once all of it is here.

    Of an image for several platforms the one of this machine is taken.
    """
    kind, content = registry.manifest(name.digest or name.tag)
    if kind in INDEXES:
        kind, content = registry.manifest(_of_platform(content, platform, name))
    if kind not in MANIFESTS:
        hint = f"images of the kind {MANIFEST} can be pulled"
        raise InputError(f"{name} is of another kind: {kind or 'not said'}", hint=hint)
    with store.adding():
        for blob in _blobs(content, name):
            if not store.has(blob):
                say(f"fetching {blob}")
                registry.get(blob, partial(store.put, expected=blob))
        found, size = store.put([content])
        image = Descriptor(kind, found, size)
        loaded(store, image)  # so that no name means what cannot be read
        store.name(image, [name])
    return image


def _of_platform(content: bytes, platform: tuple[str, str], name: Reference) -> str:
    try:
        entries = json.loads(content)["manifests"]
        found = {(e["platform"]["os"], e["platform"]["architecture"]): e["digest"] for e in entries}
    except (ValueError, LookupError, TypeError) as error:
        raise _unreadable(name, error) from None
    if platform not in found:
        known = ", ".join(sorted(map("/".join, found)))
        raise NotFound(f"{name} is not there for {'/'.join(platform)}", hint=f"it is for {known}")
    return str(found[platform])


def _blobs(content: bytes, name: Reference) -> tuple[str, ...]:
    try:
        manifest = json.loads(content)
        found = [manifest["config"]["digest"], *(each["digest"] for each in manifest["layers"])]
    except (ValueError, LookupError, TypeError) as error:
        raise _unreadable(name, error) from None
    if not all(isinstance(each, str) and _DIGEST.fullmatch(each) for each in found):
        raise _unreadable(name, ValueError("a digest is none"))
    return tuple(dict.fromkeys(found))


def _unreadable(name: Reference, error: Exception) -> InputError:
    hint = "push it again from where it was built"
    return InputError(f"the manifest of {name} cannot be read: {error}", hint=hint)
