"""Asks a person before something is done to users; scripts say `--yes`."""

import sys

import typer

from crossfade.base.errors import InputError
from crossfade.cli.output import note


def confirm(said: str, question: str, *, yes: bool) -> None:
    """Return once a person has agreed to what is `said`.  Raises InputError in scripts."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise InputError(f"not done without being asked: {said}", hint="say --yes")
    note(said)
    typer.confirm(question, abort=True, err=True)
