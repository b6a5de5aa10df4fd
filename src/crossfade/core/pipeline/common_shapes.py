"""The keys that every step may have, and those of the pipeline itself."""

from collections.abc import Mapping

from crossfade.core.pipeline.shapes import (
    Anything,
    Flag,
    ListOf,
    MapOf,
    Nothing,
    Number,
    OneOf,
    Record,
    Shape,
    Text,
    Word,
)

RESULTS = (
    "success",
    "running",
    "failure",
    "skipped",
    "pending",
    "terminating",
    "terminated",
    "finished",
    "approved",
    "denied",
)
"""What `when.steps` may wait for."""

MODES = ("sequential", "parallel")
HOOKS = ("on_elected", "on_success", "on_fail", "on_finish")
_IDENTIFIER = r"[a-zA-Z0-9_]+"
_IDENTIFIERS = "letters, digits and _"

TEXT, TEXTS, FLAG, STRICT = Text(), ListOf(Text()), Flag(), Flag(strict=True)

CONDITIONS = MapOf(Text("an expression as a text"), _IDENTIFIER, f"names ({_IDENTIFIERS})")
CONDITION = Record({"all": CONDITIONS, "any": CONDITIONS})

_STEP = Record({"name": TEXT, "on": ListOf(Word(RESULTS), 1)}, required=("name",))
WHEN = Record(
    {
        "branch": Record({"ignore": TEXTS, "only": TEXTS}),
        "condition": CONDITION,
        "steps": OneOf(
            (
                ListOf(_STEP, 1),
                Record(
                    {"all": ListOf(_STEP, 1), "any": ListOf(_STEP, 1)}, exactly_one=("all", "any")
                ),
            )
        ),
    }
)

CRITERIA = Record(
    {
        "steps": OneOf((TEXTS, Record({"ignore": ListOf(TEXT, 1), "only": ListOf(TEXT, 1)}))),
        "condition": CONDITION,
    }
)

_EVALUATED = Record({"evaluate": TEXT}, required=("evaluate",))
_NOTE = OneOf(
    (
        MapOf(OneOf((TEXT, Flag(variable=False), Number(), _EVALUATED)), _IDENTIFIER, _IDENTIFIERS),
        Text(_IDENTIFIERS, rf"^{_IDENTIFIER}\Z"),
    )
)
NOTES = ListOf(_NOTE)
METADATA = Record({"set": ListOf(MapOf(NOTES, r"[^\n\r]+"))})
ANNOTATIONS = Record(
    {
        "set": ListOf(
            Record(
                {"entity_id": TEXT, "entity_type": TEXT, "annotations": NOTES, "display": TEXT},
                required=("annotations",),
            )
        ),
        "unset": ListOf(
            Record(
                {
                    "entity_id": TEXT,
                    "entity_type": TEXT,
                    "annotations": ListOf(Text(_IDENTIFIERS, rf"^{_IDENTIFIER}\Z")),
                },
                required=("annotations",),
            )
        ),
    }
)
NOTED: Mapping[str, Shape] = {"metadata": METADATA, "annotations": ANNOTATIONS}

_HOOK = OneOf((TEXTS, MapOf(Anything(), r"(?s).*")))
HOOKS_SHAPE = Record(dict.fromkeys(HOOKS, _HOOK))

ENVIRONMENT = Record(
    {
        "name": TEXT,
        "endpoints": ListOf(Record({"name": TEXT, "url": TEXT})),
        "type": Word(("kubernetes", "helm-release")),
        "change": TEXT,
        "filters": ListOf(
            Record({"cluster": TEXT, "namespace": TEXT, "releaseName": TEXT, "selectors": TEXTS})
        ),
    },
    required=("name",),
)

RETRY = Record(dict.fromkeys(("maxAttempts", "delay", "exponentialFactor"), Number(positive=True)))

TIMEOUT = Nothing(Text("a number and s, m or h, as 30s, 1.5h", r"^[0-9]*\.?[0-9]*[smh]\Z"))

_MACHINE = OneOf(
    (
        Record({"create": Record({"provider": TEXT})}),
        Record({"use": Record({"node": TEXT})}),
    )
)


def debug(*, override: bool) -> Record:
    """Return the shape of `debug`; only some steps can be overridden."""
    names = ("before", "override", "after") if override else ("before", "after")
    return Record({"phases": Record(dict.fromkeys(names, Flag(variable=False)))})


def common(stages: tuple[str, ...]) -> dict[str, Shape]:
    """Return the keys that every step may have; `stages` are those of the pipeline."""
    return {
        "title": TEXT,
        "description": TEXT,
        "stage": Word(stages, among=" (the pipeline's `stages`)"),
        "fail_fast": FLAG,
        "strict_fail_fast": STRICT,
        "when": WHEN,
        "retry": RETRY,
        "timeout": TIMEOUT,
        "env": ENVIRONMENT,
        "hooks": HOOKS_SHAPE,
        "debug": debug(override=False),
        "arguments": MapOf(Anything(), r"(?s).*"),
        "docker_machine": _MACHINE,
        **dict.fromkeys(("on_success", "on_fail", "on_finish"), Record(NOTED)),
    }


ROOT = Record(
    {
        "version": Number(positive=True),
        "mode": Word(MODES),
        "stages": TEXTS,
        "steps": MapOf(MapOf(Anything(), r"(?s).*"), r"[^\n\r]+"),
        "fail_fast": OneOf((TEXT, FLAG, MapOf(Anything(), r"(?s).*"))),
        "strict_fail_fast": STRICT,
        "success_criteria": CRITERIA,
        "hooks": HOOKS_SHAPE,
        "services": MapOf(Anything(), r"(?s).*"),
        "indicators": ListOf(),
        "build_version": Word(("v1", "v2")),
    },
    required=("version", "steps"),
)

HOOK_NOTES = Record(NOTED)
HOOK_STEPS = Record(
    {
        "mode": Word(MODES),
        "fail_fast": FLAG,
        "strict_fail_fast": STRICT,
        "steps": MapOf(MapOf(Anything(), r"(?s).*"), r"[^\n\r]+"),
    }
)
"""Several steps in one hook."""
HOOK_EXEC = OneOf((TEXTS, MapOf(Anything(), r"(?s).*")))
