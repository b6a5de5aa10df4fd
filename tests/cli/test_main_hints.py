"""Every command that a message of ours tells the user to run is there."""

import re
from pathlib import Path

import pytest

from crossfade.cli.main import LazyGroup

SRC = Path(__file__).parents[2] / "src/crossfade"
COMMAND = re.compile(r"`crossfade ([a-z][a-z ]*[a-z])")


def told() -> dict[str, str]:
    """Return every command in backquotes, and one of the files that name it."""
    return {
        found[1]: str(path.relative_to(SRC))
        for path in sorted(SRC.rglob("*.py"))
        for found in COMMAND.finditer(path.read_text())
    }


@pytest.mark.parametrize("words", sorted(told()))
def test_a_command_that_a_hint_names_is_there(words):
    noun, *rest = words.split()
    command = LazyGroup(name="crossfade").get_command(None, noun)

    assert command is not None, f"{told()[words]} names `crossfade {words}`"
    if rest and hasattr(command, "list_commands"):
        assert rest[0] in command.list_commands(None), told()[words]
