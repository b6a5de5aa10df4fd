"""The built-in builder: a Dockerfile and a folder become an image, without an engine and rights."""

import platform
import shutil
import tempfile
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import assert_never

from crossfade.adapters.images import copying, running
from crossfade.adapters.images.cache import LayerCache
from crossfade.adapters.images.layers import Item
from crossfade.adapters.images.loading import Loaded, load
from crossfade.adapters.images.stage_files import StageFiles
from crossfade.adapters.images.store import ImageStore
from crossfade.base.errors import InputError
from crossfade.core.image.bases import HOST, HOST_LABEL, SCRATCH, known_base
from crossfade.core.image.dockerfile import Dockerfile, Instruction, parse
from crossfade.core.image.documents import (
    CONFIG,
    MANIFEST,
    ImageConfig,
    Layer,
    canonical,
    config_document,
    described,
    digest,
    manifest_document,
)
from crossfade.core.image.evaluate import Act, Copy, Given, Run, Standing, after, cache_key
from crossfade.core.image.reference import Reference, reference
from crossfade.core.image.stages import Stage, Stages, stages, unused
from crossfade.ports.image_builder import BuildOrder, Built

BUILT_IN = "built-in"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_ROOT_USERS = ("", "0", "root", "0:0", "root:root")


@dataclass(slots=True)
class _Stage:
    """A stage that is being built, or an image that is copied from."""

    files: StageFiles
    config: ImageConfig

    @property
    def key(self) -> str:
        """What says which files these are: by their content, so that the same ones are the same."""
        below = HOST if self.files.on_host else SCRATCH
        return digest(canonical([below, *(each.diff_id for each in self.files.layers)]))


def machine_platform() -> tuple[str, str]:
    """Return system and architecture of images that are built here."""
    machine = platform.machine()
    return "linux", _ARCHITECTURES.get(machine, machine)


def _nowhere(_: Reference) -> bool:
    return False


