"""A small Helm chart with objects that were imported."""

from collections.abc import Sequence

from crossfade.adapters.helm.manifest_text import write
from crossfade.adapters.importers.objects import Content, mapping, text

_OPEN, _CLOSE = '{{ "{{" }}', '{{ "}}" }}'


def chart_of(name: str, objects: Sequence[Content]) -> dict[str, str]:
    """Return the files of a chart, by their place in its folder; {} without objects."""
    if not objects:
        return {}
    about: Content = {
        "apiVersion": "v2",
        "name": name,
        "version": "0.1.0",
        "description": f"What {name} runs, imported",
    }
    files = {"Chart.yaml": write([about]).removeprefix("---\n")}
    for each in objects:
        kind = text(each.get("kind")).lower()
        of_name = text(mapping(each.get("metadata")).get("name"))
        files[f"templates/{kind}-{of_name}.yaml"] = _plain(write([each])).removeprefix("---\n")
    return files


def _plain(written: str) -> str:
    """Return text that Helm renders to itself: braces of Argo and others are not Helm's."""
    halves = written.split("{{")
    return _OPEN.join(half.replace("}}", _CLOSE) for half in halves)
