"""The one pipeline of a text, laid out for planning."""

from dataclasses import dataclass

from crossfade.adapters.pipelines.definitions import read_definitions
from crossfade.adapters.pipelines.judging import judge
from crossfade.base.errors import InputError
from crossfade.core.pipeline.choosing import chosen
from crossfade.core.pipeline.document import MAIN_CLONE, Pipeline, with_main_clone
from crossfade.core.pipeline.external_resources import with_resources
from crossfade.core.pipeline.graph import Graph, graph_of
from crossfade.core.pipeline.template import combined, template_of
from crossfade.core.pipeline.typed import Definitions


@dataclass(frozen=True, slots=True)
class Choice:
    """What a build is made of beside the text of its pipeline."""

    template: str = ""
    """The text with the steps, when they stand elsewhere; "" while it is not known."""
    only: tuple[str, ...] = ()
    skip: tuple[str, ...] = ()
    """Names of steps; see `chosen`."""
    repository: str = ""
    """The one that the build is about, as `owner/name`; "" while it is not known."""


ALL = Choice()


def read_graph(
    text: str, definitions: str, name: str, *, with_clone: bool, choice: Choice = ALL
) -> Graph:
    """
    Return what the text says.

    Args:
        text: of the file.
        definitions: folder or address of typed steps, "" for none.
        name: what errors call the file.
        with_clone: whether a trigger's clone comes first.
        choice: which steps are meant, and where they stand.

    Raises InputError when it is no one pipeline, and what reading definitions raises.
    """
    known = read_definitions(definitions) if definitions else {}
    pipeline = _pipeline(text, known, name)
    where = template_of(pipeline.spec)
    if choice.template:
        pipeline = combined(pipeline, _pipeline(choice.template, known, str(where or "the steps")))
    pipeline = chosen(pipeline, choice.only, choice.skip)
    clones = with_clone and MAIN_CLONE not in choice.skip
    pipeline = with_main_clone(pipeline, choice.repository) if clones else pipeline
    return graph_of(with_resources(pipeline))


def _pipeline(text: str, definitions: Definitions, name: str) -> Pipeline:
    judged = judge(text, definitions)
    if len(judged.pipelines) != 1:
        first = judged.errors[0] if judged.errors else None
        place = f":{first.at.line}:{first.at.column}: " if first else ""
        if first:
            place += f"{first.path}: {first.message}" if first.path else first.message
        raise InputError(
            f"{name}{place}" if first else f"{name} holds {len(judged.pipelines)} pipelines",
            hint="`crossfade pipeline validate FILE` shows everything" if first else "give one",
        )
    return judged.pipelines[0]
