"""A pipeline file as a whole: whether it is accepted, and the pipelines that it holds."""

from dataclasses import dataclass

from crossfade.adapters.pipelines.reading import parse
from crossfade.core.pipeline.checked import NONE, checked
from crossfade.core.pipeline.document import Pipeline
from crossfade.core.pipeline.findings import Finding, Findings, Verdict
from crossfade.core.pipeline.typed import Definitions
from crossfade.core.pipeline.validate import check_text


@dataclass(frozen=True, slots=True)
class Judged:
    """What checking a file came to."""

    verdict: Verdict
    errors: tuple[Finding, ...]
    warnings: tuple[Finding, ...]
    pipelines: tuple[Pipeline, ...] = ()
    """One for each document; none when the file is refused."""


def judge(text: str, definitions: Definitions = NONE) -> Judged:
    """Return what the text of a pipeline file comes to.  Nothing is raised, whatever it is."""
    trees, unreadable = parse(text)
    if unreadable:
        return Judged(Verdict.YAML_ERROR, unreadable, ())
    found = Findings()
    check_text(text, found)
    pipelines = []
    for tree in trees:
        result = checked(tree, definitions)
        found.errors += result.findings.errors
        found.warnings += result.findings.warnings
        if result.pipeline is not None:
            pipelines.append(result.pipeline)
    errors, warnings = (tuple(sorted(set(each))) for each in (found.errors, found.warnings))
    accepted = tuple(pipelines) if not errors else ()
    return Judged(found.verdict, errors, warnings, accepted)
