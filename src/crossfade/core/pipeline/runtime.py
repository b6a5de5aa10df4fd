"""Where the steps of a build run: what a pipeline or a person says about it."""

import re
from dataclasses import dataclass, replace
from enum import StrEnum

from crossfade.base.errors import InputError
from crossfade.base.words import did_you_mean
from crossfade.core.pipeline.document import Settings


class RunnerKind(StrEnum):
    """What steps run in."""

    PROCESS = "process"
    CONTAINER = "container"
    POD = "pod"


_QUANTITY = re.compile(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?")
_HINT = "runtimeEnvironment: {name: pod/CLUSTER, cpu: 500m, memory: 1Gi} asks for pods"


@dataclass(frozen=True, slots=True)
class Runtime:
    """Where steps run, and what they ask for there."""

    runner: RunnerKind | None = None
    """None: what the setting says."""
    clusters: tuple[str, ...] = ()
    """For pods, the best first; (): any of the fleet."""
    cpu: str = ""
    """Of each step, as Kubernetes writes it; "": the runner's own default."""
    memory: str = ""


def over(written: Runtime, asked: Runtime) -> Runtime:
    """Return what is written, with what a person asks for in its place."""
    if asked.runner is None and not asked.clusters:
        return written
    return replace(written, runner=asked.runner, clusters=asked.clusters)


def runner_named(text: str, source: str) -> RunnerKind:
    """Return the runner of this name.  Raises InputError."""
    try:
        return RunnerKind(text)
    except ValueError:
        known = [each.value for each in RunnerKind]
        raise InputError(
            f"{source}: no runner is called {text!r}{did_you_mean(text, known)}",
            hint=f"allowed: {', '.join(known)}",
        ) from None


def runtime_of(spec: Settings) -> Runtime:
    """
    Return what the spec of a pipeline says of `runtimeEnvironment` (or `runtime`).

    Names of environments that Codefresh knows and we do not leave the choice to the setting, so
    that files need not be changed.  Raises InputError.
    """
    key = "runtimeEnvironment" if spec.get("runtimeEnvironment") is not None else "runtime"
    given = spec.get(key)
    if isinstance(given, str):
        given = {"name": given}
    if not isinstance(given, dict):
        return Runtime()
    kind, _, cluster = str(given.get("name") or "").partition("/")
    found = {name: str(given.get(name) or "").strip() for name in ("cpu", "memory")}
    for name, value in found.items():
        if value and not _QUANTITY.fullmatch(value):
            raise InputError(f"{key}: {name} is {value!r}, no quantity", hint=_HINT)
    known = kind in set(RunnerKind) and (not cluster or kind == RunnerKind.POD)
    runner = RunnerKind(kind) if known else None
    clusters = (cluster,) if known and cluster else ()
    return Runtime(runner, clusters, found["cpu"], found["memory"])
