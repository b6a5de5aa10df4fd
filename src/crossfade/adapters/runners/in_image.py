"""
A step on the files of its image: fetched, unpacked once for all, and laid under what it writes.

This runs as a program in the step's own process, so that fetching takes the step's time, its
output, and ends with it.  It becomes the step in the end.
"""

import json
import os
import shlex
import signal
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn, TypeAlias, TypeVar

import crossfade
from crossfade.adapters.images import running
from crossfade.adapters.images.access import Access
from crossfade.adapters.images.registry_file import RegistryFile
from crossfade.adapters.images.roots import Root, Roots
from crossfade.adapters.images.store import ImageStore
from crossfade.adapters.runners import bubblewrap
from crossfade.adapters.runners.leftovers import MARK
from crossfade.adapters.runners.run_files import open_secret
from crossfade.adapters.runners.variables import (
    IGNORED,
    VARIABLES,
    box_options,
    opening,
    read_variables,
    write_variables,
)
from crossfade.adapters.runners.view import TOOLS, Mount
from crossfade.adapters.secrets.environment import EnvironmentSecrets
from crossfade.adapters.secrets.files import FileSecrets
from crossfade.adapters.secrets.places import SecretPlaces
from crossfade.base.codec import from_json, to_json
from crossfade.base.errors import CrossfadeError, InputError, NotFound
from crossfade.base.json_value import Json
from crossfade.core.image.command import command_of
from crossfade.core.image.reference import reference
from crossfade.core.pipeline.work import VOLUME, Inside

T = TypeVar("T")
Command: TypeAlias = tuple[list[str], dict[str, str]]
"""What is executed, and its environment."""
CANNOT_EXIT_CODE = 126
_SHELLS = ("sh", "bash")
_CERTIFICATES = ("SSL_CERT_FILE", "NIX_SSL_CERT_FILE")


@dataclass(frozen=True, slots=True)
class ImagePlace:
    """Where images are, and what is known of registries."""

    images: str
    registries: str
    secrets: str
    """Folder of secrets; variables go before them."""
    prefix: str
    """Begins the variables that have passwords of registries; the step does not see them."""

    def access(self, first: Sequence[str] = ()) -> Access:
        """Return the images; registries named `first` go before others at their address."""
        places = SecretPlaces(
            EnvironmentSecrets(os.environ, self.prefix), FileSecrets(Path(self.secrets))
        )
        known = RegistryFile(Path(self.registries)).read()
        return Access(ImageStore(Path(self.images)), known, places, tuple(first))

    def has(self, image: str) -> bool:
        """Return whether an image is kept here, or in a known registry."""
        try:
            wanted = reference(image)
        except InputError:
            return False
        access = self.access()
        return access.store.find(wanted) is not None or access.is_known(wanted)

    def without_passwords(self, given: Mapping[str, str]) -> dict[str, str]:
        """Return the variables that a step may see."""
        return {name: value for name, value in given.items() if name not in self.passwords()}

    def passwords(self) -> dict[str, str]:
        """Return the variables with passwords of registries."""
        prefix = f"{self.prefix}REGISTRY_"
        return {name: value for name, value in os.environ.items() if name.startswith(prefix)}


@dataclass(frozen=True, slots=True)
class InImage:
    """What is to be run, and where."""

    image: str
    inside: Inside
    argv: tuple[str, ...]
    """The shell and its script, as the step sees them."""
    directory: str
    path: str
    """PATH of the step, "" when it is the image's."""
    mounts: tuple[Mount, ...]
    working: str
    """A folder that is not there yet."""
    where: ImagePlace


def command(wanted: InImage, file: Path, variables: Path) -> list[str]:
    """Return the command that runs it; `file` is written, and only its owner may read it."""
    return own_program(__name__, to_json(wanted), file, variables)


def own_program(module: str, document: Json, file: Path, variables: Path) -> list[str]:
    """
    Return the command that runs `main` of a module of ours on a document, kept in `file`.

    The file of variables has those of the step; its own ones have passwords of registries.
    """
    with open_secret(file) as opened:
        opened.write(json.dumps(document).encode())
    source = str(Path(crossfade.__file__).parent.parent)
    program = f"import sys; sys.path.insert(0, {source!r}); from {module} import main; main()"
    return [sys.executable, "-I", "-c", program, str(file), str(variables)]


def main() -> NoReturn:
    """Become the step, or say why that cannot be."""
    become(InImage, prepared)


