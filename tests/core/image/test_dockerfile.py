"""Dockerfiles are read as Docker reads them, and refused with their line."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.image.dockerfile import parse


def read(text):
    return [(each.line, each.keyword, each.text) for each in parse(text).instructions]


def test_lines_that_are_continued_are_one_instruction_without_its_comments():
    text = "FROM host\nRUN one && \\  \n  # why\n\n  two \\\n  three\nUSER 1\n"

    assert read(text) == [(1, "FROM", "host"), (2, "RUN", "one &&   two   three"), (7, "USER", "1")]


def test_the_escape_directive_changes_what_continues_a_line():
    text = "# escape=`\nFROM host\nCOPY a `\n C:\\\n"

    assert read(text)[1] == (3, "COPY", "a  C:\\")


def test_a_comment_before_the_directive_makes_it_a_comment():
    assert parse("# hello\n# escape=`\nFROM host\n").escape == "\\"


def test_flags_and_lists_are_told_from_text():
    copy, run, cmd = parse(
        'FROM a\nCOPY --from=b --chown=1:2 x y\nRUN [ -e x ] && y\nCMD ["a", "b c"]\n'
    ).instructions[1:]

    assert (copy.flag("from"), copy.flag("chown"), copy.text) == ("b", "1:2", "x y")
    assert run.items is None
    assert cmd.items == ("a", "b c")


@pytest.mark.parametrize(
    ("text", "line", "what"),
    [
        ("FROM a\nRUNN x\n", 2, 'no instruction RUNN; did you mean "RUN"'),
        ("FROM a\nRUN <<EOF\nx\nEOF\n", 2, "here-document"),
        ("FROM a\nCOPY <<-'END' /x\nx\nEND\n", 2, "here-document"),
        ("FROM a\nONBUILD RUN x\n", 2, "ONBUILD is not supported"),
        ("FROM a\nUSER\n", 2, "USER has no arguments"),
        ("\n", 1, "no FROM"),
        ("RUN x\nFROM a\n", 1, "before the first FROM"),
        ("# escape=x\nFROM a\n", 1, "escape directive"),
    ],
)
def test_what_cannot_be_built_is_refused_with_its_line(text, line, what):
    with pytest.raises(InputError, match=what) as caught:
        parse(text, "Dockerfile.app")

    assert caught.value.facts == {"file": "Dockerfile.app", "line": line}
    assert caught.value.hint


@pytest.mark.parametrize("command", ["echo $((1<<SHIFT))", "cat <<< word", "a <<b>c"])
def test_only_here_documents_are_taken_for_here_documents(command):
    text = f"FROM a\nRUN {command}\n"
    if command == "a <<b>c":
        with pytest.raises(InputError):
            parse(text)
    else:
        assert parse(text).instructions[1].text == command
