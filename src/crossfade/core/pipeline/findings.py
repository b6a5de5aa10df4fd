"""What is wrong with a document, and what looks wrong."""

from dataclasses import dataclass, field
from enum import StrEnum

from crossfade.core.pipeline.tree import Mark


class Verdict(StrEnum):
    """What checking a file comes to."""

    OK = "ok"
    WARNING = "warning"
    SCHEMA_ERROR = "schema_error"
    YAML_ERROR = "yaml_error"

    @property
    def accepted(self) -> bool:
        """Whether the pipeline can run."""
        return self in (Verdict.OK, Verdict.WARNING)


@dataclass(frozen=True, slots=True, order=True)
class Finding:
    """One thing to mend, or to look at."""

    at: Mark
    path: str
    """Keys from the top, as `steps.build.tag`; "" for the file as a whole."""
    message: str


@dataclass(slots=True)
class Findings:
    """What was found in one document, collected while it is looked at."""

    errors: list[Finding] = field(default_factory=list)
    warnings: list[Finding] = field(default_factory=list)

    def error(self, at: Mark, path: str, message: str) -> None:
        """Remember why the document is refused."""
        self.errors.append(Finding(at, path, message))

    def warning(self, at: Mark, path: str, message: str) -> None:
        """Remember what may be meant otherwise."""
        self.warnings.append(Finding(at, path, message))

    @property
    def verdict(self) -> Verdict:
        """What it comes to, for a document that could be read."""
        if self.errors:
            return Verdict.SCHEMA_ERROR
        return Verdict.WARNING if self.warnings else Verdict.OK


def under(path: str, key: str) -> str:
    """Return the path of a key."""
    return f"{path}.{key}" if path else key
