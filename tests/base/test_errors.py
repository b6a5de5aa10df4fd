"""Errors tell scripts by their exit code, and people by facts, what went wrong."""

import pytest

from crossfade.base import errors
from crossfade.base.errors import Conflict, CrossfadeError, Denied, Unavailable, ungrouped

CODES = {
    "CrossfadeError": ("internal", 1),
    "InputError": ("invalid-input", 2),
    "NotFound": ("not-found", 3),
    "UnsafePlan": ("unsafe-plan", 4),
    "Conflict": ("conflict", 5),
    "Unavailable": ("unavailable", 6),
    "Denied": ("denied", 6),
    "RolloutFailed": ("rollout-failed", 7),
    "NotSignedIn": ("not-signed-in", 8),
    "NotAllowed": ("not-allowed", 8),
    "TooManyRequests": ("too-many-requests", 6),
}


def test_scripts_can_rely_on_the_exit_codes():
    found = {
        name: (each.code, each.exit_code)
        for name, each in vars(errors).items()
        if isinstance(each, type) and issubclass(each, CrossfadeError)
    }

    assert found == CODES


@pytest.mark.parametrize("name", list(CODES)[1:])
def test_the_overview_tells_the_exit_code_of_each_class(name):
    (line,) = [line for line in errors.__doc__.splitlines() if line.split()[:1] == [name]]

    assert line.endswith(f"(exit {CODES[name][1]})")


def test_facts_are_shown_in_a_fixed_order():
    error = Conflict("it differs", hint="read again", version=3, name="colors")

    assert str(error) == "it differs (name=colors, version=3)"
    assert (error.what, error.hint) == ("it differs", "read again")


def test_without_facts_there_are_no_brackets():
    assert str(Conflict("it differs", hint="read again")) == "it differs"


def test_a_refusal_is_handled_where_silence_is():
    assert issubclass(Denied, Unavailable)


def test_a_group_of_errors_is_shown_as_the_first_of_them():
    denied = Denied("no", hint="log in")

    assert ungrouped(ExceptionGroup("g", [ExceptionGroup("h", [denied])])) is denied


def test_a_bug_is_never_hidden_behind_an_error_that_was_raised_on_purpose():
    group = ExceptionGroup("g", [Denied("no", hint="log in"), ValueError("a bug")])

    assert ungrouped(group) is group
