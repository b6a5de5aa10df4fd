"""The form of a pipeline with `kind: pipeline`: what surrounds the steps."""

from collections.abc import Mapping

from crossfade.base.words import did_you_mean, shown
from crossfade.core.pipeline.common_shapes import ROOT
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.findings import Findings, under
from crossfade.core.pipeline.tree import Entry, Mark, Node, plain

SPEC_KEYS = (
    "variables",
    "contexts",
    "triggers",
    "cronTriggers",
    "runtimeEnvironment",
    "terminationPolicy",
    "concurrency",
    "triggerConcurrency",
    "branchConcurrency",
    "externalResources",
    "options",
    "clustersInfo",
    "debug",
    "priority",
    "specTemplate",
    "packId",
    "requiredAvailableStorage",
    "permitRestartFromFailedSteps",
    "enableNotifications",
)
_TOP_KEYS = ("version", "kind", "metadata", "spec")


def is_manifest(root: Node) -> bool:
    """Return whether the document is of this form."""
    kind, spec = root["kind"], root["spec"]
    return kind is not None and kind.text == "pipeline" and spec is not None


def unwrapped(root: Node, found: Findings) -> Node:
    """Return the pipeline itself as a document of the other form."""
    spec = root["spec"]
    if spec is None or not is_manifest(root):
        return root
    if not isinstance(spec.value, Mapping):
        found.error(spec.at, "spec", "is no mapping; allowed: a mapping with `steps`")
        return root.changed(kind=None, metadata=None, spec=None)
    for key, entry in root.entries.items():
        if key not in _TOP_KEYS:
            near = did_you_mean(key, _TOP_KEYS)
            found.warning(entry.at, key, f"unknown key {shown(key)}{near}")
    entries: dict[str, Entry] = {}
    for key, entry in spec.entries.items():
        if key in ROOT.fields:
            entries[key] = entry
        elif key not in SPEC_KEYS:
            near = did_you_mean(key, (*ROOT.fields, *SPEC_KEYS))
            found.warning(entry.at, under("spec", key), f"unknown key {shown(key)}{near}")
    if spec["specTemplate"] is not None:  # the steps stand elsewhere
        entries.setdefault("steps", Entry(spec.at, Node({}, spec.at)))
    version = root.entries.get("version")
    entries.setdefault("version", version or Entry(root.at, Node("1.0", root.at)))
    return Node(entries, spec.at)


def name_of(root: Node) -> str:
    """Return `project/pipeline`, "" when the document gives no name."""
    metadata = root["metadata"]
    name = metadata["name"] if metadata is not None else None
    return name.text or "" if name is not None else ""


def declared(root: Node) -> dict[str, Mark]:
    """Return the variables that the document sets, with their places."""
    return {name: item.at for name, item in _variables(root).items()}


def variables_of(root: Node) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return the variables that the document sets, and the names of those not to be shown."""
    values: dict[str, str] = {}
    secret: list[str] = []
    for name, item in _variables(root).items():
        value, hidden = item["value"], item["encrypted"]
        given = plain(value) if value is not None else ""
        values[name] = given if isinstance(given, str) else _spelled(given)
        if hidden is not None and hidden.truth and hidden.value != "false":
            secret.append(name)
    return values, tuple(secret)


def _variables(root: Node) -> dict[str, Node]:
    spec = root["spec"] if is_manifest(root) else None
    listed = spec["variables"] if spec is not None else None
    found = {}
    for item in listed.items if listed is not None else ():
        key = item["key"]
        if key is not None and key.text:
            found[key.text] = item
    return found


def _spelled(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def rest_of(root: Node) -> Settings:
    """Return what else the document says: triggers, policies, contexts."""
    spec = root["spec"] if is_manifest(root) else None
    entries = spec.entries if spec is not None else {}
    return {key: plain(e.node) for key, e in entries.items() if key not in ROOT.fields}
