"""Files and folders of other repositories that are in the workspace before a pipeline's steps."""

import posixpath
import shlex
from dataclasses import replace

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.base.words import did_you_mean
from crossfade.core.pipeline.cloning import CREDENTIALS, address_of
from crossfade.core.pipeline.document import MAIN_CLONE, Pipeline, Settings, Step
from crossfade.core.pipeline.variables import as_flag
from crossfade.core.pipeline.work import VOLUME, CannotRun, Work, text

KEY = "externalResources"
"""In `spec`; also the type of the steps that bring them, which nobody writes."""
_KEYS = ("type", "source", "context", "destination", "isFolder", "repo", "revision")
_NEEDED = ("repo", "source", "destination")
_q = shlex.quote


def resources_of(spec: Settings) -> tuple[Settings, ...]:
    """Return what a pipeline wants in its workspace, texts as written.  Raises InputError."""
    given = spec.get(KEY)
    if given is None:
        return ()
    if not isinstance(given, list):
        raise _wrong(f"spec.{KEY}", f"is {given!r}, no list")
    return tuple(_resource(each, f"spec.{KEY}[{index}]") for index, each in enumerate(given))


def _resource(given: Json, where: str) -> Settings:
    if not isinstance(given, dict):
        raise _wrong(where, f"is {given!r}, no mapping")
    for key, value in given.items():
        if key not in _KEYS:
            raise _wrong(where, f"has an unknown key {key!r}{did_you_mean(key, _KEYS)}")
        if isinstance(value, list | dict):
            raise _wrong(where, f"has {key} {value!r}, no text")
    kind = text(given.get("type")) or "git"
    if kind != "git":
        raise _wrong(where, f"has type {kind!r}; allowed: git")
    for key in _NEEDED:
        if not text(given.get(key)).strip():
            raise _wrong(where, f"has no `{key}`")
    # What a reference stands for is looked at when it is known.
    known = {key: "x" if "${{" in text(value) else value for key, value in given.items()}
    try:
        bring(known)
    except CannotRun as error:
        raise _wrong(where, f"cannot be brought: {error}") from error
    return given


def with_resources(pipeline: Pipeline) -> Pipeline:
    """
    Return the pipeline with a step for each resource, before all steps that are written.

    They come one after the other, also where others run side by side; a clone that a trigger
    implies comes before them, as it makes its folder anew.  Raises InputError.
    """
    wanted = resources_of(pipeline.spec)
    if not wanted:
        return pipeline
    steps = tuple(_step(each, index) for index, each in enumerate(wanted))
    written = pipeline.block.steps
    implied = tuple(each for each in written[:1] if each.name == MAIN_CLONE and not each.line)
    first = (*implied, *steps)
    block = replace(pipeline.block, steps=(*first, *written[len(implied) :]), first=len(first))
    return replace(pipeline, block=block)


def _step(settings: Settings, index: int) -> Step:
    title = f"Bringing {text(settings.get('source'))} of {text(settings.get('repo'))}"
    # No step that is written may have brackets in its name.  Without it nothing is as it should be.
    return Step(f"{KEY}[{index}]", type=KEY, title=title, settings=settings, fail_fast=True)


def bring(settings: Settings) -> Work:
    """Return the work that puts a file or a folder into the workspace.  Raises CannotRun."""
    given = {key: text(settings.get(key)).strip() for key in _KEYS}
    for key in _NEEDED:
        if "${{" in given[key]:
            raise CannotRun(f"{key} has a reference without a value: {given[key]!r}")
    revision = "" if "${{" in given["revision"] else given["revision"]
    if revision.startswith("-"):
        raise CannotRun(f"revision is {revision!r}; allowed: a branch, a tag or a commit")
    whole = as_flag(settings.get("isFolder"), default=False)
    source = _source(given["source"])
    if not source and not whole:
        raise CannotRun("source is the whole repository; allowed with `isFolder: true` alone")
    target = _target(given["destination"])
    into = given["destination"].endswith("/") or target == VOLUME
    if into and not whole:
        target = posixpath.join(target, posixpath.basename(source))
    integration = "" if "${{" in given["context"] else given["context"]
    script = _SCRIPT.format(
        credentials=CREDENTIALS,
        url=_q(_address(given["repo"], integration)),
        source=_q(source),
        revision=_q(revision or "HEAD"),
        target=_q(target),
        folder="yes" if whole else "",
        volume=_q(VOLUME),
    )
    return Work(script, "sh", VOLUME, "", {"self": target}, integration=integration)


