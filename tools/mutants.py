"""
Breaks rules of the code one by one, and shows that a test notices each time.

    python tools/mutants.py [WORD...]     only mutants whose name or file has all the words

tests/mutants.toml lists the mutants.  Each is put into a copy of src, so the checkout stays as it
is.  Exit code 1 when a mutant survives, or no longer fits the code.
"""

import os
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parent.parent
TABLE = ROOT / "tests/mutants.toml"
LONGEST_SECONDS = 300


@dataclass(frozen=True, slots=True)
class Mutant:
    """One way to break a rule."""

    name: str
    """What would happen to a user."""
    file: str
    """Below src/crossfade."""
    find: str
    """Text that is in the file exactly once."""
    replace: str
    tests: list[str]
    """What must notice, as arguments of pytest."""


def mutants() -> tuple[Mutant, ...]:
    """Return all mutants of the table."""
    return tuple(Mutant(**each) for each in tomllib.loads(TABLE.read_text())["mutant"])


def misfit(mutant: Mutant) -> str:
    """Return why the mutant does not fit the code any more, "" if it does."""
    path = ROOT / "src/crossfade" / mutant.file
    if not path.is_file():
        return f"there is no file {mutant.file}"
    count = path.read_text().count(mutant.find)
    return "" if count == 1 else f"its text is {count} times in {mutant.file}, not once"


def survives(mutant: Mutant, source: Path) -> bool:
    """Say whether the tests pass on the broken copy in `source`, which is mended afterwards."""
    path = source / "crossfade" / mutant.file
    whole = path.read_text()
    path.write_text(whole.replace(mutant.find, mutant.replace))
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *mutant.tests]
    environment = {**os.environ, "PYTHONPATH": str(source), "PYTHONDONTWRITEBYTECODE": "1"}
    try:
        done = subprocess.run(
            command,
            cwd=ROOT,
            env=environment,
            capture_output=True,
            timeout=LONGEST_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        return False
    finally:
        path.write_text(whole)
    if done.returncode not in (0, 1):
        sys.stdout.write(done.stdout.decode(errors="replace")[-2000:])
        raise SystemExit(f"error: the tests of mutant `{mutant.name}` cannot be run")
    return done.returncode == 0


def main(words: Sequence[str]) -> int:
    """Try all mutants whose name or file has the words; return the exit code."""
    chosen = [each for each in mutants() if all(w in f"{each.file}: {each.name}" for w in words)]
    bad = 0
    with tempfile.TemporaryDirectory() as folder:
        source = Path(folder) / "src"
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / "src", source, ignore=ignored)
        for mutant in chosen:
            start = time.monotonic()
            result = misfit(mutant) or ("SURVIVED" if survives(mutant, source) else "killed")
            bad += result != "killed"
            line = f"{result:8}  {time.monotonic() - start:5.1f} s  {mutant.file}: {mutant.name}"
            sys.stdout.write(line + "\n")
            sys.stdout.flush()
    sys.stdout.write(f"{len(chosen) - bad} of {len(chosen)} mutants killed\n")
    return 1 if bad or not chosen else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
