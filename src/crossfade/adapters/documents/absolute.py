"""Application files for another process: charts that are folders get their absolute paths."""

import io
from pathlib import Path

from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap


def with_absolute_charts(text: str, folder: Path) -> str:
    """Return the text, which has been read without problems, with paths that begin at the root."""
    yaml = YAML(typ="rt")  # of YAML 1.2, as files are read
    yaml.width = 10_000
    documents = [each for each in yaml.load_all(text) if each is not None]
    for document in documents:
        spec = document.get("spec") or {}
        for holder in (spec, *(spec.get("shared") or ())):
            _make_absolute(holder.get("source"), folder)
    out = io.StringIO()
    yaml.dump_all(documents, out)
    return out.getvalue()


def _make_absolute(source: CommentedMap | None, folder: Path) -> None:
    if source is None or "repo" in source or "chart" not in source:
        return
    chart = str(source["chart"])
    if not chart.startswith("oci://"):
        source["chart"] = str((folder / chart).resolve())
