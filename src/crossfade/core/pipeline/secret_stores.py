"""
References to secrets that stand elsewhere, as `${{secrets.STORE.KEY}}`.

Of a store with several resources it is `${{secrets.STORE.RESOURCE@KEY}}`.

A store is a shared configuration: one that holds the values itself, or one that says where they
are.  Values are read when a step starts, for that step alone.  What a step has exported, and what
an event says, refers to nothing: otherwise whoever writes a commit message could read a store.
"""

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json, texts_of
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.graph import Graph
from crossfade.core.pipeline.variables import Source, Variable, references, substituted

KUBERNETES, VAULT = "secret-store.kubernetes", "secret-store.hashicorp-vault"
_REFERENCE = re.compile(r"secrets\.(?P<store>[^.@]+)\.(?:(?P<resource>.+)@)?(?P<key>[^@]+)")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_PATH = re.compile(r"[A-Za-z0-9_.~-]+(/[A-Za-z0-9_.~-]+)*")
_KEYS = {
    KUBERNETES: (("cluster", "namespace"), ("resource-type", "resource-name")),
    VAULT: (("address", "token"), ("mount", "version", "namespace", "resource-name")),
}
"""What such a store has to say, and what it may."""
_RESOURCE_TYPES = ("secret", "configmap")
_LOOPBACK = ("127.0.0.1", "localhost", "::1")


@dataclass(frozen=True, slots=True)
class Reference:
    """One secret of a store."""

    store: str
    """Name of the shared configuration."""
    resource: str
    """Which of several, "" when the store says it."""
    key: str

    def __str__(self) -> str:
        inner = f"{self.resource}@{self.key}" if self.resource else self.key
        return f"${{{{secrets.{self.store}.{inner}}}}}"


@dataclass(frozen=True, slots=True)
class KubernetesStore:
    """Secrets, or ConfigMaps, of a namespace of a cluster of the fleet."""

    cluster: str
    namespace: str
    config_maps: bool = False
    resource: str = ""
    """The one that is meant, "" when references say which."""


@dataclass(frozen=True, slots=True)
class VaultStore:
    """A key-value engine of HashiCorp Vault."""

    address: str
    token: str
    mount: str = "secret"
    version: int = 2
    namespace: str = ""
    resource: str = ""
    """The path that is meant, "" when references say which."""

    def __repr__(self) -> str:
        return f"VaultStore({self.address!r}, {self.mount!r})"


def reference_of(text: str) -> Reference | None:
    """Return the secret that `secrets.STORE.KEY` means, None when it means none."""
    found = _REFERENCE.fullmatch(text)
    if found is None:
        return None
    return Reference(found["store"], found["resource"] or "", found["key"])


def asked_for(graph: Graph, key: str, variables: Iterable[Variable]) -> tuple[str, ...]:
    """Return what a step refers to, with the variables that its pipeline gives it; each once."""
    unit = graph.units[key]
    trees: list[Json] = [unit.step.settings]
    while (owner := graph.units.get(unit.owner)) is not None and owner.key != unit.key:
        if owner.step.plugin is not None:
            trees.append(owner.step.plugin.arguments)
        unit = owner
    trees += (each.value for each in variables if _refers(each))
    found = (text for tree in trees for text in texts_of(tree) if "${{" in text)
    named = (each for text in found for each in references(text))
    return tuple(dict.fromkeys(each for each in named if reference_of(each)))


def named_stores(graph: Graph) -> Iterator[tuple[int, str, Reference]]:
    """Yield all references of a pipeline, with the lines and keys of their steps; 0: variables."""
    for text in graph.pipeline.variables.values():
        yield from ((0, "variables", each) for each in _references(text))
    for key, unit in graph.units.items():
        plugin = unit.step.plugin
        trees: list[Json] = [unit.step.settings, plugin.arguments if plugin else None]
        for tree in trees:
            for text in texts_of(tree):
                yield from ((unit.step.line, key, each) for each in _references(text))