def _address(repository: str, integration: str) -> str:
    if repository.startswith("-"):
        raise CannotRun(f"repo is {repository!r}; allowed: owner/name, or an address")
    return address_of(repository, integration)


def _source(written: str) -> str:
    """Return a path in the repository, "" for all of it."""
    path = posixpath.normpath(written.lstrip("/") or ".")
    if path == ".." or path.startswith("../") or "\0" in path:
        raise CannotRun(f"source is {written!r}, which leads out of the repository")
    return "" if path == "." else path


def _target(written: str) -> str:
    """Return a path of the workspace; Codefresh writes it without the first slash, too."""
    volume = VOLUME.lstrip("/")
    absolute = written.startswith("/") or f"{written}/".startswith(f"{volume}/")
    path = posixpath.normpath(f"/{written.lstrip('/')}" if absolute else f"{VOLUME}/{written}")
    if path != VOLUME and not path.startswith(f"{VOLUME}/"):
        raise CannotRun(f"destination is {written!r}, which is not in {VOLUME}")
    return path


def _wrong(where: str, what: str) -> InputError:
    return InputError(
        f"{where} {what}",
        hint="docs/guides/running-pipelines.md#external-resources has an example",
    )


_SCRIPT = """set -e
{credentials}
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null
url={url} source={source} revision={revision} target={target} folder={folder}
stage=$(mktemp -d "$(dirname "$CF_EXPORT_FILE")/tmp/resource.XXXXXX")
cd "$stage"
git init -q repository
cd repository
at=FETCH_HEAD
git_with fetch -q --depth=1 -- "$url" "$revision" 2>error || {{
  # A server need not hand out a commit by itself.
  git_with fetch -q --tags -- "$url" '+refs/heads/*:refs/remotes/origin/*' 2>all ||
    {{ cat all >&2; exit 1; }}
  at=$(git rev-parse -q --verify --end-of-options "$revision^{{commit}}") ||
    at=$(git rev-parse -q --verify --end-of-options "origin/$revision^{{commit}}") ||
    {{ cat error >&2; exit 1; }}
}}
kind=$(git cat-file -t "$at:$source" 2>error) ||
  {{ echo "there is no $source at $revision of $url" >&2; exit 1; }}
if [ -n "$folder" ]; then
  [ "$kind" = tree ] || {{ echo "$source is no folder: leave isFolder out" >&2; exit 1; }}
  git read-tree "$at:$source"
  git checkout-index -a -f --prefix="$stage/files/"
  mkdir -p "$stage/files"
  from=$stage/files
else
  [ "$kind" = blob ] || {{ echo "$source is a folder: say isFolder: true" >&2; exit 1; }}
  git read-tree "$at"
  git checkout-index -f --prefix="$stage/files/" -- "$source"
  from=$stage/files/$source
  [ ! -L "$from" ] || {{ echo "$source is a link in the repository" >&2; exit 1; }}
  if [ -d "$target" ]; then target=$target/$(basename -- "$source"); fi
fi
# A resource before this one may have brought links.
inside=$(realpath -- {volume})
case $(realpath -m -- "$target")/ in
  "$inside"/*) ;;
  *) echo "a link in the workspace leads out of it: $target" >&2; exit 1 ;;
esac
mkdir -p -- "$(dirname -- "$target")"
cp -a --remove-destination -T -- "$from" "$target"
cd /
rm -rf "$stage"
echo "brought ${{source:-all}} at $revision to ${{target#{volume}/}}"
"""
