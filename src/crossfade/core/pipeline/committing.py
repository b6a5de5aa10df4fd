"""What the public step git-commit does: commit what a build has changed, and push it."""

import posixpath
import shlex
from collections.abc import Iterator
from dataclasses import replace

from crossfade.core.pipeline.cloning import CREDENTIALS
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.variables import as_flag
from crossfade.core.pipeline.work import VOLUME, CannotRun, Work, base_directory, text

GIT_IMAGE = "alpine/git"
_KEPT = (
    *("core.repositoryformatversion", "extensions.objectformat", "extensions.partialclone"),
    *("remote.origin.url", "remote.origin.promisor", "remote.origin.partialclonefilter"),
    *("core.autocrlf", "core.eol", "core.filemode", "core.ignorecase", "core.symlinks"),
)
"""What of the configuration of a clone says how its files are to be taken, and runs nothing."""
_SIGNING = ("gpg_key_id", "gpg_secret_key")


def against_commit(settings: Settings) -> Iterator[str]:
    """Yield what stands against such a step, as far as its arguments are known."""
    for key in _SIGNING:
        if settings.get(key):
            yield f"`{key}` is not supported: commits are not signed"


def commit(settings: Settings, context: Context) -> Work:
    """Return the work that commits and pushes, once.  Raises CannotRun."""
    if any(text(settings.get(key)) for key in _SIGNING):
        raise CannotRun("gpg_key_id and gpg_secret_key are not supported: commits are not signed")
    directory = _directory(settings, context)
    given = context.scope.texts
    name = _said(settings, "git_user_name") or given.get("CF_COMMIT_AUTHOR", "") or "crossfade"
    message = _said(settings, "commit_message") or f"Changed by build {given.get('CF_BUILD_ID')}"
    identity = "/".join(given.get(k, "") for k in ("CF_BUILD_ID", "CF_STEP_NAME"))
    script = _SCRIPT.format(
        credentials=CREDENTIALS,
        kept=" ".join(_KEPT),
        volume=_q(VOLUME),
        directory=_q(directory),
        repository=_q(_said(settings, "repo")),
        branch=_q(_said(settings, "base_branch")),
        files=shlex.join(_files(settings)),
        message=_q(message),
        name=_q(name),
        email=_q(_said(settings, "git_user_email") or "crossfade@localhost"),
        empty=_flag(settings, "allow_empty", "--allow-empty"),
        force=_flag(settings, "force_push", "--force"),
        rebase=_flag(settings, "rebase", "yes"),
        identity=_q(identity),
    )
    work = Work(script, "sh", VOLUME, GIT_IMAGE, {"self": directory, "workingDirectory": directory})
    return replace(
        work, tells={"COMMITTED_REVISION": "revision"}, integration=_said(settings, "git")
    )


def _said(settings: Settings, key: str) -> str:
    given = text(settings.get(key)).strip()
    return "" if "${{" in given else given


def _directory(settings: Settings, context: Context) -> str:
    given = _said(settings, "working_directory")
    return posixpath.normpath(posixpath.join(VOLUME, given)) if given else base_directory(context)


def _files(settings: Settings) -> list[str]:
    """Return what is to be committed; a text has several with commas or spaces between them."""
    given = settings.get("add")
    if isinstance(given, list):
        return [text(each) for each in given]
    return text(given).replace(",", " ").split() or ["."]


def _flag(settings: Settings, key: str, word: str) -> str:
    return word if as_flag(settings.get(key), default=False) else ""