class Builder:
    """Builds one image; `say` is told each step and what commands print."""

    def __init__(
        self,
        store: ImageStore,
        cache: LayerCache,
        order: BuildOrder,
        say: Callable[[str], None],
        fetch: Callable[[Reference], bool] = _nowhere,
    ) -> None:
        """`fetch` brings an image here from a registry, and returns whether it knows one."""
        self._store, self._cache, self._order, self._say = store, cache, order, say
        self._fetch, self._file = fetch, parse(order.text, str(order.path))
        self._done: dict[int, _Stage] = {}
        self._copied: dict[str, _Stage] = {}
        self._context: copying.Files | None = None
        self._made = self._folders = 0
        self._may_run = False
        self._working = Path()

    def build(self) -> Built:
        """
        Return the image, kept under its names.

        Raises InputError with the line of what cannot be built or has failed, NotFound for a base
        that is not there, Unavailable for what this machine cannot do.  Names stay as they were.
        """
        order = self._order
        plan = stages(self._file, order.arguments, order.target)
        for name in unused(self._file, order.arguments):
            self._say(f"notice: no ARG asks for the build argument {name}")
        with self._store.adding(), self._store.working() as working:
            self._working = working
            for stage in plan.needed:
                self._done[stage.number] = self._build_stage(plan, stage)
            return self._keep(self._done[plan.target.number])

    def _keep(self, target: _Stage) -> Built:
        labels = dict(target.config.labels)
        if target.files.on_host:
            labels[HOST_LABEL] = HOST
        config = replace(target.config, labels=labels)
        layers, names = target.files.layers, self._order.names
        document = config_document(config, layers, machine_platform(), self._order.created)
        content = canonical(document)
        self._store.put([content])
        config_entry = described(CONFIG, content)
        manifest = canonical(manifest_document(config_entry, layers))
        self._store.put([manifest])
        image = described(MANIFEST, manifest)
        known = self._store.images()
        unchanged = bool(names) and all(known.get(str(each)) == image for each in names)
        if not unchanged:
            self._store.name(image, names)
        return Built(image, config_entry.digest, len(layers), self._made, unchanged)

    def _build_stage(self, plan: Stages, stage: Stage) -> _Stage:
        now = self._base(plan, stage)
        order = self._order
        given = Given(self._file, order.arguments, plan.arguments)
        standing = Standing(now.config)
        for one in stage.instructions:
            standing, act = after(given, standing, one)
            if act is not None:
                self._perform(plan, stage, now, one, act)
        now.config = standing.config
        return now

    def _base(self, plan: Stages, stage: Stage) -> _Stage:
        below = plan.earlier(stage, stage.base)
        if below is not None:
            done = self._done[below.number]
            files = self._files(done.files.layers, on_host=done.files.on_host)
            return _Stage(files, done.config)
        self._check_platform(stage)
        problem = _problem(self._file, stage.line)
        if stage.base == SCRATCH:
            return _Stage(self._files((), on_host=False), ImageConfig())
        loaded = self._image(stage.base)
        if loaded is not None:
            return self._stage_of(loaded)
        known = known_base(stage.base)
        if known is None:
            raise problem(
                f"the base {stage.base} is neither known nor kept here",
                "`crossfade image pull` it, make its registry known with `crossfade image registry "
                "add`, build it here before under this name, or build on `host` (this machine's "
                "tools) or `scratch`",
            )
        missing = [each for each in known.commands if shutil.which(each) is None]
        if missing:
            hint = f"install {', '.join(missing)}, or `crossfade image pull` the image"
            raise problem(f"for the base {stage.base} this machine needs {missing[0]}", hint)
        if known.notice:
            self._say(f"notice: {known.notice}")
        return _Stage(self._files((), on_host=True), ImageConfig())

    def _check_platform(self, stage: Stage) -> None:
        own = "/".join(machine_platform())
        if stage.platform in ("", own) or "$" in stage.platform:
            return
        hint = f"images for {own} can be built here"
        raise _problem(self._file, stage.line)(f"FROM --platform={stage.platform}", hint)

    def _image(self, name: str) -> Loaded | None:
        """Return an image that is kept here, or was fetched just now."""
        wanted = reference(name)
        found = load(self._store, wanted)
        if found is None and self._fetch(wanted):
            found = load(self._store, wanted)
        return found

    def _stage_of(self, loaded: Loaded) -> _Stage:
        on_host = loaded.config.labels.get(HOST_LABEL) == HOST
        files = self._files(loaded.layers, on_host=on_host)
        return _Stage(files, loaded.config)

    def _files(self, layers: Iterable[Layer], *, on_host: bool) -> StageFiles:
        self._folders += 1
        folder = self._working / f"stage-{self._folders}"
        return StageFiles(self._store, folder, layers, on_host=on_host)

    def _perform(self, plan: Stages, stage: Stage, now: _Stage, one: Instruction, act: Act) -> None:
        """Put the layer of an instruction on top: one that was made before, or a new one."""
        flags = "".join(f"--{name}={value} " for name, value in one.flags)
        made_by = f"{one.keyword} {flags}{one.text}"
        self._say(f"line {one.line}: {made_by}")
        problem = _problem(self._file, one.line)
        source = self._source(plan, stage, act, problem)
        said = source.key if source else self._inputs(act, problem)
        key = cache_key(f"{now.key} {self._order.time}", act, said)
        layer = None if self._order.no_cache else self._cache.find(key, made_by)
        if layer is not None:
            now.files.layers.append(layer)
            self._say("  unchanged: taken from an earlier build")
            return
        working = Path(tempfile.mkdtemp(dir=self._working))
        match act:
            case Copy():
                files = copying.all_files(source.files.root()) if source else self._context_files()
                found = list(copying.items(act, files, problem, now.files.place))
                target = now.files.place(act.target)
                items = list(
                    copying.unpacked(found, target, working)
                    if act.unpacks
                    else (item for _, item in found)
                )
            case Run():
                items = self._run(
                    act, running.Place(now.files.root(), now.files.on_host, working), problem
                )
            case _:
                assert_never(act)
        self._made += 1
        self._cache.keep(key, now.files.add(items, made_by, self._order.time))

    def _context_files(self) -> copying.Files:
        if self._context is None:
            self._context = copying.context_files(self._order.context, self._order.path)
        return self._context

    def _inputs(self, act: Act, problem: Callable[[str, str], InputError]) -> str:
        """Return the digest of the files of the context that a COPY takes, "" for a RUN."""
        if not isinstance(act, Copy):
            return ""
        found = copying.items(act, self._context_files(), problem, lambda path: path)
        return copying.inputs(item for _, item in found)

    def _source(
        self, plan: Stages, stage: Stage, act: Act, problem: Callable[[str, str], InputError]
    ) -> _Stage | None:
        """Return the stage or the image that `--from` means, None for the context."""
        if not isinstance(act, Copy) or not act.source:
            return None
        below = plan.earlier(stage, act.source)
        if below is not None:
            return self._done[below.number]
        if act.source not in self._copied:
            loaded = self._image(act.source)
            if loaded is None:
                hint = "name an earlier stage, or an image of `crossfade image list`"
                raise problem(f"there is neither a stage nor an image {act.source} here", hint)
            self._copied[act.source] = self._stage_of(loaded)
        return self._copied[act.source]

    def _run(
        self, act: Run, place: running.Place, problem: Callable[[str, str], InputError]
    ) -> list[Item]:
        if act.user not in _ROOT_USERS:
            hint = "put RUN before USER; what COPY --chown gives away stays as it is"
            raise problem(f"RUN as the user {act.user} is not supported", hint)
        if not self._may_run:
            running.check_usable(Path(tempfile.mkdtemp(dir=self._working)))
            self._may_run = True
        code = running.run(act, place, lambda line: self._say(f"  {line}"))
        if code != 0:
            hint = "see what it printed above; images keep what they were"
            if not place.on_host:
                hint = "it has only the image's files: build on `host` to have this machine's tools"
            elif code == 127:
                hint = (
                    "a command is not there: install it on this machine, COPY it, or build on the "
                    "image itself, with podman or docker or after `crossfade image pull`"
                )
            raise problem(f"the command ended with exit code {code}", hint)
        return list(running.changes(place))


def _problem(file: Dockerfile, line: int) -> Callable[[str, str], InputError]:
    """Return what makes the errors of a line."""
    return lambda what, hint: file.problem(line, what, hint)


@dataclass(frozen=True, slots=True)
class BuiltInBuilder:
    """Builds by itself; needs an engine for nothing."""

    store: ImageStore
    cache: LayerCache
    say: Callable[[str], None]
    fetch: Callable[[Reference], bool] = _nowhere

    @property
    def name(self) -> str:
        """Return what people call it."""
        return BUILT_IN

    def build(self, order: BuildOrder) -> Built:
        """Return the image; see the port for errors."""
        return Builder(self.store, self.cache, order, self.say, self.fetch).build()
