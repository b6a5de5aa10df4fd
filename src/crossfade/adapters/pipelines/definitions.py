"""Definitions of typed steps from a folder or an address: documents with `kind: step-type`."""

import json
import time
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import cast

import httpx

from crossfade.adapters.documents.files import decode, read_text
from crossfade.adapters.pipelines.reading import parse
from crossfade.base.errors import InputError, NotFound, Unavailable
from crossfade.base.json_value import Json
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.tree import Node, plain
from crossfade.core.pipeline.typed import Argument, Definition, Definitions

_SECONDS, _MOST_SECONDS = 10.0, 60.0
LARGEST_BYTES = 1024 * 1024
"""Of a file at an address."""
_HINT = "a definition has `kind: step-type`, metadata.name, metadata.version and spec.arguments"


def read_definitions(place: str) -> Definitions:
    """
    Return the definitions in a folder (all .yaml and .yml files in it), or at an address.

    Raises InputError, NotFound, Unavailable.
    """
    found: dict[str, list[Definition]] = {}
    for file, text in _texts(place):
        for definition in _definitions(file, text):
            found.setdefault(definition.name, []).append(definition)
    return {name: tuple(versions) for name, versions in found.items()}


def _texts(place: str) -> Iterator[tuple[str, str]]:
    if place.startswith(("https://", "http://")):
        yield place, fetched(place)
        return
    folder = Path(place)
    if folder.is_file():
        yield place, read_text(folder)
        return
    if not folder.is_dir():
        raise NotFound(f"there is no folder {place}", hint="name a folder with step.yaml files")
    for path in sorted(folder.rglob("*.y*ml")):
        if path.suffix in (".yaml", ".yml") and path.is_file():
            yield str(path), read_text(path)


def fetched(address: str) -> str:
    """Return the text at an address.  Raises Unavailable, InputError."""
    until, data = time.monotonic() + _MOST_SECONDS, b""
    try:
        with httpx.stream("GET", address, timeout=_SECONDS, follow_redirects=True) as answer:
            answer.raise_for_status()
            for piece in answer.iter_bytes():
                data += piece
                if len(data) > LARGEST_BYTES or time.monotonic() > until:
                    raise InputError(
                        f"{address} cannot be read: it has more than {LARGEST_BYTES} bytes, "
                        f"or takes longer than {_MOST_SECONDS:g} s",
                        hint="check the address",
                    )
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unavailable(f"{address} cannot be read: {error}", hint="check the address") from error
    return decode(data, address)


def _definitions(file: str, text: str) -> Iterator[Definition]:
    trees, unreadable = parse(text)
    for finding in unreadable:
        where = f"{file}:{finding.at.line}:{finding.at.column}"
        raise InputError(f"{where}: {finding.message}", hint=_HINT)
    for tree in trees:
        kind = tree["kind"]
        if kind is not None and kind.text == "step-type":
            yield _definition(file, tree)


def _definition(file: str, tree: Node) -> Definition:
    metadata, spec = tree["metadata"], tree["spec"]
    name, version = (metadata[k] if metadata is not None else None for k in ("name", "version"))
    if name is None or not name.text or spec is None:
        raise InputError(f"{file}:{tree.at.line}: the step has no name or spec", hint=_HINT)
    schema = _schema(file, spec["arguments"])
    returns = _schema(file, spec["returns"]) if spec["returns"] is not None else None
    steps = spec["steps"]
    return Definition(
        name.text,
        version.text or "" if version is not None else "",
        _arguments(schema),
        more=schema.get("additionalProperties") is not False,
        returns=tuple(_mapping(returns.get("properties"))) if returns is not None else None,
        steps=cast(Settings, plain(steps)) if steps is not None and steps.entries else {},
    )


def _schema(file: str, node: Node | None) -> Settings:
    """Return a JSON schema, which may be written as a text in JSON."""
    if node is None:
        return {}
    value: Json = plain(node)
    if isinstance(value, str):
        try:
            value = cast(Json, json.loads(value))
        except (ValueError, RecursionError) as error:
            where = f"{file}:{node.at.line}"
            raise InputError(f"{where}: the schema is no JSON: {error}", hint=_HINT) from error
    return _mapping(value)


def _mapping(value: Json) -> Settings:
    return value if isinstance(value, dict) else {}


def _arguments(schema: Settings) -> Mapping[str, Argument]:
    required = schema.get("required")
    wanted = required if isinstance(required, list) else []
    properties = _mapping(schema.get("properties"))
    return {name: _argument(_mapping(each), name in wanted) for name, each in properties.items()}


def _argument(schema: Settings, required: bool) -> Argument:
    kinds, choices = schema.get("type"), schema.get("enum")
    listed = kinds if isinstance(kinds, list) else [kinds]
    return Argument(
        tuple(kind for kind in listed if isinstance(kind, str)),
        tuple(choices) if isinstance(choices, list) else (),
        schema.get("default"),
        required,
    )
