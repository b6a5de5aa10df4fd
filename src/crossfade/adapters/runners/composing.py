"""
A composition: services, and a step or candidates beside them, all in one run.

This runs as a program in the run's own process group, so that everything ends with the run.  The
services share the machine's network; each is found by its name, at an address of its own.  In
containers they may have a network of their own instead.
"""

import hashlib
import json
import os
import signal
import sys
import time
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from types import FrameType
from typing import NoReturn

from crossfade.adapters.runners.boxes import Boxes, Command
from crossfade.adapters.runners.companions import Companion, end_all, ended, failure, say, start
from crossfade.adapters.runners.compositions import read_composition
from crossfade.adapters.runners.container_boxes import ContainerBoxes
from crossfade.adapters.runners.containers import Containers
from crossfade.adapters.runners.in_image import ImagePlace
from crossfade.adapters.runners.leftovers import MARK
from crossfade.adapters.runners.serving import READY, Serve, vanish
from crossfade.adapters.runners.variables import read_variables
from crossfade.adapters.runners.view import Mount
from crossfade.base.codec import from_json
from crossfade.base.errors import CrossfadeError, InputError
from crossfade.core.pipeline.composition import Composition, Probe, Service
from crossfade.core.pipeline.work import VOLUME, Inside

FAILED_EXIT_CODE = 1
GRACE_SECONDS = 3.0
"""Services may take so long to end by themselves."""
_PASSED_ON = ("LANG", "LC_ALL", "TZ", "http_proxy", "https_proxy", "no_proxy", "PATH", MARK)


@dataclass(frozen=True, slots=True)
class Composed:
    """What is to be run."""

    composition: Composition
    main: tuple[str, ...]
    """The command of the step; empty: candidates decide."""
    mounts: tuple[Mount, ...]
    """What the step and the candidates see."""
    folder: str
    """Of the run; it is there, and nobody else uses it."""
    volume: str
    directory: str
    """Where paths of the composition begin, as the step sees it."""
    where: ImagePlace
    serve: Serve | None = None
    """How long the services go on by themselves; None: beside a command or candidates."""
    beside: str = ""
    """A file with the names of other services."""
    containers: Containers | None = None
    """Everything runs in containers of these; None: in bubblewrap."""
    network: str = ""
    """That of the containers."""
    secrets: tuple[str, ...] = ()
    """Values that must not be shown."""

    @property
    def run(self) -> str:
        """The folder of the run, which marks what belongs to it."""
        return str(Path(self.folder).parent)


