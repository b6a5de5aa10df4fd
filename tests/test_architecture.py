"""What holds for every file, so that the code stays easy to find and to read.  No ignore lists."""

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
SRC = ROOT / "src/crossfade"
TESTS = ROOT / "tests"
LONGEST_FILE = 400
LONGEST_FUNCTION = 60

# Folders of tests that mirror no package: suites that run on several implementations or on the
# whole program, and tests of what lies beside src.
FREE = ("contract", "e2e", "simulation")
BESIDE_SRC = ("examples", "bench", "tools")

PLACES_OF_A_MACHINE = re.compile(r"(?<![\w.$}~])/(?:home/[a-z]|root/|Users/[A-Za-z]|work/)")


def tracked(*suffixes: str) -> list[Path]:
    """Return the files of the repository; those that git ignores are somebody's own."""
    listed = subprocess.run(
        ["git", "ls-files", "--cached", "--others", "--exclude-standard"],  # noqa: S607 - git of the user
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    paths = [ROOT / line for line in listed.stdout.splitlines()]
    return [path for path in paths if path.is_file() and path.name.endswith(suffixes or "")]


def name(path: Path) -> str:
    return str(path.relative_to(ROOT))


PYTHON = tracked(".py")
OURS = [path for path in PYTHON if path.is_relative_to(SRC)]


def test_no_file_is_too_long_to_read_at_once():
    lengths = {name(path): len(path.read_text().splitlines()) for path in PYTHON}

    assert {path: length for path, length in lengths.items() if length > LONGEST_FILE} == {}


def functions(path: Path) -> list[ast.FunctionDef | ast.AsyncFunctionDef]:
    tree = ast.walk(ast.parse(path.read_text()))
    return [node for node in tree if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]


def test_no_function_is_too_long_to_see_at_once():
    long = [
        f"{name(path)}:{function.lineno} {function.name}"
        for path in PYTHON
        if not path.is_relative_to(TESTS)
        for function in functions(path)
        if (function.end_lineno or 0) - function.lineno >= LONGEST_FUNCTION
    ]

    assert long == []


def test_every_module_begins_by_saying_what_it_is():
    silent = [
        name(path)
        for path in OURS
        if path.read_text().strip() and not ast.get_docstring(ast.parse(path.read_text()))
    ]

    assert silent == []


def mirrored(test: Path) -> bool:
    """Say whether a test stands where what it tests stands, under its name."""
    inside = test.relative_to(TESTS)
    if inside.parts[0] in (*FREE, "test_architecture.py", "test_docs.py"):
        return True
    base = ROOT if inside.parts[0] in BESIDE_SRC else SRC
    folder = base / inside.parent
    words = inside.stem.removeprefix("test_").split("_")
    # test_MODULE.py, or test_MODULE_ASPECT.py where one file would be too long
    modules = ["_".join(words[:count]) for count in range(1, len(words) + 1)]
    if base is ROOT:
        return folder.is_dir()
    return any((folder / f"{each}.py").is_file() or (folder / each).is_dir() for each in modules)


def test_the_tests_of_a_module_are_where_one_looks_for_them():
    tests = [path for path in PYTHON if path.is_relative_to(TESTS)]

    assert [name(t) for t in tests if t.name.startswith("test_") and not mirrored(t)] == []


def test_imports_only_point_down():
    code = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports())"
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
    )

    assert done.returncode == 0, done.stdout


def readable() -> list[tuple[str, str]]:
    texts = []
    for path in tracked():
        try:
            texts.append((name(path), path.read_text()))
        except UnicodeDecodeError:
            continue
    return texts


@pytest.mark.parametrize("place", [PLACES_OF_A_MACHINE, re.compile(re.escape(f"{ROOT}/"))])
def test_no_file_names_a_place_that_exists_on_one_machine_only(place):
    found = [
        f"{file}:{number}"
        for file, text in readable()
        for number, line in enumerate(text.splitlines(), 1)
        if place.search(line)
    ]

    assert found == []
