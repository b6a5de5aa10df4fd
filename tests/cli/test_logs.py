"""Logs that a person reads and a program searches."""

import json
import logging
import sys

import pytest

from crossfade.cli.logs import KeyedFormatter, LogFormat, configure


@pytest.fixture(autouse=True)
def _restored():
    root = logging.getLogger()
    before = root.handlers[:], root.level
    yield
    for handler in set(root.handlers) - set(before[0]):
        root.removeHandler(handler)
    root.handlers[:], root.level = before


def record(message, **facts):
    made = logging.LogRecord("x", logging.WARNING, "x.py", 1, message, (), None)
    vars(made).update(facts)
    return made


def test_facts_follow_the_constant_word_in_a_fixed_order():
    formatter = KeyedFormatter("%(levelname)s %(message)s")
    line = formatter.format(record("reconcile-failed", key="colors@aws", error="no answer"))

    assert line == "WARNING reconcile-failed error='no answer' key='colors@aws'"


def test_an_error_of_several_lines_stays_one_line():
    line = KeyedFormatter("%(message)s").format(record("x", error="first\nsecond"))

    assert line == r"x error='first\nsecond'"


def test_a_word_without_facts_stands_alone():
    assert KeyedFormatter("%(message)s").format(record("started")) == "started"


def test_libraries_are_quiet_and_stdout_is_left_to_data(capsys):
    configure(logging.INFO)
    logging.getLogger("crossfade.x").info("looked", extra={"key": "a"})
    logging.getLogger("httpx").info("request")
    logging.getLogger("alembic.runtime").info("migrated")
    logging.getLogger("crossfade.x").debug("detail")
    printed = capsys.readouterr()

    assert printed.out == ""
    assert printed.err.endswith("INFO looked key='a'\n")
    assert printed.err.count("\n") == 1
    assert sys.stderr is not sys.__stdin__


def test_a_line_of_json_has_the_event_and_its_keys(capsys):
    configure(logging.INFO, LogFormat.JSON)
    log = logging.getLogger("crossfade.test")
    log.info("cluster-lost", extra={"cluster": "aws", "why": ValueError("é"), "at": 3})
    try:
        raise RuntimeError("no\nway")
    except RuntimeError:
        log.exception("loop-failed")
    first, second = (json.loads(line) for line in capsys.readouterr().err.splitlines())

    assert (first["level"], first["logger"], first["event"]) == (
        "info",
        "crossfade.test",
        "cluster-lost",
    )
    assert (first["cluster"], first["why"], first["at_"]) == ("aws", "é", 3)
    assert first["at"].endswith("+00:00")
    assert "RuntimeError: no\nway" in second["traceback"]
