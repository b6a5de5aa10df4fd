"""What a composition says: services, and candidates that may be in the place of a step."""

import os
from collections.abc import Mapping
from pathlib import Path

from crossfade.adapters.pipelines.reading import parse
from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.core.pipeline.compose import ordered, read_service, read_services
from crossfade.core.pipeline.composition import Composition, Service
from crossfade.core.pipeline.tree import plain
from crossfade.core.pipeline.variables import substituted, substituted_tree
from crossfade.core.pipeline.work import VOLUME


def read_composition(
    composition: Composition, given: Mapping[str, str], directory: str, volume: Path
) -> tuple[tuple[Service, ...], tuple[Service, ...]]:
    """
    Return services in the order of their start, and candidates.  Raises InputError.

    Args:
        composition: its document may be the path of a file in the workspace.
        given: variables of the step.
        directory: where relative paths begin, as the step sees it.
        volume: the workspace on this machine.
    """
    answers = {**given, **composition.variables}
    document, folder = _document(composition.document, answers, directory, volume)
    services = read_services(document, folder)
    candidates = substituted_tree(composition.candidates, answers.get)
    listed = candidates.items() if isinstance(candidates, dict) else ()
    own = {name: each if isinstance(each, dict) else {} for name, each in listed}
    found = tuple(
        read_service(name, _merged(document, name, each), folder) for name, each in own.items()
    )
    kept = tuple(each for each in services if each.name not in own)
    ordered([*kept, *found])  # or it says who is missing
    return kept, found


def _document(
    written: Json, answers: Mapping[str, str], directory: str, volume: Path
) -> tuple[Json, str]:
    """Return the composition, and the folder where its paths begin."""
    if not isinstance(written, str):
        return substituted_tree(written, answers.get), directory
    if "\n" in written:
        return _yaml(substituted(written, answers.get), "the composition"), directory
    path = os.path.normpath(os.path.join(directory, written))
    below = volume / path.removeprefix(VOLUME).lstrip("/")
    inside = below.resolve().is_relative_to(volume.resolve())  # or a link leads anywhere
    if not path.startswith(f"{VOLUME}/") or not inside or not below.is_file():
        hint = "give the path of a file in the workspace, or the composition itself"
        raise InputError(f"there is no composition {written}", hint=hint)
    text = below.read_text(errors="replace")
    return _yaml(substituted(text, answers.get), written), os.path.dirname(path)


def _yaml(text: str, name: str) -> Json:
    trees, unreadable = parse(text)
    for each in unreadable:
        where = f"{name}:{each.at.line}:{each.at.column}"
        raise InputError(f"{where}: {each.message}", hint="mend the composition")
    return plain(trees[0])


def _merged(document: Json, name: str, own: Json) -> Json:
    """Return a candidate on top of the service of its name, if there is one."""
    services = document.get("services", document) if isinstance(document, dict) else {}
    below = services.get(name) if isinstance(services, dict) else None
    base = below if isinstance(below, dict) else {}
    return {**base, **own} if isinstance(own, dict) else base
