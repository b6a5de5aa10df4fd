"""
Kubernetes manifests as text, read and written with the meaning that Helm gives to it.

Helm reads plain scalars by rules of its own: `1e3` is a number, `1:30` and `2026-01-01` are text.
PyYAML's are others, so the rules are given here; both directions use libyaml's C code.
"""

import json
import re
from typing import TYPE_CHECKING, Any

import yaml

from crossfade.base.errors import InputError

if TYPE_CHECKING or yaml.__with_libyaml__:
    from yaml import CSafeDumper as BaseDumper
    from yaml import CSafeLoader as BaseLoader
else:  # PyYAML built without libyaml: slower, the same in all else
    from yaml import SafeDumper as BaseDumper
    from yaml import SafeLoader as BaseLoader

MAX_DEPTH = 200

_BOOL = r"y|Y|n|N|true|True|TRUE|false|False|FALSE|yes|Yes|YES|no|No|NO|on|On|ON|off|Off|OFF"
_INT = r"[-+]?(?:0b[01_]+|0o?[0-7_]+|0x[0-9a-fA-F_]+|[1-9][0-9_]*|0)"
_FLOAT = (
    r"[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?"
    r"|[-+]?\.(?:inf|Inf|INF)|\.(?:nan|NaN|NAN)"
)
_NULL = r"~|null|Null|NULL|"
_RULES = (("bool", _BOOL), ("int", _INT), ("float", _FLOAT), ("null", _NULL), ("merge", "<<"))


class _Loader(BaseLoader):
    """Reads scalars as Helm does."""


class _Dumper(BaseDumper):
    """Quotes every text that Helm or any other reader of YAML 1.1 could take for another value."""

    def ignore_aliases(self, data: object) -> bool:
        return True  # Helm reads aliases, people reading `helm get manifest` should not have to


_Loader.yaml_implicit_resolvers = {}  # PyYAML's own rules stay with the dumper alone
for _name, _pattern in _RULES:
    for _class in (_Loader, _Dumper):
        _class.add_implicit_resolver(
            f"tag:yaml.org,2002:{_name}", re.compile(f"^(?:{_pattern})$"), None
        )


def _int(loader: Any, node: Any) -> int:  # noqa: ANN401 - PyYAML's own types have no names
    text = str(loader.construct_scalar(node)).replace("_", "")
    sign, digits = (-1, text[1:]) if text[0] == "-" else (1, text.lstrip("+"))
    if digits[:1] == "0" and digits[1:2].isdigit():
        return sign * int(digits, 8)
    return sign * int(digits, 0)


def _bool(loader: Any, node: Any) -> bool:  # noqa: ANN401 - as above
    return str(loader.construct_scalar(node)).lower() in ("y", "yes", "true", "on")


def _text(dumper: Any, text: str) -> Any:  # noqa: ANN401 - as above
    """Keep text of several lines readable for those who look at a release."""
    style = "|" if "\n" in text.strip("\n") else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


_Loader.add_constructor("tag:yaml.org,2002:int", _int)
_Loader.add_constructor("tag:yaml.org,2002:bool", _bool)
_Dumper.add_representer(str, _text)


def read(text: str | bytes) -> list[Any]:
    """
    Return every document that is not empty.

    Raises InputError, with line and column, when the text is no YAML.
    """
    try:
        _refuse_depth(text)
        return [document for document in yaml.load_all(text, _Loader) if document is not None]
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        mark = getattr(error, "problem_mark", None)
        raise InputError(
            f"the manifests are no YAML: {getattr(error, 'problem', None) or error}",
            hint="run `helm template` on the chart and look at that line",
            **({"line": mark.line + 1, "column": mark.column + 1} if mark else {}),
        ) from error


def _refuse_depth(text: str | bytes) -> None:
    """
    Raise ValueError when values are nested so deeply that libyaml's recursion ends the process.

    Text without so many openings cannot be, and is not looked through.
    """
    content = text if isinstance(text, str) else text.decode(errors="replace")
    if max(map(content.count, ("[", "{", "- -", "- ?", "? "))) < MAX_DEPTH:
        return
    depth = 0
    for event in yaml.parse(content, _Loader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise ValueError(f"values are nested more than {MAX_DEPTH} deep")


def write(objects: list[Any]) -> str:
    """Return the objects as YAML documents."""
    return "".join(
        "---\n" + yaml.dump(thing, Dumper=_Dumper, sort_keys=False, allow_unicode=True, width=1000)
        for thing in objects
    )


def write_values(values: object) -> bytes:
    """Return values for Helm: JSON, which is YAML that leaves nothing to rules."""
    return json.dumps(values, allow_nan=False).encode()
