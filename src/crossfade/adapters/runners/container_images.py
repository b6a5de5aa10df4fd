"""Images that containers run from: those that are kept here, of known registries, or pulled."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from crossfade.adapters.images.engine import Engine
from crossfade.adapters.images.lending import lend
from crossfade.adapters.images.loading import loaded
from crossfade.adapters.runners.in_image import ImagePlace
from crossfade.base.errors import NotFound
from crossfade.core.image.bases import HOST, HOST_LABEL
from crossfade.core.image.documents import ImageConfig, read_config
from crossfade.core.image.reference import Reference, reference

_HUB = "docker.io"


@dataclass(frozen=True, slots=True)
class Ready:
    """An image that an engine has."""

    id: str
    config: ImageConfig
    on_host: bool = False
    """Only this machine's own files make it whole, which no container has."""


def ready(
    engine: Engine,
    where: ImagePlace,
    image: str,
    contexts: Sequence[str],
    say: Callable[[str], None],
) -> Ready:
    """
    Return an image of this name, fetched if need be: what is kept here goes before all else.

    Raises NotFound when it is nowhere, InputError for a name that is none, Unavailable.
    """
    wanted = reference(image)
    access = where.access(contexts)
    kept = access.here(wanted, say)
    if kept is None:
        return _of_engine(engine, wanted, say)
    found = loaded(access.store, kept)
    if found.config.labels.get(HOST_LABEL) == HOST:
        return Ready("", found.config, on_host=True)
    if engine.tried("image", "inspect", found.config_digest)[0]:
        name = f"crossfade-run:{found.config_digest.removeprefix('sha256:')[:12]}"
        with access.store.adding(), access.store.working() as working:
            lend(engine, access.store, found, name, working / "image")
    return Ready(found.config_digest, found.config)


def _of_engine(engine: Engine, wanted: Reference, say: Callable[[str], None]) -> Ready:
    code, text = engine.tried("image", "inspect", str(wanted))
    if code:
        name = _whole(wanted)
        say(f"{engine.name} pulls {name}")
        if engine.tell(["pull", "--quiet", name], say):
            raise NotFound(
                f"the image {wanted} is neither here nor to be had",
                hint="`crossfade image pull` or `image registry add` bring it with credentials, "
                f"`{engine.name} login` gives {engine.name} some",
            )
        code, text = engine.tried("image", "inspect", name)
    document = json.loads(text)[0] if not code else {}
    return Ready(str(document.get("Id", wanted)), read_config({"config": document.get("Config")}))


def _whole(wanted: Reference) -> str:
    """Return the name with the registry that is meant when none is given."""
    if wanted.registry:
        return str(wanted)
    return f"{_HUB}/{wanted}" if "/" in wanted.repository else f"{_HUB}/library/{wanted}"
