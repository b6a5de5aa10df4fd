"""`spec.rollout` as the core's Strategy: every kind of strategy becomes steps."""

from typing import cast

from crossfade.adapters.documents.gates_shape import gates, hooks, windows
from crossfade.adapters.documents.matches import matches
from crossfade.adapters.documents.shapes import Read, given, listed, part
from crossfade.base.ids import ClusterName
from crossfade.core.rollout.spec import (
    Analyse,
    Approval,
    Deadlines,
    Kind,
    Pause,
    Ramp,
    SetHeaderRoute,
    SetMirror,
    SetScale,
    SetWeight,
    Step,
    Strategy,
    Unreachable,
    Wave,
)
from crossfade.core.traffic.split import Sticky

PREVIEW = "preview"
_ROLLING_STEPS = (25, 50, 75)
_FOREVER = "forever"


_PLAIN = {
    "maxSkew": "max_skew",
    "maxVersions": "max_versions",
    "quorum": "quorum",
    "keepLimit": "keep_limit",
    "revisionWindow": "revision_window",
    "drain": "drain_seconds",
}
_DEADLINES = {
    "readyTimeout": "ready_seconds",
    "stepTimeout": "step_seconds",
    "timeout": "whole_seconds",
}


def strategy(rollout: Read, survive: int) -> Strategy:
    """Return the strategy that was read."""
    kind, steps = _steps(rollout)
    more = given(rollout, _PLAIN)
    if "keepOld" in rollout:
        kept = rollout["keepOld"]
        more["keep_old_seconds"] = None if kept == _FOREVER else kept
    if "stickiness" in rollout:
        more["sticky"] = _sticky(part(rollout, "stickiness"))
    deadlines = Deadlines(**given(rollout, _DEADLINES))  # type: ignore[arg-type]
    return Strategy(
        steps=steps,
        kind=kind,
        in_place=bool(part(rollout, "rolling").get("inPlace", False)),
        waves=tuple(_wave(each) for each in listed(rollout, "waves")),
        unreachable=Unreachable(str(rollout.get("unreachable", "hold"))),
        deadlines=deadlines,
        freeze=windows(rollout.get("freeze", ())),
        gates=gates(rollout.get("gates", ())),
        hooks=hooks(rollout.get("hooks", ())),
        survive=survive,
        **more,  # type: ignore[arg-type]
    )


def _steps(rollout: Read) -> tuple[Kind, tuple[Step, ...]]:
    if "blueGreen" in rollout:
        return Kind.BLUE_GREEN, _blue_green(part(rollout, "blueGreen"))
    if "abTest" in rollout:
        return Kind.A_B, _a_b(part(rollout, "abTest"))
    if "rolling" in rollout:
        percents = cast("tuple[int, ...]", part(rollout, "rolling").get("steps", _ROLLING_STEPS))
        return Kind.ROLLING, tuple(SetWeight(each) for each in percents)
    canary = part(rollout, "canary")
    if "ramp" in canary:
        return Kind.CANARY, (_ramp(canary["ramp"]),)
    return Kind.CANARY, _list(canary, "steps")


def _list(values: Read, key: str) -> tuple[Step, ...]:
    return tuple(_step(each) for each in listed(values, key))


def _blue_green(values: Read) -> tuple[Step, ...]:
    """Return: all its pods, the preview, what comes before, the switch, what comes after."""
    steps: list[Step] = [SetScale(100)]
    preview = matches(values.get("preview", ()))
    if preview:
        steps.append(SetHeaderRoute(PREVIEW, preview))
    steps += _list(values, "before")
    auto = values.get("autoPromote", True)
    if auto is False:
        steps.append(Pause())
    elif isinstance(auto, dict):
        steps.append(Pause(cast(float, auto["duration"])))
    steps.append(SetWeight(100))
    if preview:
        steps.append(SetHeaderRoute(PREVIEW))
    return (*steps, *_list(values, "after"))


def _a_b(values: Read) -> tuple[Step, ...]:
    duration = cast("float | None", values.get("duration"))
    route = SetHeaderRoute("ab-test", matches(values["match"]))
    return (SetScale(100), route, Pause(duration), SetHeaderRoute("ab-test"))


def _step(step: Read) -> Step:
    (key, value) = next(iter(step.items()))
    read = cast(Read, value) if isinstance(value, dict) else {}
    match key:
        case "setWeight":
            return SetWeight(cast(int, value))
        case "pause":
            return Pause(cast("float | None", read.get("duration")))
        case "setScale":
            return SetScale(cast("int | None", read.get("percent")))
        case "setHeaderRoute":
            return SetHeaderRoute(str(read["name"]), matches(read.get("match", ())))
        case "setMirror":
            return SetMirror(cast(int, value))
        case "analysis":
            run, seconds = read.get("run"), cast("float | None", read.get("duration"))
            return Analyse(None if run is None else str(run), seconds)
        case "approval":
            return Approval(str(read.get("message", "")))
        case _:
            return _ramp(value)


def _ramp(value: object) -> Ramp:
    read = value if isinstance(value, dict) else {}
    return Ramp(**given(cast(Read, read), {"maxWeight": "max_percent"}))  # type: ignore[arg-type]


def _wave(wave: Read) -> Wave:
    clusters, pause = wave["clusters"], cast(float, wave.get("pause", 0.0))
    if isinstance(clusters, dict):
        return Wave((), cast("dict[str, str]", clusters["matchLabels"]), pause)
    names = cast("tuple[str, ...]", clusters)
    return Wave(tuple(ClusterName(each) for each in names), pause_seconds=pause)


def _sticky(values: Read) -> Sticky:
    cookie = str(values.get("cookie", "crossfade-revision"))
    return Sticky(cookie, cast(float, values.get("ttl", 3600.0)))