class _Composer:
    def __init__(self, wanted: Composed, given: Mapping[str, str]) -> None:
        """`given` are the variables of the step."""
        self._wanted, self._composition, self._given = wanted, wanted.composition, given
        folder = Path(wanted.folder)
        (folder / "boxes").mkdir()
        self._hosts = folder / "hosts"
        allowed = wanted.composition.host_images
        self._boxes: Boxes | ContainerBoxes = Boxes(
            folder / "boxes", self._hosts, wanted.where, allowed, given
        )
        if wanted.containers is not None:
            self._boxes = ContainerBoxes(
                folder / "boxes",
                self._hosts,
                wanted.where,
                wanted.containers,
                wanted.run,
                wanted.network,
                given,
                wanted.secrets,
            )
        self._children: list[Companion] = []
        self._services: list[Companion] = []

    def run(self) -> int:
        """Return the exit code, once nothing runs any more."""
        composition, wanted = self._composition, self._wanted
        services, candidates = read_composition(
            composition, self._given, wanted.directory, Path(wanted.volume)
        )
        names = self._write_hosts([*services, *candidates])
        try:
            self._boxes.begin(names, self._wanted.beside)
            boxes = {each.name: self._box(each) for each in services}
            for each in services:
                self._wait_for(each, services)
                self._services.append(self._start(each.name, *boxes[each.name], told=True))
            self._settle(services)
            serve = self._wanted.serve
            if serve is not None and not serve.build:
                self._tell_addresses()
            code = self._decide(candidates, services) if serve is None else self._serve(serve)
        finally:
            self._boxes.end(GRACE_SECONDS)
            end_all(self._children, GRACE_SECONDS)
        if self._wanted.serve is not None:
            vanish()
        return code

    def _serve(self, serve: Serve) -> int:
        """Return 0 when the services have gone on for as long as they may."""
        told = {each.name for each in self._services if each.process.poll() is not None}

        def look() -> None:
            for each in self._services:
                code = each.process.poll()
                if code is not None and each.name not in told:
                    told.add(each.name)
                    say(f"{each.name} has ended with exit code {code}")

        serve.until_over(Path(self._wanted.folder) / READY, look)
        say("the services are not wanted any more")
        return 0

    def _write_hosts(self, services: Sequence[Service]) -> Collection[str]:
        """Return the names of the services, which are written down with their addresses."""
        own = {name for each in services for name in (each.name, *each.aliases)}
        lines = list(_hosts_around(self._wanted.beside, own))
        # Without the number of the run: those that start anew are where steps have found them.
        key = self._wanted.run.rpartition("-")[0]
        for each in services:
            digest = hashlib.sha256(f"{key}/{each.name}".encode()).digest()
            address = f"127.{64 + digest[0] % 64}.{digest[1]}.{1 + digest[2] % 254}"
            lines.append(f"{address} {' '.join((each.name, *each.aliases))}\n")
        self._hosts.write_text("".join(lines))
        return own

    def _tell_addresses(self) -> None:
        """Say where those find the services that do not know their names."""
        for line in self._hosts.read_text().splitlines()[-len(self._services) :]:
            address, *names = line.split()
            say(f"{names[0]} is at {self._boxes.address(names[0], address)}")

    def _box(self, service: Service) -> tuple[list[str], dict[str, str]]:
        command = self._command(service, self._environment(service))
        return self._boxes.box(command, self._mounts(service))

    def _environment(self, service: Service) -> dict[str, str]:
        """Return what a service sees of our variables, and its own."""
        passed = {name: self._given[name] for name in _PASSED_ON if name in self._given}
        return {**passed, **service.environment}

    def _command(self, service: Service, given: Mapping[str, str]) -> Command:
        inside = Inside(service.entry_point, service.arguments, runs_script=False)
        names = (service.name, *service.aliases)
        given = dict(given)
        return Command(service.name, service.image, (), inside, service.directory, given, names)

    def _mounts(self, service: Service) -> list[Mount]:
        """Return what a service sees: a /tmp of its own, and the folders that it asks for."""
        own = Path(self._wanted.folder) / "places"
        temporary = own / f"tmp-{service.name.replace('/', '-')}"
        temporary.mkdir(parents=True, exist_ok=True)
        return [Mount(str(temporary), "/tmp"), *self._folders(service)]  # noqa: S108 - its own

    def _folders(self, service: Service) -> list[Mount]:
        return [Mount(str(self._of_volume(source)), target) for source, target in service.volumes]

    def _of_volume(self, source: str) -> Path:
        if source == self._given.get("CF_VOLUME_NAME"):
            return Path(self._wanted.volume)
        if not source.startswith("/"):
            named = Path(self._wanted.folder) / "places" / f"volume-{source}"
            named.mkdir(parents=True, exist_ok=True)
            return named
        volume = Path(self._wanted.volume).resolve()
        found = (volume / source.removeprefix(VOLUME).lstrip("/")).resolve()
        if not found.is_relative_to(volume):
            hint = "give a folder of the workspace"
            raise InputError(f"volumes: {source} leads out of the workspace", hint=hint)
        if not found.exists():
            found.mkdir(parents=True)
        return found

    def _start(
        self, name: str, argv: Sequence[str], environment: Mapping[str, str], *, told: bool
    ) -> Companion:
        companion = start(name, argv, environment, told=told)
        self._children.append(companion)
        return companion

    def _wait_for(self, service: Service, services: Sequence[Service]) -> None:
        for name, healthy in service.after.items():
            needed = next((each for each in services if each.name == name), None)
            if healthy and needed is not None and needed.health is not None:
                self._probe(needed.health, needed, f"{name} is not healthy")

    def _settle(self, services: Sequence[Service]) -> None:
        """Return once what is to be ready is ready, and set up."""
        if self._composition.ready is not None:
            self._probe(self._composition.ready, None, "the services are not ready")
        setup = self._composition.setup
        if setup is not None:
            child = self._start("setup", *self._of_step(setup, None), told=True)
            if child.process.wait():
                code = child.process.returncode
                hint = "see what it printed above"
                raise InputError(f"setup of the services ends with exit code {code}", hint=hint)
        for name in [each.name for each in self._services if each.process.poll() is not None]:
            say(f"{name} has ended already")

    def _of_step(self, probe: Probe, service: Service | None) -> tuple[list[str], dict[str, str]]:
        image = probe.image or (service.image if service is not None else "")
        wanted = Command("probe", image, probe.argv, directory=VOLUME)
        if service is None:
            return self._boxes.box(wanted, self._wanted.mounts)
        given = self._environment(service)
        wanted = replace(wanted, directory=service.directory, environment=given)
        return self._boxes.box(wanted, self._mounts(service))

    def _probe(self, probe: Probe, service: Service | None, what: str) -> None:
        argv, environment = self._of_step(probe, service)
        good = bad = 0
        patient_until = time.monotonic() + probe.grace_seconds
        while True:
            began = time.monotonic()
            why = failure(argv, environment, probe.timeout_seconds)
            if not why:
                good, bad = good + 1, 0
            else:
                good, bad = 0, bad + (time.monotonic() > patient_until)
            if good >= probe.successes:
                return
            if bad >= probe.failures:
                say(why)
                hint = "see what the services printed above, and how they are probed"
                raise InputError(f"{what}: {bad} tries failed", hint=hint)
            time.sleep(max(0.0, began + probe.period_seconds - time.monotonic()))

    def _decide(self, candidates: Sequence[Service], services: Sequence[Service]) -> int:
        """Return the exit code of the step, or of the first candidate that fails."""
        if self._wanted.main:
            # On the files of an image it still has to fetch that; the step itself sees neither.
            fetches = self._wanted.main[0] == sys.executable
            given = os.environ if fetches else self._wanted.where.without_passwords(os.environ)
            return ended(self._start("step", self._wanted.main, given, told=False))
        boxes = {each.name: self._box_of_candidate(each) for each in candidates}
        for each in candidates:
            self._wait_for(each, services)
        told = len(candidates) > 1
        running = [self._start(name, *box, told=told) for name, box in boxes.items()]
        codes = [ended(each) for each in running]
        for child, code in zip(running, codes, strict=True):
            if code:
                say(f"{child.name} ends with exit code {code}")
        return next((code for code in codes if code), 0)

    def _box_of_candidate(self, one: Service) -> tuple[list[str], dict[str, str]]:
        """Return a box that sees what steps see, and what the candidate asks for."""
        given = {**self._given, **self._composition.variables, **one.environment}
        own = [*self._wanted.mounts, *self._folders(one)]
        return self._boxes.box(self._command(one, given), own)