_q = shlex.quote
_SCRIPT = """set -e
cd {directory}
top=$PWD
until [ -e "$top/.git" ] || [ "$top" = {volume} ] || [ -z "$top" ]; do top=${{top%/*}}; done
[ -e "$top/.git" ] || {{
  echo "there is no clone in $PWD: say where it is in working_directory" >&2
  exit 1
}}
[ -d "$top/.git" ] && [ ! -L "$top/.git" ] || {{
  echo "the .git of $top is no folder: commit in the clone itself" >&2
  exit 1
}}
asked() {{ git config --no-includes --file "$top/.git/config" --get "$1"; }}
repository={repository}
url=$(asked remote.origin.pushurl || asked remote.origin.url) || {{
  echo "the clone does not say where it is from: it has no remote origin" >&2
  exit 1
}}
case $repository in
  '') ;;
  *://*|*@*:*|/*) url=$repository ;;
  *)
    case $url in
      *"$repository"|*"$repository.git") ;;
      *://*) url=${{url%/*/*}}/$repository.git ;;
      *@*:*) url=${{url%%:*}}:$repository.git ;;
    esac ;;
esac
away=
case $url in http://*|https://*|ssh://*) away=yes ;; *://*|*/*:*) ;; *:*) away=yes ;; esac
if [ -z "$away" ] && [ -n "$GIT_TOKEN$GIT_SSH_KEY" ]; then
  unset GIT_TOKEN GIT_SSH_KEY  # hooks of a repository of this machine would run with them
  exec sh "$0"
fi
own=$(mktemp -d) place=
trap 'rm -rf "$own"' EXIT
[ -z "$GIT_TOKEN$GIT_SSH_KEY" ] || export HOME="$own" XDG_CONFIG_HOME="$own"
{credentials}
trap 'rm -rf "$own" ${{place:+"$place"}}' EXIT
# Steps before may have written to the clone's configuration, which can name programs to be run.
for each in objects refs logs packed-refs shallow; do
  [ ! -e "$top/.git/$each" ] || ln -s "$top/.git/$each" "$own/$each"
done
mkdir "$own/info"
[ ! -f "$top/.git/info/exclude" ] || cp "$top/.git/info/exclude" "$own/info/exclude"
for name in {kept}; do
  ! value=$(asked "$name") || git config --file "$own/config" "$name" "$value"
done
export GIT_DIR="$top/.git" GIT_COMMON_DIR="$own" GIT_WORK_TREE="$top" GIT_EDITOR=true
export GIT_CONFIG_COUNT=3
export GIT_CONFIG_KEY_0=safe.directory GIT_CONFIG_VALUE_0='*'
export GIT_CONFIG_KEY_1=core.hooksPath GIT_CONFIG_VALUE_1=/dev/null
export GIT_CONFIG_KEY_2=gc.auto GIT_CONFIG_VALUE_2=0
export GIT_AUTHOR_NAME={name} GIT_AUTHOR_EMAIL={email}
export GIT_COMMITTER_NAME=$GIT_AUTHOR_NAME GIT_COMMITTER_EMAIL=$GIT_AUTHOR_EMAIL
branch={branch} empty={empty} rebase={rebase} identity={identity}
[ -n "$branch" ] || branch=$(git symbolic-ref -q --short HEAD || echo "${{CF_BRANCH-}}")
[ -n "$branch" ] || {{ echo "it does not know the branch: say base_branch" >&2; exit 1; }}
git add -- {files}
filtered=$(git diff --cached --name-only | git check-attr --stdin filter |
  grep -v ': filter: \\(unspecified\\|unset\\)$' | head -n 1)
[ -z "$filtered" ] || {{
  echo "$filtered: filters (as of git-lfs) do not run here: commit it in a step of your own" >&2
  exit 1
}}
note=$(git rev-parse --git-path crossfade-commit)
head=$(git rev-parse HEAD)
begun=$(cat "$note" 2>/dev/null || :)
if ! git diff --cached --quiet || {{ [ -n "$empty" ] && [ "${{begun% *}}" != "$identity" ]; }}; then
  printf '%s %s' "$identity" "$head" > "$note"
  git commit -q $empty -m {message}
elif [ "${{begun% *}}" = "$identity" ] && [ "${{begun##* }}" != "$head" ]; then
  echo "it is committed already"
else
  echo "nothing to commit" >&2
  exit 1
fi
tries=1
while :; do
  if [ -n "$rebase" ]; then
    git_with fetch -q --no-recurse-submodules -- "$url" "$branch"
    git rebase -q FETCH_HEAD || {{ git rebase --abort; exit 1; }}
  fi
  git_with push -q --no-recurse-submodules {force} -- "$url" "HEAD:refs/heads/$branch" && break
  [ -n "$rebase" ] && [ "$tries" -lt 3 ] || exit 1  # somebody was faster
  tries=$((tries + 1))
done
COMMITTED_REVISION=$(git rev-parse HEAD)
cf_export "COMMITTED_REVISION=$COMMITTED_REVISION"
git log -1 --format='pushed %h %s'
"""
