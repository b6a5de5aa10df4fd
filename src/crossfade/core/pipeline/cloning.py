"""What a git-clone does, and how steps reach repositories as their integration."""

import posixpath
import shlex
from collections.abc import Mapping

from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.variables import as_flag
from crossfade.core.pipeline.work import VOLUME, CannotRun, Work, text

SSH_KEY, SSH_HOSTS = "GIT_SSH_KEY", "GIT_SSH_KNOWN_HOSTS"
TOKEN, TOKEN_USER, SERVER = "GIT_TOKEN", "GIT_TOKEN_USER", "GIT_SERVER"
CLONE_USER, CLONE_PASSWORD = "GIT_CLONE_USER", "GIT_CLONE_PASSWORD"
"""Variables of a step that has an integration: its key, its token, and who may see the token."""
SILENT_SECONDS = 120
"""A server that is silent for so long is not waited for; while it packs, it says that it does."""
_REVISION = "CLONED_REVISION"
_PUBLIC = {
    "github": "https://github.com",
    "gitlab": "https://gitlab.com",
    "bitbucket": "https://bitbucket.org",
}
"""Servers that everybody uses, by how the names of their integrations begin."""


def public_server(integration: str) -> str:
    """Return the public server that an integration is named after, "" when it is not."""
    found = (url for name, url in _PUBLIC.items() if integration.lower().startswith(name))
    return next(found, "")


def address_of(repository: str, integration: str = "") -> str:
    """Return where `owner/name` is cloned from, an address as it is."""
    if _is_address(repository):
        return repository
    return f"{public_server(integration) or 'https://github.com'}/{repository}.git"


def clone(settings: Settings, variables: Mapping[str, str]) -> Work:
    """
    Return the work that clones a repository, or updates its clone.  Raises CannotRun.

    `variables` are those of the build: its own repository is cloned from where they say it is.
    """
    repository = text(settings.get("repo")).strip()
    if not repository or "${{" in repository:
        raise CannotRun(f"it does not know what to clone: repo is {repository!r}")
    integration = text(settings.get("git")).strip()
    integration = "" if "${{" in integration else integration
    url = _own_address(repository, integration, variables) or address_of(repository, integration)
    name = posixpath.basename(url.rstrip("/")).removesuffix(".git") or "repository"
    if name in (".", ".."):
        raise CannotRun(f"repo names no repository: {repository!r}")
    where = text(settings.get("working_directory")).strip() or VOLUME
    target = posixpath.join(VOLUME, where, name)
    revision = text(settings.get("revision")).strip()
    options = _clone_options(settings)
    script = _SCRIPT.format(
        credentials=CREDENTIALS,
        target=_q(target),
        url=_q(url),
        options=shlex.join(options),
        depth=shlex.join(each for each in options if each.startswith("--depth")),
        volume=_q(VOLUME),
        kept=" ".join(_KEPT),
        revision=_q("" if "${{" in revision else revision),
        exported=_REVISION,
    )
    environment, secrets = _credentials(settings)
    members = {"self": target, "workingDirectory": target, "repo": repository}
    return Work(
        script,
        "sh",
        VOLUME,
        "",
        members,
        environment,
        secrets,
        tells={_REVISION: "revision"},
        integration=integration,
    )


def _own_address(repository: str, integration: str, variables: Mapping[str, str]) -> str:
    """
    Return the address of the repository that the build is of, "" for any other one.

    Of the same name on another server there may be one of somebody else, whose code would run.
    """
    told = (variables.get(f"CF_REPO_{each}", "") for each in ("OWNER", "NAME", "CLONE_URL"))
    owner, name, url = told
    if not url or repository.lower() != f"{owner}/{name}".lower():
        return ""
    elsewhere = integration not in ("", variables.get("CF_GIT_INTEGRATION"))
    return "" if elsewhere and public_server(integration) else url


def _is_address(repository: str) -> bool:
    return "://" in repository or "@" in repository or repository.startswith("/")


def _clone_options(settings: Settings) -> list[str]:
    options = []
    depth = text(settings.get("depth")).strip()
    if depth.isdigit() and int(depth) > 0:
        options += ["--no-single-branch", f"--depth={depth}"]
    if as_flag(settings.get("exclude_blobs"), default=False):
        options.append("--filter=blob:none")
    return options


def _credentials(settings: Settings) -> tuple[dict[str, str], tuple[str, ...]]:
    given = settings.get("credentials")
    if not isinstance(given, dict):
        return {}, ()
    password = text(given.get("password"))
    named = {CLONE_USER: text(given.get("username")), CLONE_PASSWORD: password}
    return named, (password,) if password else ()


