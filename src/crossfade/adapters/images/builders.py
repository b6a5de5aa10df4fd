"""Which builder makes an image."""

from collections.abc import Callable

from crossfade.adapters.images.builder import BUILT_IN, BuiltInBuilder
from crossfade.adapters.images.cache import LayerCache
from crossfade.adapters.images.engine import AUTO
from crossfade.adapters.images.engines import (
    ENGINES,
    EngineBuilder,
    needs_host,
    why_no_builder,
    working_engine,
)
from crossfade.adapters.images.store import ImageStore
from crossfade.base.errors import InputError, Unavailable
from crossfade.core.image.reference import Reference
from crossfade.ports.image_builder import BuildOrder, ImageBuilder

BUILDERS = (AUTO, BUILT_IN, *ENGINES)


def builder(
    wanted: str,
    order: BuildOrder,
    store: ImageStore,
    cache: LayerCache,
    say: Callable[[str], None],
    fetch: Callable[[Reference], bool],
) -> ImageBuilder:
    """
    Return the builder for an order: with `auto` an engine that works here, else the built-in one.

    Raises InputError for an unknown name, Unavailable for an engine that does not work.
    """
    if wanted not in BUILDERS:
        raise InputError(f"there is no builder {wanted}", hint=f"allowed: {', '.join(BUILDERS)}")
    engine = wanted
    if wanted == AUTO:
        engine = "" if needs_host(store, order) else working_engine()
    if engine in ("", BUILT_IN):
        return BuiltInBuilder(store, cache, say, fetch)
    if why := why_no_builder(engine):
        raise Unavailable(
            f"{engine} cannot build here: {why}",
            hint=f"mend that, or take --builder {BUILT_IN}, which needs no engine",
        )
    return EngineBuilder(engine, store, say, fetch)
