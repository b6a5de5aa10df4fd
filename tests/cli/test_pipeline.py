"""`crossfade pipeline`"""

import json
from pathlib import Path

import pytest

GOOD = "version: '1.0'\nsteps:\n  a: {image: alpine}\n"
BAD = "version: '1.0'\nsteps:\n  a: {image: alpine, shell: zsh}\n"
BROKEN = "version: '1.0'\nsteps: [\n"


@pytest.fixture
def files(tmp_path):
    for name, text in {"good": GOOD, "bad": BAD, "broken": BROKEN}.items():
        (tmp_path / f"{name}.yml").write_text(text)
    (tmp_path / "picture.yml").write_bytes(b"\xff\xfe\x00\x01")
    return tmp_path


def test_files_are_judged_in_their_order_one_line_each(crossfade, files):
    names = [str(files / f"{name}.yml") for name in ("bad", "good", "broken", "picture")]
    got = crossfade("pipeline", "validate", *names, "--output", "json")
    lines = [json.loads(line) for line in got.out.splitlines()]

    assert got.code == 1
    assert [each["file"] for each in lines] == names
    assert [each["verdict"] for each in lines] == [
        "schema_error", "ok", "yaml_error", "yaml_error",
    ]  # fmt: skip
    assert lines[0]["errors"] == [
        {
            "line": 3,
            "column": 29,
            "path": "steps.a.shell",
            "message": '"zsh" is not allowed; allowed: sh, bash; did you mean "sh"?',
        }
    ]
    assert lines[1] == {"file": names[1], "verdict": "ok", "errors": [], "warnings": []}


def test_people_read_where_it_is_wrong(crossfade, files):
    good, bad = str(files / "good.yml"), str(files / "bad.yml")

    assert crossfade("pipeline", "validate", good).out == f"{good}: ok\n"
    assert crossfade("pipeline", "validate", good).code == 0
    assert crossfade("pipeline", "validate", bad).out.startswith(f"{bad}:3:29: error: steps.a.sh")


def test_a_file_that_is_not_there_is_an_error(crossfade, files):
    got = crossfade("pipeline", "validate", str(files / "goood.yml"))

    assert (got.code, got.out) == (3, "")
    assert 'did you mean "good.yml"?' in got.err


def test_definitions_of_steps_are_used(crossfade, files):
    folder = files / "steps"
    folder.mkdir()
    (folder / "step.yaml").write_text(
        "kind: step-type\nmetadata: {name: notify, version: 1.0.0}\n"
        "spec: {arguments: {required: [TO], properties: {TO: {type: string}}}}\n"
    )
    (files / "use.yml").write_text("version: '1.0'\nsteps:\n  a: {type: 'notify:1.0.0'}\n")
    use = str(files / "use.yml")

    assert crossfade("pipeline", "validate", use).code == 0
    assert crossfade("pipeline", "validate", use, "--steps", str(folder)).code == 1


@pytest.mark.parametrize(
    ("expression", "data"),
    [
        ("1 == 1", {"valid": True, "result": True, "error": None}),
        ("-1 > 0", {"valid": True, "result": False, "error": None}),
        ("", {"valid": True, "result": False, "error": None}),
        ("x", {"valid": False, "result": False, "error": "Invalid identifier: 'x'"}),
        ('"${{NAME}}" == "ann"', {"valid": True, "result": True, "error": None}),
        ('includes("${{NO}}", "{{NO}}")', {"valid": True, "result": True, "error": None}),
        ("${{N}} + 1 == 3", {"valid": True, "result": True, "error": None}),
        ("steps.a.result == 'success'", {"valid": True, "result": True, "error": None}),
    ],
)
def test_an_expression_is_evaluated(crossfade, tmp_path, expression, data):
    variables = tmp_path / "variables.yml"
    variables.write_text("NAME: ann\nN: 2\nsteps: {a: {result: success}}\n")
    got = crossfade("pipeline", "eval", expression, "--variables", str(variables), "-o", "json")

    assert (got.code, got.data) == (0, data)


def test_an_expression_is_told_to_people(crossfade):
    assert crossfade("pipeline", "eval", "1 == 1").out == "true\n"
    got = crossfade("pipeline", "eval", "1 === 1")
    assert got.out == "false\n"
    assert got.err == "invalid, so it counts as false: Invalid binary operator: ===\n"


def test_many_expressions_at_once(crossfade, tmp_path):
    file = tmp_path / "cases.json"
    cases = [
        {"expression": "A == 1"},
        {"expression": "A == 2", "variables": {"A": 2}},
        {"expression": "B"},
    ]
    file.write_text(json.dumps({"variables": {"A": 1}, "cases": cases}))
    got = crossfade("pipeline", "eval", "--file", str(file), "--output", "json")

    assert [each["result"] for each in got.data] == [True, True, False]
    assert (
        crossfade("pipeline", "eval", "--file", str(file))
        .out.splitlines()[2]
        .startswith("false  invalid:")
    )


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"cases": 1}', '{"cases": [1]}', '{"cases": [{}]}', "[" * 100_000]
)
def test_a_file_of_cases_that_is_none_is_refused(crossfade, tmp_path, text):
    file: Path = tmp_path / "cases.json"
    file.write_text(text)
    got = crossfade("pipeline", "eval", "--file", str(file))

    assert (got.code, got.out) == (2, "")
    assert "hint: write {" in got.err


def test_an_expression_or_a_file_is_wanted(crossfade):
    assert crossfade("pipeline", "eval").code == 2
    assert "an expression or --file" in crossfade("pipeline", "eval").err


@pytest.mark.parametrize("text", ["- a", "a: [", "x"])
def test_variables_that_are_none_are_refused(crossfade, tmp_path, text):
    file = tmp_path / "variables.yml"
    file.write_text(text)

    assert crossfade("pipeline", "eval", "1", "--variables", str(file)).code == 2