def with_secrets(
    variables: Mapping[str, Variable], values: Mapping[str, str]
) -> dict[str, Variable]:
    """Return the variables with these values for references; they are secrets then."""
    found = dict(variables)
    for name, each in variables.items():
        if values and _refers(each) and any(r in values for r in references(each.value)):
            text = substituted(each.value, values.get)
            found[name] = Variable(name, text, each.source, secret=True)
    return found


def store_data(kind: str, data: Mapping[str, Json]) -> Settings:
    """Return what a store of this kind is to say.  Raises InputError, which has no values."""
    needed, more = _KEYS[kind]
    texts = {key: "" if value is None else str(value) for key, value in data.items()}
    missing = [key for key in needed if not texts.get(key)]
    unknown = [key for key in texts if key not in (*needed, *more)]
    if missing or unknown:
        wrong = f"needs {missing[0]}" if missing else f"has no {unknown[0]}"
        raise InputError(
            f"a shared configuration of type {kind} {wrong}",
            hint=f"give -v for {', '.join(needed)}; there may be {', '.join(more)}",
        )
    if kind == KUBERNETES:
        kubernetes_store(texts)
    else:
        vault_store(texts)
    return dict(texts)


def kubernetes_store(said: Mapping[str, Json]) -> KubernetesStore:
    """Return the store that the configuration describes.  Raises InputError."""
    texts = {key: str(value) for key, value in said.items()}
    sort = texts.get("resource-type") or _RESOURCE_TYPES[0]
    if sort not in _RESOURCE_TYPES:
        _wrong("resource-type", sort, "secret, configmap")
    for key in ("cluster", "namespace", "resource-name"):
        if texts.get(key) and not _NAME.fullmatch(texts[key]):
            _wrong(key, texts[key], "names as Kubernetes has them")
    resource = texts.get("resource-name", "")
    return KubernetesStore(texts["cluster"], texts["namespace"], sort == "configmap", resource)


def vault_store(said: Mapping[str, Json]) -> VaultStore:
    """Return the store that the configuration describes.  Raises InputError."""
    texts = {key: str(value) for key, value in said.items()}
    parts = urlsplit(texts["address"])
    plain = parts.scheme == "http" and parts.hostname in _LOOPBACK
    if not (parts.scheme == "https" or plain) or not parts.hostname or "@" in parts.netloc:
        _wrong("address", "no such address", "https://HOST[:PORT], http:// for this machine alone")
    version, mount = texts.get("version") or "2", texts.get("mount") or "secret"
    if version not in ("1", "2"):
        _wrong("version", version, "1, 2: that of the key-value engine")
    for key, text in (("mount", mount), ("resource-name", texts.get("resource-name", ""))):
        if text and not is_path(text):
            _wrong(key, text, "a path of letters, digits, `_`, `.`, `~`, `-` and `/`")
    return VaultStore(
        texts["address"].rstrip("/"),
        texts["token"],
        mount,
        int(version),
        texts.get("namespace", ""),
        texts.get("resource-name", ""),
    )


def is_path(text: str) -> bool:
    """Return whether a text is the path of a secret, which stays below its engine."""
    return bool(_PATH.fullmatch(text)) and not {".", ".."} & set(text.split("/"))


def is_resource(text: str) -> bool:
    """Return whether a text may name an object of Kubernetes."""
    return bool(_NAME.fullmatch(text))


def _wrong(key: str, value: str, allowed: str) -> None:
    raise InputError(f"{key} is {value!r}", hint=f"allowed: {allowed}")


def _refers(variable: Variable) -> bool:
    return variable.source <= Source.PIPELINE and "${{" in variable.value


def _references(text: str) -> Iterator[Reference]:
    if "${{" in text:
        found = (reference_of(each) for each in references(text))
        yield from (each for each in found if each is not None)
