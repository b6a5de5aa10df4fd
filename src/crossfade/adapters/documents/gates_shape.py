"""Freeze windows, gates and hooks in files: their keys, and what the core makes of them."""

from typing import cast

from crossfade.adapters.documents.shapes import (
    Choice,
    Duration,
    Field,
    OneKey,
    Places,
    Read,
    Record,
    Text,
)
from crossfade.adapters.documents.webhook_shape import WEBHOOK, NamedList, endpoint
from crossfade.base.errors import InputError
from crossfade.base.units import LONGEST_SECONDS
from crossfade.core.rollout.cron import parse_cron
from crossfade.core.rollout.freeze import FreezeWindow, freeze_window
from crossfade.core.rollout.gates import Gate, GatePoint, Hook, HookPhase, Moment, OnFailure

NAME = Text(
    "lower-case letters, digits and dashes, at most 63", r"[a-z0-9]([-a-z0-9]*[a-z0-9])?", 63
)
_CRON = Text("`minute hour day-of-month month day-of-week`, as `0 18 * * fri`")


def _check_window(window: Read, places: Places) -> None:
    begins, zone = str(window.get("begins", "@daily")), str(window.get("timeZone", "UTC"))
    for key, test in (
        ("begins", lambda: parse_cron(begins)),
        ("timeZone", lambda: freeze_window("", "@daily", 60, zone)),
    ):
        try:
            test()
        except InputError as error:
            places.wrong(key, f"{error.what}; {error.hint}")


WINDOW = Record(
    {
        "name": Field(NAME, "Shown as the reason.", required=True),
        "begins": Field(_CRON, "When it begins, as cron writes it.", required=True),
        "duration": Field(
            Duration(60, LONGEST_SECONDS), "How long it lasts, in real time.", required=True
        ),
        "timeZone": Field(
            Text("a name of the IANA database, as Europe/Berlin, or UTC"),
            "Whose clock `begins` goes by.",
            default="UTC",
        ),
    },
    check=_check_window,
)
FREEZE = NamedList(WINDOW, 'a list, as `- {name: weekend, begins: "0 18 * * fri", duration: 62h}`')

GATE = Record(
    {
        "name": Field(NAME, "Shown as the reason.", required=True),
        "before": Field(
            Choice(tuple(GatePoint)),
            "What waits for it: the first users, each further share, or all users.",
            default="start",
        ),
        "webhook": Field(WEBHOOK, "It is open while this answers with any 2xx.", required=True),
    }
)
GATES = NamedList(GATE, "a list, as `- {name: board, webhook: {url: https://...}}`")


_PHASE = Choice(tuple(HookPhase))
HOOK = Record(
    {
        "name": Field(NAME, "Shown as the reason.", required=True),
        "before": Field(_PHASE, "It is called before this phase begins."),
        "after": Field(_PHASE, "It is called after this phase has ended."),
        "webhook": Field(WEBHOOK, "What is called; any 2xx is a success.", required=True),
        "onFailure": Field(
            Choice(tuple(OnFailure)),
            "What follows when it fails; a rollback is never held up.",
            default="hold",
        ),
    },
    check=OneKey(tuple(Moment), "a hook"),
)
HOOKS = NamedList(HOOK, "a list, as `- {name: smoke, before: promoting, webhook: {...}}`")


def windows(value: object) -> tuple[FreezeWindow, ...]:
    """Return the freeze windows that were read with FREEZE."""
    return tuple(
        freeze_window(
            str(each["name"]),
            str(each["begins"]),
            cast(float, each["duration"]),
            str(each.get("timeZone", "UTC")),
        )
        for each in cast("tuple[Read, ...]", value)
    )


def gates(value: object) -> tuple[Gate, ...]:
    """Return the gates that were read with GATES."""
    return tuple(
        Gate(
            str(each["name"]),
            endpoint(each["webhook"]),
            GatePoint(str(each.get("before", GatePoint.START))),
        )
        for each in cast("tuple[Read, ...]", value)
    )


def hooks(value: object) -> tuple[Hook, ...]:
    """Return the hooks that were read with HOOKS."""
    return tuple(_hook(each) for each in cast("tuple[Read, ...]", value))


def _hook(read: Read) -> Hook:
    moment = Moment.BEFORE if Moment.BEFORE in read else Moment.AFTER
    return Hook(
        str(read["name"]),
        moment,
        HookPhase(str(read[moment])),
        endpoint(read["webhook"]),
        OnFailure(str(read.get("onFailure", OnFailure.HOLD))),
    )
