"""Pipelines whose steps stand elsewhere (`specTemplate`): in a repository, or at an address."""

import posixpath
import shlex
from collections.abc import Callable
from dataclasses import dataclass, replace

from crossfade.base.errors import InputError
from crossfade.base.words import did_you_mean
from crossfade.core.pipeline.cloning import CREDENTIALS, address_of
from crossfade.core.pipeline.document import Pipeline, Settings
from crossfade.core.pipeline.work import text

TEXT = "PIPELINE_TEXT"
"""Export of the run that reads a file of a repository: the file, in base64."""
_KEYS = ("location", "repo", "path", "revision", "context", "url")
_LOCATIONS = ("git", "url")


@dataclass(frozen=True, slots=True)
class Template:
    """Where the steps of a pipeline stand; texts may hold references."""

    url: str
    """Of the repository, or of the file itself."""
    path: str = ""
    """In the repository; "": the address is that of the file."""
    revision: str = ""
    """A branch, a tag or a commit; "": the repository's own branch."""
    integration: str = ""
    """Whose key or token opens the repository."""

    @property
    def in_repository(self) -> bool:
        """Whether git is needed to read it."""
        return bool(self.path)

    def __str__(self) -> str:
        at = f" at {self.revision}" if self.revision else ""
        return f"{self.path} of {self.url}{at}" if self.path else self.url


def template_of(spec: Settings) -> Template | None:
    """Return where the steps of a pipeline stand, None when in the pipeline.  Raises InputError."""
    given = spec.get("specTemplate")
    if given is None:
        return None
    if not isinstance(given, dict):
        raise _wrong(f"is {given!r}, no mapping")
    for key in given:
        if key not in _KEYS:
            raise _wrong(f"has an unknown key {key!r}{did_you_mean(key, _KEYS)}")
    found = {key: text(given.get(key)).strip() for key in _KEYS}
    location = found["location"] or "git"
    if location not in _LOCATIONS:
        raise _wrong(f"has location {location!r}; allowed: {', '.join(_LOCATIONS)}")
    if location == "url":
        if not found["url"].startswith(("https://", "http://", "${{")):
            raise _wrong(f"has url {found['url']!r}; allowed: an https:// or http:// address")
        return Template(found["url"])
    if not found["repo"]:
        raise _wrong("has no `repo`")
    path = posixpath.normpath(found["path"] or "codefresh.yml")
    if path.startswith(("..", "/")):
        raise _wrong(f"has path {found['path']!r}, which leads out of the repository")
    address = address_of(found["repo"], found["context"])
    return Template(address, path, found["revision"], found["context"])


def filled(template: Template, fill_in: Callable[[str], str]) -> Template:
    """Return the template with values for its references.  Raises InputError for one without."""
    found = Template(
        *(fill_in(each) for each in (template.url, template.path)),
        *(fill_in(each) for each in (template.revision, template.integration)),
    )
    if "${{" in str(found):
        raise _wrong(f"has a reference without a value: {found}")
    return found


def combined(around: Pipeline, steps: Pipeline) -> Pipeline:
    """Return the steps that stand elsewhere, with name, variables and policies of the pipeline."""
    return replace(
        steps,
        name=around.name,
        variables={**steps.variables, **around.variables},
        secrets=(*steps.secrets, *around.secrets),
        spec=around.spec,
    )


def reading(template: Template) -> str:
    """Return a script that reads the file from its repository, and exports it."""
    return _SCRIPT.format(
        credentials=CREDENTIALS,
        url=shlex.quote(template.url),
        path=shlex.quote(template.path),
        revision=shlex.quote(template.revision or "HEAD"),
        text=TEXT,
    )


def _wrong(what: str) -> InputError:
    return InputError(
        f"spec.specTemplate {what}",
        hint="docs/guides/running-pipelines.md#pipelines-in-a-repository has an example",
    )


_SCRIPT = """set -e
{credentials}
url={url} path={path} revision={revision}
place=$(mktemp -d "$(dirname "$CF_EXPORT_FILE")/tmp/repository.XXXXXX")
cd "$place"
git init -q .
at=FETCH_HEAD
git_with fetch -q --depth=1 -- "$url" "$revision" 2>error || {{
  # A server need not hand out a commit by itself.
  git_with fetch -q --tags -- "$url" '+refs/heads/*:refs/remotes/origin/*' 2>all ||
    {{ cat all >&2; exit 1; }}
  at=$(git rev-parse -q --verify "$revision^{{commit}}") || {{ cat error >&2; exit 1; }}
}}
git cat-file -e "$at:$path" 2>error || {{ echo "there is no $path at $revision" >&2; exit 1; }}
printf '{text}=%s\\n' "$(git show "$at:$path" | base64 | tr -d '\\n')" >> "$CF_EXPORT_FILE"
"""
