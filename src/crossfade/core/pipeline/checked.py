"""From a tree to a pipeline: everything that is wrong, and what it says if nothing is."""

from dataclasses import dataclass, replace

from crossfade.base.errors import InputError
from crossfade.core.pipeline.build import pipeline_of, with_definitions
from crossfade.core.pipeline.document import Pipeline, Settings
from crossfade.core.pipeline.expand import expanded
from crossfade.core.pipeline.external_resources import KEY as RESOURCES
from crossfade.core.pipeline.external_resources import resources_of
from crossfade.core.pipeline.findings import Findings
from crossfade.core.pipeline.lint import lint
from crossfade.core.pipeline.manifest import (
    declared,
    is_manifest,
    name_of,
    rest_of,
    unwrapped,
    variables_of,
)
from crossfade.core.pipeline.shared_configuration import contexts_of
from crossfade.core.pipeline.shims import SHIMS
from crossfade.core.pipeline.tree import Node
from crossfade.core.pipeline.typed import Definitions, check_typed
from crossfade.core.pipeline.validate import check


@dataclass(frozen=True, slots=True)
class Checked:
    """One document after all checks."""

    findings: Findings
    pipeline: Pipeline | None
    """None when it is refused."""


NONE: Definitions = {}


def _check_known(root: Node, definitions: Definitions, found: Findings) -> None:
    """Warn where well-known steps are used otherwise than they are known; who knows what is new."""
    known = {name: each for name, each in SHIMS.items() if name not in definitions}
    doubts = Findings()
    check_typed(root, known, doubts, exact=False)
    found.warnings += doubts.errors


def checked(root: Node, definitions: Definitions = NONE) -> Checked:
    """Return what a document says, and what is wrong with it."""
    found = Findings()
    body = expanded(unwrapped(root, found), found)
    if not isinstance(body.value, dict):
        body = root
    check(body, found)
    if not found.errors:
        check_typed(body, definitions, found)
        _check_known(body, definitions, found)
    if found.errors:
        return Checked(found, None)
    # What stands elsewhere may use any of them.
    lint(body, found, {} if "specTemplate" in rest_of(root) else declared(root))
    pipeline = with_definitions(pipeline_of(body), definitions)
    if is_manifest(root):
        values, secret = variables_of(root)
        pipeline = replace(
            pipeline, name=name_of(root), variables=values, secrets=secret, spec=rest_of(root)
        )
        _lint_spec(root, pipeline.spec, found)
    return Checked(found, pipeline)


def _lint_spec(root: Node, spec: Settings, found: Findings) -> None:
    """Warn of what builds would be refused for; Codefresh looks at it when it is registered."""
    whole = root["spec"]
    for key, read in ((RESOURCES, resources_of), ("contexts", contexts_of)):
        node = whole[key] if whole is not None else None
        if node is None:
            continue
        try:
            read(spec)
        except InputError as error:
            place = f"spec.{key}"
            found.warning(node.at, place, str(error).removeprefix(place).lstrip())
