"""The documentation says what the program does: every command, setting, key and error, no more."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import typer
from typer.core import TyperCommand, TyperGroup

from crossfade import settings
from crossfade.adapters.documents.application import parse
from crossfade.cli.main import app

ROOT = Path(__file__).parent.parent
DOCS = ROOT / "docs"
PAGES = sorted([*DOCS.rglob("*.md"), *ROOT.glob("*.md"), *(ROOT / "examples").rglob("*.md")])
BLOCK = re.compile(r"^```(\w*)\n(.*?)^```", re.MULTILINE | re.DOTALL)
LINK = re.compile(r"\]\(([^)\s]+)\)")
HEADING = re.compile(r"^#+ (.*)$", re.MULTILINE)


def name(page: Path) -> str:
    return str(page.relative_to(ROOT))


def reference():
    """Return tools/reference.py as a module."""
    spec = importlib.util.spec_from_file_location("reference", ROOT / "tools/reference.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.mark.parametrize("page", sorted(reference().PAGES))
def test_the_reference_is_what_the_code_says_now(page):
    written = (DOCS / "reference" / page).read_text()

    assert written == reference().renewed(page), "run `make docs`"


def test_every_setting_is_one_that_is_read_and_every_one_that_is_read_is_documented():
    found = set()
    for path in (ROOT / "src").rglob("*.py"):
        if "sandbox" not in path.parts:  # it marks its processes with variables, for itself
            found |= set(re.findall(r"\"(CROSSFADE_[A-Z_]+)\"", path.read_text()))

    own = {each.name for each in settings.VARIABLES if each.name.startswith("CROSSFADE_")}
    assert found == own


def anchors(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    headings = HEADING.findall(BLOCK.sub("", page.read_text()))
    plain = (re.sub(r"[^\w\- ]", "", heading.replace("`", "").lower()) for heading in headings)
    return {heading.strip().replace(" ", "-") for heading in plain}


@pytest.mark.parametrize("page", PAGES, ids=name)
def test_no_link_leads_nowhere(page):
    broken = []
    for link in LINK.findall(BLOCK.sub("", page.read_text())):
        if re.match(r"[a-z]+:", link):
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path) if path else page
        if not target.exists() or (anchor and anchor not in anchors(target)):
            broken.append(link)

    assert broken == []


def test_every_page_is_reached_from_the_index():
    index = DOCS / "README.md"
    reached, left = {index}, [index]
    while left:
        page = left.pop()
        for link in LINK.findall(page.read_text()):
            target = (page.parent / link.partition("#")[0]).resolve()
            if target.suffix == ".md" and target.is_file() and target not in reached:
                reached.add(target)
                left.append(target)

    assert [name(page) for page in sorted(set(DOCS.rglob("*.md")) - reached)] == []


def commands() -> list[tuple[str, str]]:
    """Return every line of the docs that somebody might type, with its page."""
    found = []
    for page in PAGES:
        for language, text in BLOCK.findall(page.read_text()):
            if language in ("sh", "bash", "console", "shell", ""):
                lines = text.replace("\\\n", " ").splitlines()
                found += [(name(page), line.removeprefix("$ ").strip()) for line in lines]
    ours = [each for each in found if each[1].startswith("crossfade ")]
    return [(page, each) for page, line in ours for each in alternatives(line)]


def alternatives(line: str) -> list[str]:
    """Return a line for each of `one|two` in it."""
    found = re.search(r"\S+(?:\|\S+)+", line)
    return [line.replace(found[0], word) for word in found[0].split("|")] if found else [line]


@pytest.mark.parametrize(("page", "line"), commands())
def test_every_command_in_the_docs_exists_with_its_options(page, line):
    words = shlex.split(line, comments=True)[1:]
    words = words[
        : next((i for i, word in enumerate(words) if word in ("|", ">", "&&", "&")), None)
    ]
    command: object = typer.main.get_command(app)
    known = {"--state-dir", "--hub", "--install-completion", "--show-completion", "-h", "--help"}
    context = typer.Context(command, info_name="crossfade")
    while isinstance(command, TyperGroup):
        word = next((word for word in words if not word.startswith("-")), None)
        if word is None:
            break
        words.remove(word)
        command = command.get_command(context, word)
        assert command is not None, f"{page}: there is no such command: {line}"
    assert isinstance(command, TyperCommand | TyperGroup)
    known |= {option for each in command.params for option in (*each.opts, *each.secondary_opts)}
    options = {word.partition("=")[0] for word in words if re.match(r"--?[a-z]", word)}

    assert options <= known, f"{page}: {line}"


def applications() -> list[tuple[str, str]]:
    found = []
    for page in PAGES:
        blocks = BLOCK.findall(page.read_text())
        found += [(name(page), text) for _, text in blocks if "kind: Application\n" in text]
    return found


@pytest.mark.parametrize(("page", "text"), applications())
def test_every_application_in_the_docs_can_be_applied(page, text):
    assert parse(text, page)


def parts() -> list[tuple[str, str]]:
    """Return what the guide of rollouts shows of a `spec`, as applications."""
    page = DOCS / "guides/rollouts.md"
    found = []
    for language, text in BLOCK.findall(page.read_text()):
        if language == "yaml" and "kind: Application\n" not in text:
            shown = "".join(f"  {line}\n" for line in text.splitlines())
            route = "" if "rolling:" in text else "  route: {host: a.test, service: a}\n"
            head = "apiVersion: crossfade.dev/v1alpha1\nkind: Application\n"
            spec = f"metadata: {{name: a}}\nspec:\n  source: {{chart: a}}\n{route}"
            found.append((name(page), head + spec + shown))
    return found


@pytest.mark.parametrize(("page", "text"), parts())
def test_every_part_of_an_application_in_the_guide_of_rollouts_can_be_applied(page, text):
    assert parse(text, page)


def decisions() -> list[Path]:
    return sorted((DOCS / "decisions").glob("*.md"))


def test_decisions_are_numbered_without_gaps():
    numbers = [int(page.name[:4]) for page in decisions()]

    assert numbers == list(range(1, len(numbers) + 1))


@pytest.mark.parametrize("page", decisions(), ids=name)
def test_a_decision_says_why_what_else_and_what_follows_on_one_page(page):
    text = page.read_text()
    headings = [line for line in text.splitlines() if line.startswith("## ")]

    assert headings == ["## Context", "## Choice", "## Rejected", "## Consequences"]
    assert len(text.split()) <= 500


def test_every_dependency_has_its_reason():
    project = (ROOT / "pyproject.toml").read_text()
    listed = re.search(r"^dependencies = \[\n(.*?)^\]", project, re.MULTILINE | re.DOTALL)
    assert listed is not None
    packages = re.findall(r'"([\w.-]+)', listed[1])
    reasons = "\n".join(page.read_text() for page in decisions())

    assert [package for package in packages if f"`{package}`" not in reasons] == []