def become(kind: type[T], made: Callable[[T, Mapping[str, str]], Command]) -> NoReturn:
    """
    Become the command that is `made` of the document of this process, or say why not.

    `made` is given the variables of the step.
    """
    try:
        wanted = from_json(kind, json.loads(Path(sys.argv[1]).read_bytes()))
        argv, environment = made(wanted, read_variables(Path(sys.argv[2])))
        for each in IGNORED:
            signal.signal(each, signal.SIG_DFL)
        os.execvpe(argv[0], argv, environment)  # noqa: S606 - that is what it is for
    except CrossfadeError as error:
        print(f"the step cannot be started: {error}\nhint: {error.hint}", file=sys.stderr)  # noqa: T201
    except (OSError, ValueError) as error:
        print(f"the step cannot be started: {error}", file=sys.stderr)  # noqa: T201
    sys.exit(CANNOT_EXIT_CODE)


def prepared(wanted: InImage, given: Mapping[str, str]) -> Command:
    """
    Return the command and its environment.

    What it runs sees what is `given` on top of the image's own variables; who makes the box, a
    program of this machine, does not.

    Raises NotFound for an image that is not at hand, InputError for one that has nothing to run,
    Unavailable where images cannot be run.
    """
    working = Path(wanted.working)
    running.check_usable(working / "probe")
    access = wanted.where.access(wanted.inside.contexts)
    image = access.here(reference(wanted.image), _say)
    if image is None:
        raise NotFound(
            f"the image {wanted.image} is not here any more",
            hint="build or pull it again; `crossfade image list` shows what is here",
        )
    root = Roots(access.store, access.store.roots).root(image)
    environment = _environment(wanted, root, given)
    argv = _argv(wanted, root, environment["PATH"])
    mounts, view = running.mounted(running.Place(root.files, root.on_host, working))
    directory = wanted.directory
    if wanted.inside.own_directory:
        directory = root.config.working_directory or "/"
    view += [] if root.on_host else running.names_of_hosts(root.files)
    view += bubblewrap.options(wanted.mounts)
    view += [] if f"{directory}/".startswith(f"{VOLUME}/") else ["--dir", directory]
    lock = shlex.quote(str(root.lock))
    held = [f"cd {shlex.quote(str(working))}", f"exec 8<{lock}", "flock --shared 8"]
    variables = Path(f"{working}.{VARIABLES}")
    write_variables(variables, environment)
    held.append(opening(shlex.quote(str(variables))))
    view += [*box_options(), "--chdir", directory]
    return running.boxed([*held, *mounts], view, argv), of_machine()


def of_machine() -> dict[str, str]:
    """Return the environment of what makes boxes: nothing of a step, and no password."""
    kept = {MARK: os.environ[MARK]} if MARK in os.environ else {}
    return {"PATH": f"{os.environ.get('PATH', os.defpath)}:{running.PATH}", **kept}


def _argv(wanted: InImage, root: Root, path: str) -> tuple[str, ...]:
    inside = wanted.inside
    if not inside.runs_script:
        found = command_of(root.config, inside.entry_point, inside.arguments)
        if not found:
            hint = "give the step `commands` or `cmd`, or the image a CMD"
            raise InputError("the image has neither entry point nor command", hint=hint)
        return found
    places = [each for each in path.split(":") if each.startswith("/")]
    below = [root.files / each[1:] for each in places]
    if root.on_host:
        below += [Path(each) for each in places]
    shell = wanted.argv[0]
    if shell in _SHELLS and not any(os.path.lexists(each / shell) for each in below):
        hint = "leave `commands` out so that its entry point runs, or put a shell into the image"
        raise InputError(f"the image has no {shell} to run `commands` with", hint=hint)
    return wanted.argv


def _environment(wanted: InImage, root: Root, given: Mapping[str, str]) -> dict[str, str]:
    """Return the image's variables, and on top of them those of the step."""
    own = root.config.environment
    kept = wanted.where.without_passwords(given)
    for name in _CERTIFICATES:
        if name in kept and not root.on_host and not (root.files / kept[name][1:]).exists():
            del kept[name]
    path = wanted.path or own.get("PATH", "")
    if not path and root.on_host:
        path = given.get("PATH", "").removeprefix(f"{TOOLS}:")
    return {**own, **kept, "PATH": f"{TOOLS}:{path or running.PATH}"}


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)  # noqa: T201 - the output of the step
