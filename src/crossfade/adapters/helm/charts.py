"""Charts from folders and registries, packed so that the same content gives the same bytes."""

import asyncio
import gzip
import io
import tarfile
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from crossfade.adapters.helm import helmignore, manifest_text
from crossfade.adapters.helm.command import Call, HelmCommand
from crossfade.base.errors import InputError
from crossfade.core.application import Source, Values
from crossfade.core.release.kinds import mapping, mappings
from crossfade.ports.charts import PackedChart

MAX_BYTES = 64 * 1024 * 1024
"""A chart of more is a mistake: Helm keeps the chart in a Secret of at most 1 MB, compressed."""


class HelmCharts:
    """The Charts port: folders are read here, all else is left to helm."""

    def __init__(self, helm: HelmCommand, seconds: float = 60.0) -> None:
        """`seconds` is the deadline of one run of helm: a download, or rendering."""
        self._helm = helm
        self._seconds = seconds

    async def pack(self, source: Source) -> PackedChart:
        """Return the chart's archive; see the port for errors."""
        if source.repo is None and not source.chart.startswith("oci://"):
            return await asyncio.to_thread(pack_folder, Path(source.chart))
        return await self._pull(source)

    async def render(
        self, chart: bytes, release: str, namespace: str, values: Values
    ) -> tuple[dict[str, object], ...]:
        """Return the objects as helm renders them; see the port for errors."""
        with tempfile.NamedTemporaryFile(prefix="crossfade-", suffix=".tgz") as archive:
            archive.write(chart)
            archive.flush()
            arguments = ["template", release, archive.name, "--namespace", namespace]
            call = Call(
                [*arguments, "--include-crds", "--values", "-"],
                stdin=manifest_text.write_values(values),
                seconds=self._seconds,
            )
            rendered = manifest_text.read(await self._helm.run(call))
        wrong = [thing for thing in rendered if not isinstance(thing, dict)]
        if wrong:
            raise InputError(
                f"the chart renders something that is no object: {str(wrong[0])[:60]!r}",
                hint="look for it in what `helm template` prints",
            )
        return tuple(rendered)

    async def _pull(self, source: Source) -> PackedChart:
        with tempfile.TemporaryDirectory(prefix="crossfade-") as folder:
            arguments = ["pull", source.chart, "--destination", folder]
            arguments += ["--repo", source.repo] if source.repo else []
            arguments += ["--version", source.version] if source.version else []
            await self._helm.run(Call(arguments, seconds=self._seconds))
            data = _only_file(Path(folder), source.chart)
        return PackedChart(name=_name_in_archive(data, source.chart), data=data)


def pack_folder(folder: Path) -> PackedChart:
    """
    Return the chart in the folder: the same bytes for the same files, wherever and whenever.

    Raises InputError when there is no chart, or dependencies are missing from `charts/`.
    """
    chart = _read_chart(folder)
    try:
        files = sorted(_files(folder, _rules(folder)))
        data = _archive(folder, str(chart["name"]), files)
    except OSError as error:
        raise InputError(
            f"the chart cannot be read: {error.strerror}",
            hint="check the file's rights, and links that lead nowhere",
            file=error.filename,
        ) from error
    _require_dependencies(folder, chart)
    return PackedChart(name=f"{chart['name']}-{chart['version']}", data=data)


def _read_chart(folder: Path) -> dict[str, Any]:
    file = folder / "Chart.yaml"
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        what = "there is no chart" if not file.exists() else "Chart.yaml cannot be read"
        raise InputError(
            f"{what} in {folder}",
            hint="set spec.source.chart to a folder with a Chart.yaml (relative to the file that "
            "names it), or to an oci:// reference",
        ) from error
    try:
        documents = manifest_text.read(text)
    except InputError as error:
        raise InputError(f"{file}: {error.what}", hint="mend the file", **error.facts) from error
    return _checked(documents, str(file))


def _checked(documents: list[Any], file: str) -> dict[str, Any]:
    chart = mapping(documents[0]) if len(documents) == 1 else {}
    missing = [key for key in ("apiVersion", "name", "version") if not chart.get(key)]
    if missing:
        raise InputError(
            f"{file} has no {', '.join(missing)}",
            hint="a chart needs apiVersion (v2), name and version in Chart.yaml",
        )
    return chart


def _rules(folder: Path) -> tuple[helmignore.Rule, ...]:
    file = folder / ".helmignore"
    return helmignore.read(file.read_text(encoding="utf-8") if file.exists() else "")


def _files(
    folder: Path, rules: tuple[helmignore.Rule, ...], below: str = "", depth: int = 0
) -> Iterator[str]:
    """Yield the paths of the chart's files; links are followed, as Helm does."""
    if depth > 32:
        raise InputError(
            "the chart's folders are nested too deeply",
            hint="is there a link to a folder above?",
            folder=below,
        )
    for entry in (folder / below).iterdir():
        path = f"{below}/{entry.name}" if below else entry.name
        if helmignore.ignores(rules, path, entry.is_dir()):
            continue
        if entry.is_dir():
            yield from _files(folder, rules, path, depth + 1)
        else:
            yield path


def _archive(folder: Path, name: str, files: list[str]) -> bytes:
    packed = io.BytesIO()
    total = 0
    # No time, owner or file mode goes in: they differ between checkouts of the same content.
    with (
        gzip.GzipFile(fileobj=packed, mode="wb", filename="", mtime=0) as compressed,
        tarfile.open(fileobj=compressed, mode="w", format=tarfile.GNU_FORMAT) as archive,
    ):
        for path in files:
            data = (folder / path).read_bytes()
            total += len(data)
            if total > MAX_BYTES:
                raise InputError(
                    f"the chart has more than {MAX_BYTES >> 20} MB",
                    hint="leave what is no part of it out with a .helmignore file",
                    folder=str(folder),
                )
            entry = tarfile.TarInfo(f"{name}/{path}")
            entry.size, entry.mode, entry.mtime = len(data), 0o644, 0
            archive.addfile(entry, io.BytesIO(data))
    return packed.getvalue()


def _require_dependencies(folder: Path, chart: dict[str, Any]) -> None:
    """Refuse a chart whose dependencies were not fetched: helm's message says no remedy."""
    present = {path.name for path in folder.glob("charts/*")}
    missing = [
        name
        for name in (str(each.get("name")) for each in mappings(chart.get("dependencies")))
        if not any(entry == name or entry.startswith(f"{name}-") for entry in present)
    ]
    if missing:
        raise InputError(
            f"the chart needs {', '.join(missing)}, not found in its folder charts/",
            hint=f"run `helm dependency build {folder}`",
            chart=str(folder),
        )


def _only_file(folder: Path, reference: str) -> bytes:
    for pulled in folder.glob("*.tgz"):
        return pulled.read_bytes()
    raise InputError(f"{reference} gave no chart", hint="check spec.source")


def _name_in_archive(data: bytes, reference: str) -> str:
    """Return name and version that a packed chart gives itself."""
    try:
        with tarfile.open(fileobj=io.BytesIO(data), mode="r:gz") as archive:
            for member in archive:
                if member.name.count("/") == 1 and member.name.endswith("/Chart.yaml"):
                    file = archive.extractfile(member)
                    chart = _checked(manifest_text.read(file.read() if file else b""), reference)
                    return f"{chart['name']}-{chart['version']}"
    except (tarfile.TarError, OSError, EOFError) as error:
        raise InputError(
            f"what {reference} gave is no chart archive", hint="check spec.source"
        ) from error
    raise InputError(f"what {reference} gave has no Chart.yaml", hint="check spec.source")
