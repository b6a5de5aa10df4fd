"""Errors as users meet them."""

import json
import os
import stat

import pytest

from crossfade.base.errors import (
    Conflict,
    Denied,
    InputError,
    NotFound,
    Unavailable,
    UnsafePlan,
)
from crossfade.cli.errors import report, wants_json


@pytest.mark.parametrize(
    ("error", "code"),
    [(InputError, 2), (NotFound, 3), (UnsafePlan, 4), (Conflict, 5), (Unavailable, 6), (Denied, 6)],
)
def test_each_class_of_error_has_its_exit_code(error, code, tmp_path, capsys):
    assert report(error("no", hint="go", b=2, a=1), tmp_path, as_json=False) == code
    assert capsys.readouterr().err == "error: no (a=1, b=2)\nhint: go\n"


def test_a_program_gets_the_error_as_json(tmp_path, capsys):
    report(Conflict("é changed", hint="read", at=tmp_path), tmp_path, as_json=True)
    printed = capsys.readouterr()

    assert printed.out == ""
    assert json.loads(printed.err) == {
        "error": {
            "code": "conflict",
            "message": "é changed",
            "facts": {"at": str(tmp_path)},
            "hint": "read",
            "exit_code": 5,
        }
    }


def test_an_unexpected_error_leaves_its_traceback_in_a_file_for_the_user_alone(tmp_path, capsys):
    try:
        raise ZeroDivisionError("by zero")
    except ZeroDivisionError as error:
        code = report(error, tmp_path / "crashes", as_json=False)
    (file,) = (tmp_path / "crashes").iterdir()
    err = capsys.readouterr().err

    assert code == 1
    assert err.startswith("error: unexpected: ZeroDivisionError: by zero\nhint: ")
    assert str(file) in err
    assert "Traceback" not in err
    assert 'raise ZeroDivisionError("by zero")' in file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


def test_a_report_that_cannot_be_written_there_is_written_elsewhere(tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_text("")
    (tmp_path / "tmp").mkdir()
    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "tmp"))
    report(ZeroDivisionError(), tmp_path / "file", as_json=False)

    assert str(tmp_path / "tmp") in capsys.readouterr().err
    assert len(list((tmp_path / "tmp").iterdir())) == 1

    monkeypatch.setattr("tempfile.gettempdir", lambda: str(tmp_path / "file"))
    report(ZeroDivisionError(), tmp_path / "file", as_json=False)
    assert "could not be written anywhere" in capsys.readouterr().err


def test_old_reports_are_forgotten(tmp_path, capsys):
    for number in range(30):
        (tmp_path / f"2020-{number:02}.txt").write_text("")
    report(ZeroDivisionError(), tmp_path, as_json=False)

    assert len(list(tmp_path.iterdir())) == 20
    assert not (tmp_path / "2020-00.txt").exists()


def test_of_a_group_of_our_errors_each_is_told_once(tmp_path, capsys):
    first, second = Unavailable("aws is silent", hint="wait"), Conflict("taken", hint="stop it")
    group = ExceptionGroup("x", [first, ExceptionGroup("y", [second, first])])

    assert report(group, tmp_path, as_json=False) == 6
    assert capsys.readouterr().err == (
        "error: aws is silent\nhint: wait\nerror: taken\nhint: stop it\n"
    )


def test_a_group_with_a_fault_of_ours_in_it_is_a_fault(tmp_path, capsys):
    group = ExceptionGroup("x", [Unavailable("aws is silent", hint="wait"), KeyError("k")])

    assert report(group, tmp_path, as_json=False) == 1
    assert "unexpected: ExceptionGroup" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("arguments", "wanted"),
    [
        (["x", "--output", "json"], True),
        (["x", "-o", "json", "--nonsense"], True),
        (["--output=json"], True),
        (["-ojson"], True),
        (["--output", "text"], False),
        (["json"], False),
        (["--", "--output", "json"], False),
        (["-o"], False),
    ],
)
def test_json_is_understood_even_where_the_rest_is_not(arguments, wanted):
    assert wants_json(arguments) is wanted


def test_reports_of_two_processes_do_not_collide(tmp_path, capsys, monkeypatch):
    report(ZeroDivisionError(), tmp_path, as_json=False)
    monkeypatch.setattr(os, "getpid", lambda: 1)
    report(ZeroDivisionError(), tmp_path, as_json=False)

    assert len(list(tmp_path.iterdir())) == 2
