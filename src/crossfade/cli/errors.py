"""Errors as users meet them: one line, the facts, a hint, and an exit code by class."""

import difflib
import errno
import json
import os
import re
import sys
import tempfile
import time
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import typer

from crossfade.base.errors import CrossfadeError

INTERRUPTED_EXIT_CODE = 130
BROKEN_PIPE_EXIT_CODE = 141
_KEPT_REPORTS = 20
_UNKNOWN = re.compile(r"No such (command|option):? '?([^'\s]+)'?")


@dataclass(frozen=True, slots=True)
class Shown:
    """An error, ready to print."""

    message: str
    hint: str
    exit_code: int
    code: str
    facts: dict[str, str]


def report(error: BaseException, reports: Path, *, as_json: bool) -> int:
    """
    Print what went wrong on stderr and return the exit code.

    The traceback of an unexpected error goes to a file in the folder `reports`.
    """
    all_shown = [_shown(cause, reports) for cause in _causes(error)]
    for shown in all_shown:
        typer.echo(_json(shown) if as_json else _text(shown), err=True)
    return all_shown[0].exit_code


def _causes(error: BaseException) -> list[BaseException]:
    """Return the errors of a group by themselves when all are ours, each once; else the error."""
    if isinstance(error, BaseExceptionGroup):
        leaves = [leaf for inner in error.exceptions for leaf in _causes(inner)]
        if all(isinstance(leaf, CrossfadeError) for leaf in leaves):
            return list({str(leaf): leaf for leaf in leaves}.values())
    return [error]


def _shown(error: BaseException, reports: Path) -> Shown:
    match error:
        case CrossfadeError():
            facts = {key: str(value) for key, value in sorted(error.facts.items())}
            return Shown(error.what, error.hint, error.exit_code, error.code, facts)
        case typer.TyperException():
            return _usage(error)
        case OSError(errno=errno.ENOSPC):
            hint = "free some space, then try again"
            return Shown(f"no space is left: {error}", hint, 6, "unavailable", {})
        case _:
            where = _write_traceback(error, reports)
            hint = f"this is a fault of Crossfade; {where}"
            said = "".join(traceback.format_exception_only(error)).strip()
            return Shown(f"unexpected: {said}", hint, 1, "internal", {})


def _usage(error: typer.TyperException) -> Shown:
    """Return an error of the command line, with a hint where to read on."""
    context = getattr(error, "ctx", None)
    if context is None:
        said = error.format_message().rstrip(".")
        message = said[:1].lower() + said[1:]
        return Shown(message, "see `crossfade --help`", error.exit_code, "usage", {})
    if type(error).__name__ == "NoArgsIsHelpError":  # its message is the whole help
        commands = ", ".join(context.command.list_commands(context))
        message, hint = "a command is missing", f"give one of: {commands}."
    else:
        message, hint = error.format_message().rstrip(".").replace("Value error, ", ""), ""
    if found := _UNKNOWN.match(message):
        message = f"no such {found[1]}: {found[2]}"
        near = difflib.get_close_matches(found[2], _names(context), n=1)
        hint = f"did you mean `{near[0]}`? " if near else ""
    message = message[:1].lower() + message[1:]
    hint = f"{hint.rstrip()} See `{context.command_path} --help`".strip()
    return Shown(message, hint[:1].lower() + hint[1:], error.exit_code, "usage", {})


def _names(context: typer.Context) -> list[str]:
    """Return what might have been meant: the options and commands at this place."""
    options = [name for parameter in context.command.params for name in parameter.opts]
    commands = getattr(context.command, "list_commands", None)
    return options + (commands(context) if commands is not None else [])


def _text(shown: Shown) -> str:
    facts = ", ".join(f"{key}={value}" for key, value in shown.facts.items())
    what = f"{shown.message} ({facts})" if facts else shown.message
    return f"error: {what}\nhint: {shown.hint}"


def _json(shown: Shown) -> str:
    body = {
        "code": shown.code,
        "message": shown.message,
        "facts": shown.facts,
        "hint": shown.hint,
        "exit_code": shown.exit_code,
    }
    return json.dumps({"error": body}, ensure_ascii=False)


def _write_traceback(error: BaseException, reports: Path) -> str:
    """Write the traceback where it can be found; return a sentence that says where."""
    text = "".join(traceback.format_exception(error))
    header = f"crossfade, Python {sys.version}, {time.strftime('%Y-%m-%dT%H:%M:%S%z')}\n\n"
    name = f"{time.strftime('%Y%m%dT%H%M%S')}-{os.getpid()}.txt"
    for folder in (reports, Path(tempfile.gettempdir())):
        try:
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            path = folder / name
            with open(os.open(path, os.O_CREAT | os.O_WRONLY | os.O_EXCL, 0o600), "w") as file:
                file.write(header + text)
            if folder == reports:
                _forget_old(reports)
            return f"the full traceback is in {path}"
        except OSError:
            continue
    return "the full traceback could not be written anywhere"


def _forget_old(reports: Path) -> None:
    for path in sorted(reports.glob("*.txt"))[:-_KEPT_REPORTS]:
        path.unlink(missing_ok=True)


def wants_json(arguments: Sequence[str]) -> bool:
    """Say whether JSON was asked for, even where the rest of the command line cannot be read."""
    before = ""
    for argument in arguments:
        if argument == "--":
            return False
        if argument in ("--output=json", "-ojson") or (
            before in ("--output", "-o") and argument == "json"
        ):
            return True
        before = argument
    return False
