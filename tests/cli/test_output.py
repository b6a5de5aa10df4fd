"""What commands print."""

import json

from crossfade.cli.output import Format, day, moment, show, table


def test_columns_stand_under_each_other_and_nothing_trails():
    rows = [("aws", True, 0, None), ("onprem", False, 12.5, "")]

    assert table(("NAME", "UP", "N", "DETAIL"), rows) == (
        "NAME    UP   N     DETAIL\n"
        "aws     yes  0     -\n"
        "onprem  no   12.5  -"
    )  # fmt: skip


def test_a_table_without_rows_has_its_headings():
    assert table(("A", "B"), []) == "A  B"


def test_what_others_chose_as_names_cannot_play_with_the_terminal():
    assert table(("A",), [("x\x1b[31m\ny",)]) == "A\nx?[31m?y"


def test_json_is_printed_whole_and_readable(capsys):
    show({"é": [1, None]}, Format.JSON, lambda: "text")

    printed = capsys.readouterr().out
    assert json.loads(printed) == {"é": [1, None]}
    assert "é" in printed


def test_no_text_prints_no_line(capsys):
    show({}, Format.TEXT, lambda: "")

    assert capsys.readouterr().out == ""


def test_times_of_all_commands_are_of_one_zone_and_say_so(monkeypatch):
    monkeypatch.setenv("TZ", "Asia/Tokyo")

    assert moment(1795411312.9) == "2026-11-23 05:21:52Z"
    assert day(1795411312.9) == "2026-11-23"
