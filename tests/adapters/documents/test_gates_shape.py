"""Freeze windows, gates and hooks in files."""

import pytest

from crossfade.adapters.documents.gates_shape import FREEZE, GATES, HOOKS, gates, hooks, windows
from crossfade.adapters.documents.problems import Problems
from crossfade.adapters.documents.tree import read_tree
from crossfade.core.rollout.freeze import FreezeWindow
from crossfade.core.rollout.gates import (
    Endpoint,
    Gate,
    GatePoint,
    Hook,
    HookPhase,
    Moment,
    OnFailure,
)

X = Endpoint("https://x.test")


def read(shape, text):
    problems = Problems("file")
    (tree,) = read_tree(text, problems)
    return shape.read(tree, "x", problems), [
        f"{each.path}: {each.message}" for each in problems.found
    ]


def test_freeze_windows_are_taken():
    found, problems = read(
        FREEZE,
        """
- {name: weekend, begins: "0 18 * * fri", duration: 62h, timeZone: Europe/Berlin}
- {name: night, begins: "@daily", duration: 6h}
""",
    )
    assert problems == []
    assert windows(found) == (
        FreezeWindow("weekend", "0 18 * * fri", 62 * 3600.0, "Europe/Berlin"),
        FreezeWindow("night", "@daily", 6 * 3600.0),
    )


def test_gates_are_taken():
    found, problems = read(
        GATES,
        """
- {name: board, webhook: {url: "https://x.test"}}
- {name: budget, before: promotion, webhook: {url: "https://x.test"}}
""",
    )
    assert problems == []
    assert gates(found) == (Gate("board", X), Gate("budget", X, GatePoint.PROMOTION))


def test_hooks_are_taken():
    found, problems = read(
        HOOKS,
        """
- {name: smoke, before: promoting, onFailure: roll-back, webhook: {url: "https://x.test"}}
- {name: tell, after: ended, webhook: {url: "https://x.test"}}
""",
    )
    assert problems == []
    assert hooks(found) == (
        Hook("smoke", Moment.BEFORE, HookPhase.PROMOTING, X, OnFailure.ROLL_BACK),
        Hook("tell", Moment.AFTER, HookPhase.ENDED, X),
    )


@pytest.mark.parametrize(
    ("shape", "text", "message"),
    [
        (
            FREEZE,
            '- {name: a, begins: "0 25 * * *", duration: 1h}',
            "x[0].begins: `25` is not allowed as the hour",
        ),
        (
            FREEZE,
            '- {name: a, begins: "0 1 * * *", duration: 1h, timeZone: Berlin}',
            "x[0].timeZone: there is no time zone `Berlin`",
        ),
        (FREEZE, '- {name: a, begins: "0 1 * * *", duration: 10s}', "x[0].duration: "),
        (FREEZE, '- {name: a, begins: "0 1 * * *"}', "x[0].duration: is missing"),
        (
            FREEZE,
            '[{name: a, begins: "@daily", duration: 1h}, {name: a, begins: "@daily", duration: 1h}]',
            "x[1].name: is the name of an entry above already",
        ),
        (FREEZE, "weekend", "allowed: a list"),
        (
            GATES,
            "- {name: a, before: lunch, webhook: {url: 'https://x'}}",
            "allowed: start, step, promotion",
        ),
        (GATES, "- {name: a}", "x[0].webhook: is missing"),
        (HOOKS, "- {name: a, webhook: {url: 'https://x'}}", "exactly one of before, after"),
        (
            HOOKS,
            "- {name: a, before: ended, after: ended, webhook: {url: 'https://x'}}",
            "exactly one of before, after",
        ),
        (
            HOOKS,
            "- {name: a, before: promotion, webhook: {url: 'https://x'}}",
            'did you mean "promoting"',
        ),
        (
            HOOKS,
            "- {name: a, before: ended, onFailure: fail, webhook: {url: 'https://x'}}",
            "allowed: hold, ignore, roll-back",
        ),
    ],
)
def test_what_is_wrong_is_told_at_its_key(shape, text, message):
    _, problems = read(shape, text)
    assert any(message in each for each in problems), problems
