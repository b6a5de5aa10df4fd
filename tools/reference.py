"""
Writes the generated parts of docs/reference again, from the code that they describe.

    python tools/reference.py            write them
    python tools/reference.py --check    only say which ones are out of date (exit code 1)
"""

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import typer
from typer.core import TyperCommand, TyperGroup

from crossfade import settings
from crossfade.adapters.documents.application_shape import APPLICATION
from crossfade.adapters.documents.shapes import ListOf, OneOf, Record, Shape
from crossfade.adapters.documents.traffic_shapes import GOAL, LEVEL
from crossfade.base import errors
from crossfade.cli.main import app
from crossfade.core.rollout.command_table import TABLE, Answer, Effect, Standing
from crossfade.core.rollout.commands import Command

FOLDER = Path(__file__).parent.parent / "docs/reference"
BEGIN = "<!-- begin: written by tools/reference.py -->"
END = "<!-- end -->"


def cli() -> str:
    """Return every command with its help."""
    os.environ["COLUMNS"] = "100"
    return "\n".join(_command(typer.main.get_command(app), None, "crossfade"))  # type: ignore[arg-type]


def _command(
    command: TyperCommand | TyperGroup, parent: typer.Context | None, name: str
) -> Iterator[str]:
    context = typer.Context(command, parent=parent, info_name=name, terminal_width=96)
    context.help_option_names = ["-h", "--help"]
    path = context.command_path
    yield f"## {path}\n" if parent is None or parent.parent is None else f"### {path}\n"
    text = command.get_help(context).rstrip()
    yield f"```text\n{text}\n```\n"
    if isinstance(command, TyperGroup):
        for each in command.list_commands(context):
            inner = command.get_command(context, each)
            if isinstance(inner, TyperCommand | TyperGroup):
                yield from _command(inner, context, each)


def variables() -> str:
    """Return the settings."""
    parts = [
        f"### {each.name}\n\nDefault: `{each.default}`\n\n{each.about}\n"
        for each in settings.VARIABLES
    ]
    return "\n".join(parts)


def application_file() -> str:
    """Return every key of an application file, and those that are refused for now."""
    return "\n".join(_record(APPLICATION, ""))


def traffic_file() -> str:
    """Return every key of a file for `crossfade traffic plan`, and of `spill --priorities`."""
    return "\n".join([*_record(GOAL, ""), *_record(LEVEL, "--priorities[]")])


def _record(record: Record, path: str) -> Iterator[str]:
    inner: list[tuple[Record, str]] = []
    yield f"### {f'`{path}`' if path else 'Top level'}\n"
    yield "| key | what it is | allowed | default |\n|---|---|---|---|"
    for key, field in record.fields.items():
        here = f"{path}.{key}" if path else key
        below = _below(field.shape, here)
        if below:
            inner.append(below)
        default = "**required**" if field.required else field.default or "none"
        allowed = "see below" if below else field.shape.allowed
        yield "| " + " | ".join(map(_cell, (f"`{key}`", field.about, allowed, default))) + " |"
    yield ""
    for key, instead in record.later.items():
        yield f"- `{key}` is not supported yet: {instead}."
    if record.later:
        yield ""
    for each, where in inner:
        yield from _record(each, where)


def _below(shape: Shape, path: str) -> tuple[Record, str] | None:
    if isinstance(shape, Record):
        return shape, path
    if isinstance(shape, OneOf):
        records = (found for each in shape.shapes if (found := _below(each, path)))
        return next(records, None)
    if isinstance(shape, ListOf) and isinstance(shape.item, Record):
        return shape.item, f"{path}[]"
    return None


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def exit_codes() -> str:
    """Return the classes of errors with their exit codes."""
    lines = ["| code in JSON | exit code | what it means |", "|---|---|---|"]
    for each in _classes(errors.CrossfadeError):
        about = (each.__doc__ or "").strip().splitlines()[0]
        lines.append(f"| `{each.code}` | {each.exit_code} | {about} |")
    return "\n".join(lines) + "\n"


def _classes(parent: type[errors.CrossfadeError]) -> Iterator[type[errors.CrossfadeError]]:
    for each in parent.__subclasses__():
        if each.__module__ == errors.__name__:
            yield each
            yield from _classes(each)


def rollout_commands() -> str:
    """Return what each command does wherever a rollout stands: first at a glance, then in words."""
    answers = {Answer.DONE: "yes", Answer.NEW_ROLLOUT: "new rollout", Answer.REFUSED: "no"}
    columns = [each.value for each in Standing]
    lines = [f"| | {' | '.join(columns)} |", "|---" * (len(columns) + 1) + "|"]
    for command, row in TABLE.items():
        told = " | ".join(answers[row[where].answer] for where in Standing)
        lines.append(f"| [`{command}`](#{_anchor(command)}) | {told} |")
    return "\n".join([*lines, "", *(_in_words(*each) for each in TABLE.items())])


def _anchor(command: Command) -> str:
    return command.value.replace(" ", "-")


def _in_words(command: Command, row: Mapping[Standing, Effect]) -> str:
    """Return the section of one command; standings with the same effect share a line."""
    lines = [f"### `{command}`", "", "| when the rollout is | it |", "|---|---|"]
    for effect in dict.fromkeys(row.values()):
        where = ", ".join(each.value for each in Standing if row[each] == effect)
        refused = "is refused: " if effect.answer is Answer.REFUSED else ""
        lines.append(f"| {where} | {refused}{effect.words} |")
    return "\n".join([*lines, ""])


PAGES: dict[str, Callable[[], str]] = {
    "cli.md": cli,
    "settings.md": variables,
    "application-file.md": application_file,
    "traffic-file.md": traffic_file,
    "errors.md": exit_codes,
    "rollout-commands.md": rollout_commands,
}


def renewed(page: str) -> str:
    """Return the page with its generated part as the code has it now."""
    text = (FOLDER / page).read_text()
    head, _, rest = text.partition(BEGIN)
    _, _, tail = rest.partition(END)
    return f"{head}{BEGIN}\n\n{PAGES[page]()}\n{END}{tail}"


def main() -> int:
    """Write or check all pages; return the exit code."""
    check = "--check" in sys.argv[1:]
    old = [page for page in PAGES if renewed(page) != (FOLDER / page).read_text()]
    for page in old:
        if not check:
            (FOLDER / page).write_text(renewed(page))
        sys.stdout.write(f"{page} {'is out of date: make docs' if check else 'written'}\n")
    return 1 if old and check else 0


if __name__ == "__main__":
    sys.exit(main())