def _hosts_around(beside: str, own: Collection[str]) -> Iterator[str]:
    """Yield the names of the machine and of other services, as far as they are not used anew."""
    try:
        text = Path(beside or "/etc/hosts").read_text(errors="replace")
    except OSError:
        text = "127.0.0.1 localhost\n"
    for line in text.splitlines():
        address, *names = line.partition("#")[0].split() or [""]
        if left := [name for name in names if name not in own]:
            yield f"{address} {' '.join(left)}\n"


@contextmanager
def _ended_by_signals() -> Iterator[None]:
    """Turn the signal that ends us into an exception, so that nothing is left."""

    def end(number: int, _: FrameType | None) -> None:
        raise SystemExit(128 + number)

    for each in (signal.SIGTERM, signal.SIGINT):
        signal.signal(each, end)
    yield


def main() -> NoReturn:
    """Run the composition of a file, and end with the exit code of what decides."""
    try:
        with _ended_by_signals():
            wanted = from_json(Composed, json.loads(Path(sys.argv[1]).read_bytes()))
            sys.exit(_Composer(wanted, read_variables(Path(sys.argv[2]))).run())
    except CrossfadeError as error:
        say(f"{error}\nhint: {error.hint}")
    except (OSError, ValueError) as error:
        say(f"the composition cannot be run: {error}")
    sys.exit(FAILED_EXIT_CODE)
