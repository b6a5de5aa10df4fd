"""What the keeper of a run executes: on this machine, in bubblewrap, in an image or container."""

import os
import shutil
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from crossfade.adapters.runners import bubblewrap, composing, in_container, in_image
from crossfade.adapters.runners.composing import Composed
from crossfade.adapters.runners.containers import HOSTS, Containers, Network, name_of, network_of
from crossfade.adapters.runners.in_container import InContainer
from crossfade.adapters.runners.in_image import ImagePlace, InImage
from crossfade.adapters.runners.leftovers import MARK
from crossfade.adapters.runners.places import Places
from crossfade.adapters.runners.serving import COMPOSED, Serve
from crossfade.adapters.runners.variables import VARIABLES, given_to, write_variables
from crossfade.adapters.runners.view import EXPORTS, HOME, MASKED, TOOLS, Mount, View
from crossfade.base.codec import to_json
from crossfade.core.pipeline.cloning import (
    CLONE_PASSWORD,
    CLONE_USER,
    SERVER,
    SSH_HOSTS,
    SSH_KEY,
    TOKEN,
    TOKEN_USER,
)
from crossfade.core.pipeline.work import KUBECONFIG, VOLUME, Inside
from crossfade.ports.runner import Order, RunId

SCRIPT = ".script"
KUBE, CONFIG = "kube", "config"
BOX, WANTED = "box", "in-image.json"
IN_CONTAINERS = "in-containers"
"""Name of the file that is there when an engine may have something of the run."""
_PASSED_ON = ("LANG", "LC_ALL", "TZ", "SSL_CERT_FILE", "NIX_SSL_CERT_FILE")
_PROXIES = ("http_proxy", "https_proxy", "no_proxy", "HTTP_PROXY", "HTTPS_PROXY", "NO_PROXY")
_STEERING = ("LD_", "BASH_", "GIT_", "SSH_", "XDG_", "PYTHON", "ENV", "SHELLOPTS", "PATH")
"""How variables begin that make shells, git and others run something else."""
_KNOWN = (SSH_KEY, SSH_HOSTS, TOKEN, TOKEN_USER, SERVER, CLONE_USER, CLONE_PASSWORD)
_INSTALLED = f"{HOME}/.local"
_INSTALLING = {"PIP_BREAK_SYSTEM_PACKAGES": "1", "NPM_CONFIG_PREFIX": _INSTALLED}
"""Has what a step installs go into its home, as nothing of the machine can be written."""
_OF_MACHINE = ("SSL_CERT_FILE", "NIX_SSL_CERT_FILE")
"""Variables that name files of this machine."""


