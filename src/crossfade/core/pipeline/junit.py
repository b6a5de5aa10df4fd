"""Test results as JUnit's XML has them, which nearly every tool can write.  Nothing is fetched."""

from dataclasses import dataclass
from enum import StrEnum
from xml.etree.ElementTree import Element, ParseError, TreeBuilder, XMLParser

_LONGEST = 4000


class Outcome(StrEnum):
    """How a test ended."""

    PASSED = "passed"
    FAILED = "failed"
    ERROR = "error"
    """It broke instead of finding something."""
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class Case:
    """One test."""

    suite: str
    name: str
    outcome: Outcome
    seconds: float = 0.0
    message: str = ""
    """What it says of its failure, or why it was skipped."""


class NoReport(ValueError):
    """The document is no report of tests; the text says why."""


class _Builder(TreeBuilder):
    def doctype(self, name: str, pubid: str | None, system: str | None) -> None:
        """Refuse: entities could blow a small document up, or name files."""
        raise NoReport(f"it has a document type ({name})")


def cases(data: bytes) -> tuple[Case, ...]:
    """Return the tests of a report in their order.  Raises NoReport."""
    parser = XMLParser(target=_Builder())  # noqa: S314 - see _Builder
    try:
        parser.feed(data)
        root = parser.close()
    except (ParseError, ValueError, LookupError, RecursionError) as error:
        raise error if isinstance(error, NoReport) else NoReport(f"no XML: {error}") from error
    if root.tag not in ("testsuite", "testsuites"):
        raise NoReport(f"its root is <{root.tag[:40]}>, not <testsuites> or <testsuite>")
    found: list[Case] = []
    left = [(root, "")]
    while left:
        element, suite = left.pop()
        if element.tag == "testcase":
            found.append(_case(element, suite))
            continue
        name = element.get("name") or suite
        if element.tag in ("testsuite", "testsuites"):
            left += [(child, name) for child in reversed(element)]
    return tuple(found)


def _case(element: Element, suite: str) -> Case:
    outcome, message = Outcome.PASSED, ""
    tags = {"failure": Outcome.FAILED, "error": Outcome.ERROR, "skipped": Outcome.SKIPPED}
    for child in element:
        if child.tag in tags:
            outcome = tags[child.tag]
            message = (child.get("message") or child.text or "").strip()[:_LONGEST]
            break
    name = element.get("name") or "unnamed"
    where = element.get("classname") or suite
    return Case(where, name, outcome, _seconds(element.get("time") or ""), message)


def _seconds(text: str) -> float:
    try:
        value = float(text.replace(",", ""))
    except ValueError:
        return 0.0
    return value if 0 <= value < float("inf") else 0.0