_KEPT = (
    *("core.repositoryformatversion", "extensions.objectformat", "extensions.partialclone"),
    *("remote.origin.promisor", "remote.origin.partialclonefilter"),
)
"""What of the configuration of a clone says how it is stored."""
_q = shlex.quote
_HELPER = r"""!f() {
  test "$1" = get || return 0
  while IFS== read -r name value; do
    case $name in protocol) protocol=$value ;; host) host=$value ;; esac
  done
  if [ -n "$GIT_CLONE_USER" ]; then
    printf "username=%s\npassword=%s\n" "$GIT_CLONE_USER" "$GIT_CLONE_PASSWORD"
  elif [ "$protocol://$host" = "$GIT_SERVER" ]; then
    printf "username=%s\npassword=%s\n" "$GIT_TOKEN_USER" "$GIT_TOKEN"
  fi
}; f"""
"""Of a token that belongs to a server no other server hears."""
CREDENTIALS = f"""export GIT_TERMINAL_PROMPT=0
export GIT_HTTP_LOW_SPEED_LIMIT=1 GIT_HTTP_LOW_SPEED_TIME={SILENT_SECONDS}
if [ -n "$GIT_SSH_KEY" ]; then
  place=$(dirname "$CF_EXPORT_FILE")/tmp  # of this run alone, and gone with it
  [ -d "$place" ] || place=/tmp
  place=$(mktemp -d "$place/key.XXXXXX")
  trap 'rm -rf "$place"' EXIT
  old=$(umask)
  umask 077
  printf '%s\\n' "$GIT_SSH_KEY" > "$place/key"
  printf '%s\\n' "$GIT_SSH_KNOWN_HOSTS" > "$place/hosts"
  umask "$old"
  ssh="ssh -i '$place/key' -o IdentitiesOnly=yes -o BatchMode=yes -o ConnectTimeout=30"
  ssh="$ssh -o ServerAliveInterval={SILENT_SECONDS // 8} -o ServerAliveCountMax=8"
  [ -z "$GIT_SSH_KNOWN_HOSTS" ] || ssh="$ssh -o UserKnownHostsFile='$place/hosts'"
  export GIT_SSH_COMMAND="$ssh"
  unset GIT_SSH_KEY
fi
git_with() {{ git "$@"; }}
if [ -n "$GIT_CLONE_USER$GIT_TOKEN" ]; then
  helper={shlex.quote(_HELPER)}
  git_with() {{ git -c credential.helper= -c credential.helper="$helper" "$@"; }}
fi
"""
"""Makes `git_with`, which is git with what the integration or the step knows."""
_SCRIPT = """set -e
own=$(dirname "$CF_EXPORT_FILE")/tmp place=  # of this run alone, and gone with it
[ -d "$own" ] || own=/tmp
own=$(mktemp -d "$own/clone.XXXXXX")
trap 'rm -rf "$own"' EXIT
{credentials}
trap 'rm -rf "$own" ${{place:+"$place"}}' EXIT
export GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=core.hooksPath GIT_CONFIG_VALUE_0=/dev/null
target={target} url={url} revision={revision} fresh=
case $target in {volume}/*)
  case $(realpath -m -- "$target") in
    "$(realpath -- {volume})"/*) ;;
    *) echo "a link in the workspace leads out of it: $target" >&2; exit 1 ;;
  esac ;;
esac
[ -d "$target/.git" ] && [ ! -L "$target/.git" ] && [ ! -L "$target" ] || fresh=yes
mkdir "$own/common" "$own/common/info"
if [ -n "$fresh" ]; then
  git_with clone -q --no-checkout {options} -- "$url" "$own/web"
  cp "$own/web/.git/config" "$own/common/config"
  mkdir -p "$(dirname "$target")"
  rm -rf "$target"
  mv -T "$own/web" "$target"
else
  for name in {kept}; do
    ! value=$(git config --no-includes --file "$target/.git/config" --get "$name") ||
      git config --file "$own/common/config" "$name" "$value"
  done
  git config --file "$own/common/config" remote.origin.url "$url"
  git config --file "$own/common/config" remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
  rm -rf "$target/.git/config.worktree" "$target/.git/commondir" "$target/.git/info/attributes"
fi
# Steps side by side may write to the clone's configuration at any time, which can name programs to
# be run: nobody reads it here.
mkdir -p "$target/.git/logs"
for each in objects refs logs packed-refs shallow; do
  ln -s "$target/.git/$each" "$own/common/$each"
done
[ ! -f "$target/.git/info/exclude" ] || cp "$target/.git/info/exclude" "$own/common/info/exclude"
cd "$target"
export GIT_DIR="$target/.git" GIT_COMMON_DIR="$own/common" GIT_WORK_TREE="$target"
if [ -z "$fresh" ]; then
  git clean -fdq
  git_with fetch -q --no-recurse-submodules --force --tags {depth} origin \\
    '+refs/heads/*:refs/remotes/origin/*'
fi
if [ -z "$revision" ]; then
  git_with reset -q --hard
elif git rev-parse -q --verify "refs/remotes/origin/$revision^{{commit}}" >/dev/null; then
  git_with checkout -q -f -B "$revision" "origin/$revision"
else
  at=$revision
  git rev-parse -q --verify "$revision^{{commit}}" >/dev/null || {{
    git_with fetch -q --no-recurse-submodules -- origin "$revision"
    at=FETCH_HEAD
  }}
  git_with checkout -q -f --detach "$at"
fi
mv -T "$own/common/config" "$GIT_DIR/config"  # for the steps that come
{exported}="$(git rev-parse HEAD)"
cf_export "{exported}=${exported}"
git log -1 --format='checked out %h %s'
"""