@dataclass(frozen=True, slots=True)
class RunCommands:
    """Makes the commands of runs."""

    places: Places
    isolated: bool
    images: ImagePlace | None
    abandoned_seconds: float
    containers: Containers | None = None

    def in_container(self, order: Order) -> bool:
        """
        Return whether a run is in containers.

        Steps of our own are not, nor those for which people want the tools of the machine; but
        services are found only from where they are.
        """
        there = (order.inside, order.composition, order.beside)
        wanted = any(each is not None for each in there)
        return self.containers is not None and bool(order.image) and wanted

    def boxed(self, order: Order) -> bool:
        """Return whether a run sees the places of a step, and not those of the machine."""
        return bool(order.image) and (self.isolated or self.in_container(order))

    def seen(self, text: str, order: Order) -> str:
        """Return a text with the workspace as this run sees it."""
        if self.boxed(order):
            return text
        if order.kubeconfig:
            text = text.replace(KUBECONFIG, str(self.places.of(order.run) / KUBE / CONFIG))
        return text.replace(VOLUME, str(self.places.volume(order.run.build)))

    def command(self, order: Order, place: Path) -> tuple[list[str], dict[str, str]]:
        """
        Return what the keeper runs, and the environment of both.

        Variables of a step with an image are in a file that is written, for inside alone.
        """
        self._make_directory(order)
        what = next((name for name, asked in _boxes(order).items() if asked), "")
        if what and not self.isolated and not self.in_container(order):
            raise ValueError(f"{what} needs bubblewrap, which does not work here; install it")
        given = {"KUBECONFIG": KUBECONFIG} if order.kubeconfig else {}
        given |= order.environment
        given = {name: self.seen(value, order) for name, value in given.items()}
        installs = self.boxed(order) and order.inside is None and not self.in_container(order)
        given = {**_INSTALLING, **given} if installs else given
        if self.boxed(order):
            argv = self._boxed(order, place)
            own, tools = (HOME, EXPORTS, MASKED), TOOLS
        else:
            argv = self._bare(order, place)
            home = self.places.home(order.run.build)
            own_home = str(home) if order.image else os.environ.get("HOME", "/")
            own = (own_home, str(place / "exports"), str(place / "masked"))
            tools = str(place / "tools")
        names = ("HOME", "CF_EXPORT_FILE", "CF_EXPORT_MASKED")
        named: dict[str, str] = dict(zip(names, own, strict=True))
        passed = _passed(but=_OF_MACHINE if self.in_container(order) else ())
        if not order.image:  # runs on the machine itself, whatever other steps have exported
            given = {name: value for name, value in given.items() if not _steers(name)}
            return argv, _environment({**passed, **given}, named, tools, place)
        variables = _environment({**passed, **given}, named, tools, place)
        if installs:
            variables["PATH"] += f":{_INSTALLED}/bin"
        write_variables(place / VARIABLES, variables)
        return argv, self._of_keeper(order, place)

    def _of_keeper(self, order: Order, place: Path) -> dict[str, str]:
        """Return what the keeper is given, and who fetches images, and nobody inside."""
        given = _passed(but=())
        in_images = order.inside is not None or order.composition is not None
        if self.images is not None and (in_images or self.in_container(order)):
            given |= {**self.images.passwords(), **order.passwords}
        return {**given, "PATH": os.environ.get("PATH", os.defpath), MARK: str(place)}

    def _bare(self, order: Order, place: Path) -> list[str]:
        """Return the command of a run without a box."""
        directory = self.seen(order.directory, order)
        argv = [_shell(order), str(place / "tools" / SCRIPT)]
        if order.image:
            return given_to(place / VARIABLES, directory, argv)
        return ["/bin/sh", "-c", 'cd "$1" && exec "$2" "$3"', "step", directory, *argv]

    def _boxed(self, order: Order, place: Path) -> list[str]:
        view = View(
            self.places.volume(order.run.build),
            self.places.home(order.run.build),
            place / "tmp",
            place / "tools",
            place / "exports",
            place / "masked",
            place / KUBE if order.kubeconfig else None,
            tuple(self._more(order, place)),
        )
        mounts = view.mounts()
        if self.images is None:
            return self._in_box(order, mounts, place)
        if self.containers is not None and self.in_container(order):
            (place / IN_CONTAINERS).touch()
            argv = self._contained(order, mounts, place, self.images, self.containers)
        elif order.inside is not None:
            wanted = self._in_image(order, mounts, place, self.images)
            argv = in_image.command(wanted, place / WANTED, place / VARIABLES)
        else:
            argv = self._in_box(order, mounts, place)
        return self._composed(order, argv, mounts, self.images)

    def _in_box(self, order: Order, mounts: tuple[Mount, ...], place: Path) -> list[str]:
        argv = [_shell(order), f"{TOOLS}/{SCRIPT}"]
        return bubblewrap.command(mounts, order.directory, argv, place / VARIABLES)

    def _in_image(
        self, order: Order, mounts: tuple[Mount, ...], place: Path, images: ImagePlace
    ) -> InImage:
        return InImage(
            order.image,
            order.inside or Inside(),
            (order.shell, f"{TOOLS}/{SCRIPT}"),
            order.directory,
            order.environment.get("PATH", ""),
            mounts,
            str(place / BOX),
            images,
        )

    def _contained(
        self,
        order: Order,
        mounts: tuple[Mount, ...],
        place: Path,
        images: ImagePlace,
        containers: Containers,
    ) -> list[str]:
        wanted = InContainer(
            self._in_image(order, mounts, place, images),
            replace(containers, engine=containers.command.name),
            str(place),
            name_of(str(place), f"{order.run.key}-{order.run.number}"),
            self._network(order),
            order.secrets,
        )
        return in_container.command(wanted, place / WANTED, place / VARIABLES)

    def _network(self, order: Order) -> str:
        """Return the network of a run in containers: that of services beside it, else its own."""
        alone = order.composition is None and order.beside is None
        if self.containers is None or self.containers.network is Network.HOST or alone:
            return Network.HOST
        return network_of(str(self.places.of(order.beside or order.run)))

    def _composed(
        self, order: Order, argv: list[str], mounts: tuple[Mount, ...], images: ImagePlace
    ) -> list[str]:
        """Return the command that runs services and, if the step has a script, it beside them."""
        if order.composition is None:
            return argv
        folder = self.places.of(order.run) / COMPOSED
        wanted = Composed(
            order.composition,
            tuple(argv) if order.script else (),
            mounts,
            str(folder),
            str(self.places.volume(order.run.build)),
            order.directory,
            images,
            self._serve(order),
            str(self._hosts(order.beside)) if order.beside else "",
            self.containers if self.in_container(order) else None,
            self._network(order),
            order.secrets,
        )
        file = folder / "wanted.json"
        variables = self.places.of(order.run) / VARIABLES
        return in_image.own_program(composing.__name__, to_json(wanted), file, variables)

    def _serve(self, order: Order) -> Serve | None:
        if order.serving is None:
            return None
        build = "" if order.serving.outlives else str(self.places.build(order.run.build))
        return Serve(order.serving.most_seconds, build, self.abandoned_seconds)

    def _hosts(self, run: RunId) -> Path:
        """Return the file with the names of the services of a run."""
        return self.places.of(run) / COMPOSED / "hosts"

    def _more(self, order: Order, place: Path) -> Iterator[tuple[Path, str]]:
        """Yield the other folders and files that a run sees, and where."""
        for source, target in order.volumes:
            yield self._of_volume(order, source), target
        if order.composition is not None:
            (place / COMPOSED).mkdir(mode=0o700)
            self._hosts(order.run).touch()
            yield self._hosts(order.run), HOSTS
        elif order.beside is not None:
            yield self._hosts(order.beside), HOSTS

    def _of_volume(self, order: Order, path: str) -> Path:
        """Return where a folder of the workspace is; it is made when it is not there."""
        volume = self.places.volume(order.run.build)
        found = (volume / path.removeprefix(VOLUME).lstrip("/")).resolve()
        if not found.is_relative_to(volume.resolve()):
            raise ValueError(f"{path} is a link that leads out of the workspace")
        found.mkdir(parents=True, exist_ok=True)
        return found

    def _make_directory(self, order: Order) -> None:
        volume = self.places.volume(order.run.build)
        if order.directory.startswith(f"{VOLUME}/"):
            (volume / order.directory[len(VOLUME) + 1 :]).mkdir(parents=True, exist_ok=True)
        if self.boxed(order):
            (volume / "env_vars_to_export").touch()  # to be covered by that of the run


def _shell(order: Order) -> str:
    return shutil.which(order.shell) or "/bin/sh"


def _boxes(order: Order) -> dict[str, bool]:
    """Return what cannot be had without bubblewrap, and whether the run asks for it."""
    return {
        "a built image": order.inside is not None,
        "`volumes`": bool(order.volumes),
        "a composition": order.composition is not None,
        "a step beside services": order.beside is not None,
    }


def _passed(but: Collection[str]) -> dict[str, str]:
    """Return what every program needs of the variables of this process."""
    names = (*_PASSED_ON, *_PROXIES)
    return {name: os.environ[name] for name in names if name in os.environ and name not in but}


def _steers(name: str) -> bool:
    """Return whether a variable makes programs of the machine run something else."""
    return name.startswith(_STEERING) and name not in _KNOWN


def _environment(
    given: Mapping[str, str], own: Mapping[str, str], tools: str, place: Path
) -> dict[str, str]:
    path = given.get("PATH") or os.environ.get("PATH", os.defpath)
    named = {name: value for name, value in given.items() if name and "=" not in name}
    return {**named, **own, "PATH": f"{tools}:{path}", MARK: str(place)}
