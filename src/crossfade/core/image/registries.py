"""Registries by the names that pipelines call them by, and which of them an image belongs to."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace

from crossfade.base.errors import InputError, NotFound
from crossfade.base.words import did_you_mean
from crossfade.core.image.reference import Reference, reference

_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9 _.-]{0,62}\Z")


@dataclass(frozen=True, slots=True)
class KnownRegistry:
    """A registry that people have made known."""

    name: str
    address: str
    """As `registry.example.com:5000`."""
    prefix: str = ""
    """Begins the names of images there, as `team` or `team/project`."""
    username: str = ""
    """"": what `docker login` has written down."""
    default: bool = False
    """Taken when nobody says which."""

    @property
    def secret(self) -> str:
        """Name of the secret that has the password."""
        return f"registry-{re.sub(r'[^a-z0-9]', '-', self.name.lower())}"

    def full(self, image: Reference) -> Reference:
        """Return the name that an image has in this registry, if it does not say where it is."""
        if image.registry:
            return image
        repository = f"{self.prefix}/{image.repository}" if self.prefix else image.repository
        return replace(image, registry=self.address, repository=repository)


def known_registry(name: str, place: str, username: str) -> KnownRegistry:
    """Return the registry at a place such as `registry.example.com/team`.  Raises InputError."""
    if not _NAME.match(name):
        hint = "letters, digits, spaces, `_`, `.` and `-` are allowed, 63 at most"
        raise InputError(f"{name!r} cannot be the name of a registry", hint=hint)
    if place.startswith("http://"):
        hint = "leave `http://` out: registries on this machine are asked without TLS, others never"
        raise InputError(f"{place!r} is no address of a registry", hint=hint)
    address, _, prefix = place.removeprefix("https://").strip("/").partition("/")
    found = reference(f"{address}/{prefix or 'image'}")
    if found.registry != address or found.tag != "latest" or found.digest:
        hint = "write its host, with a port if it has one, as registry.example.com:5000/team"
        raise InputError(f"{place!r} is no address of a registry", hint=hint)
    return KnownRegistry(name, address, prefix, username)


def chosen(known: Sequence[KnownRegistry], name: str) -> KnownRegistry | None:
    """
    Return the registry of a name or an address; of "" the default one, None if there is none.

    Raises NotFound for a name that is not known.
    """
    if not name:
        return next((each for each in known if each.default), None)
    for each in known:
        if name in (each.name, each.address):
            return each
    names = [each.name for each in known]
    raise NotFound(
        f"the registry {name} is not known{did_you_mean(name, names)}",
        hint=f"`crossfade image registry add {name} ADDRESS` makes it known, with an ADDRESS as "
        f"registry.example.com/team (known: {', '.join(names) or 'none'}); or run the pipeline "
        "with `--var CROSSFADE_PUSH=false`, and images stay here",
    )


def serving(
    known: Sequence[KnownRegistry], image: Reference, first: Sequence[str] = ()
) -> KnownRegistry | None:
    """Return the known registry that an image is in: those named `first` go before others."""
    there = [each for each in known if image.registry and each.address == image.registry]
    fitting = [each for each in there if f"{image.repository}/".startswith(_below(each))]
    ordered = sorted(fitting or there, key=lambda each: (each.name not in first, -len(each.prefix)))
    return next(iter(ordered), None)


def with_registry(
    known: Sequence[KnownRegistry], new: KnownRegistry, *, default: bool
) -> tuple[KnownRegistry, ...]:
    """
    Return the known registries with one more, or with another one of its name.

    The first one is the default.  Raises InputError when two would have one secret.
    """
    others = [each for each in known if each.name != new.name]
    clash = next((each for each in others if each.secret == new.secret), None)
    if clash is not None:
        hint = f"take a name that differs in letters or digits; `{clash.name}` has that secret"
        raise InputError(f"the secret of {new.name} would be {new.secret}", hint=hint)
    old = next((each for each in known if each.name == new.name), None)
    first = default or not others or (old is not None and old.default)
    kept = [replace(each, default=each.default and not first) for each in others]
    return tuple(sorted([*kept, replace(new, default=first)], key=lambda each: each.name))


def _below(each: KnownRegistry) -> str:
    return f"{each.prefix}/" if each.prefix else ""
