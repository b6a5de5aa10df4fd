"""What a run of a step does, worked out from the document and from what earlier steps told."""

import posixpath
import shlex
from dataclasses import replace

from crossfade.core.pipeline import building, children, composing, deploying, launching
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import MAIN_CLONE, Settings, Step
from crossfade.core.pipeline.images import bare
from crossfade.core.pipeline.variables import as_flag
from crossfade.core.pipeline.work import (
    IMAGE_DIRECTORY,
    VOLUME,
    Access,
    CannotRun,
    Inside,
    Work,
    directory_of,
    text,
    words_of,
)

_NO_COMMANDS = """cat >&2 <<END
it has no commands, so the entry point of its image would run; but the image is neither kept here \
nor in a known registry: build or pull it before, or give commands
END
exit 1
"""
SSH_KEY, SSH_HOSTS = "GIT_SSH_KEY", "GIT_SSH_KNOWN_HOSTS"
"""Variables of the environment of a clone that may have a key of its own."""
_REVISION = "CLONED_REVISION"


def work_of(step: Step, context: Context, local_dir: str = "") -> Work:
    """
    Return the work of a step.

    `local_dir` is a folder of the machine that is copied in place of the main clone.
    Raises CannotRun.
    """
    settings = context.settings(step)
    if step.name == MAIN_CLONE and local_dir:
        return _copy(local_dir)
    match step.type:
        case "git-clone":
            return _clone(settings)
        case deploying.ROLLOUT:
            return deploying.roll_out(settings, context)
        case launching.LAUNCH:
            return launching.launch(step, settings, context)
        case children.CHILD:
            return children.start(settings, context)
        case "helm":
            return deploying.helm(settings)
        case "deploy":
            return deploying.deploy(settings, context)
        case kind if kind in composing.TYPES:
            return composing.work_of(step, context)
        case kind if kind in building.TYPES:
            return building.work_of(step, context)
        case _:
            return _freestyle(step, settings, context)


def _freestyle(step: Step, settings: Settings, context: Context) -> Work:
    directory = directory_of(settings, context)
    written = text(step.settings.get("image"))
    commands, image = settings.get("commands"), text(settings.get("image"))
    image = building.pinned(image, context.image(written))
    members = {"self": directory, "workingDirectory": directory}
    inside = _inside(settings)
    shell = text(settings.get("shell")) or "sh"
    work = Work("", shell, directory, image, members, access=Access.FLEET)
    services = composing.beside(settings.get("services"))
    work = replace(work, inside=inside, volumes=_volumes(settings), composition=services)
    if isinstance(commands, list) and commands:
        script = "\n".join(["set -e", *(text(each) for each in commands)]) + "\n"
        return replace(work, script=script)
    known = bare(image)
    if known == deploying.HELM_IMAGE:
        return deploying.helm_image(settings, context)
    if known == deploying.DEPLOY_IMAGE:
        return deploying.deploy_image(settings, context)
    entry_point, arguments = words_of(settings.get("entry_point")), words_of(settings.get("cmd"))
    inside = replace(inside, entry_point=entry_point, arguments=arguments, runs_script=False)
    script = f"exec {shlex.join([*entry_point, *arguments])}\n" if entry_point else _NO_COMMANDS
    return replace(work, script=script, inside=inside)


def _inside(settings: Settings) -> Inside:
    own = text(settings.get("working_directory")).strip() == IMAGE_DIRECTORY
    context = text(settings.get("registry_context")).strip()
    return Inside(own_directory=own, contexts=(context,) if context else ())


def _volumes(settings: Settings) -> tuple[tuple[str, str], ...]:
    """Return folders of the workspace with where else they are seen; nothing else can be."""
    listed, found = settings.get("volumes"), []
    for each in listed if isinstance(listed, list) else ():
        source, _, target = text(each).partition(":")
        target = target.removesuffix(":rw")
        place = posixpath.normpath(posixpath.join(VOLUME, source))
        if place != VOLUME and not place.startswith(f"{VOLUME}/"):
            raise CannotRun(f"volumes: {source} is not below {VOLUME}")
        if not target.startswith("/"):
            raise CannotRun(f"volumes: {target!r} is no absolute path")
        found.append((place, posixpath.normpath(target)))
    return tuple(found)


def _copy(local_dir: str) -> Work:
    name = posixpath.basename(local_dir.rstrip("/")) or "source"
    target = posixpath.join(VOLUME, name)
    script = f"""set -e
rm -rf {_q(target)}
mkdir -p {_q(target)}
cd {_q(local_dir)}
list() {{
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -z
  else
    find . -mindepth 1 -maxdepth 1 -print0
  fi
}}
list | tar --null --ignore-failed-read --warning=no-failed-read -T - -cf - |
  tar -xf - -C {_q(target)}
echo "copied $PWD"
"""
    return Work(script, "sh", VOLUME, "", {"self": target, "workingDirectory": target})


def _clone(settings: Settings) -> Work:
    repository = text(settings.get("repo")).strip()
    if not repository or "${{" in repository:
        raise CannotRun(f"it does not know what to clone: repo is {repository!r}")
    url = repository if _is_address(repository) else f"https://github.com/{repository}.git"
    name = posixpath.basename(url.rstrip("/")).removesuffix(".git") or "repository"
    if name in (".", ".."):
        raise CannotRun(f"repo names no repository: {repository!r}")
    where = text(settings.get("working_directory")).strip() or VOLUME
    target = posixpath.join(VOLUME, where, name)
    revision = text(settings.get("revision")).strip()
    options = _clone_options(settings)
    script = _CLONE.format(
        target=_q(target),
        url=_q(url),
        options=shlex.join(options),
        revision=_q("" if "${{" in revision else revision),
        exported=_REVISION,
    )
    environment, secrets = _credentials(settings)
    members = {"self": target, "workingDirectory": target, "repo": repository}
    tells, integration = {_REVISION: "revision"}, text(settings.get("git")).strip()
    return Work(
        script,
        "sh",
        VOLUME,
        "",
        members,
        environment,
        secrets,
        tells=tells,
        integration="" if "${{" in integration else integration,
    )


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
    named = {"GIT_CLONE_USER": text(given.get("username")), "GIT_CLONE_PASSWORD": password}
    return named, (password,) if password else ()


_q = shlex.quote
_HELPER = (
    '!f() { test "$1" != get || printf "username=%s\\npassword=%s\\n" '
    '"$GIT_CLONE_USER" "$GIT_CLONE_PASSWORD"; }; f'
)
_CLONE = (
    """set -e
export GIT_TERMINAL_PROMPT=0
if [ -n "$GIT_SSH_KEY" ]; then
  place=$(dirname "$CF_EXPORT_FILE")/tmp
  trap 'rm -f "$place/key"' EXIT
  old=$(umask)
  umask 077
  printf '%s\\n' "$GIT_SSH_KEY" > "$place/key"
  printf '%s\\n' "$GIT_SSH_KNOWN_HOSTS" > "$place/hosts"
  umask "$old"
  ssh="ssh -i '$place/key' -o IdentitiesOnly=yes -o BatchMode=yes"
  [ -z "$GIT_SSH_KNOWN_HOSTS" ] || ssh="$ssh -o UserKnownHostsFile='$place/hosts'"
  export GIT_SSH_COMMAND="$ssh"
  unset GIT_SSH_KEY
fi
target={target} url={url} revision={revision}
git_with() {{ git "$@"; }}
if [ -n "$GIT_CLONE_USER" ]; then
  git_with() {{ git -c credential.helper= -c credential.helper="$helper" "$@"; }}
fi
helper="""
    + shlex.quote(_HELPER).replace("{", "{{").replace("}", "}}")
    + """
if [ -e "$target/.git" ]; then
  cd "$target"
  git remote set-url origin "$url"
  git clean -fdq
  git_with fetch -q --force --tags {options} origin '+refs/heads/*:refs/remotes/origin/*'
else
  mkdir -p "$(dirname "$target")"
  rm -rf "$target.part"
  git_with clone -q {options} -- "$url" "$target.part"
  rm -rf "$target"
  mv "$target.part" "$target"
  cd "$target"
fi
if [ -z "$revision" ]; then
  git_with reset -q --hard
elif git rev-parse -q --verify "refs/remotes/origin/$revision^{{commit}}" >/dev/null; then
  git_with checkout -q -f -B "$revision" "origin/$revision"
else
  at=$revision
  git rev-parse -q --verify "$revision^{{commit}}" >/dev/null || {{
    git_with fetch -q origin "$revision"
    at=FETCH_HEAD
  }}
  git_with checkout -q -f --detach "$at"
fi
{exported}="$(git rev-parse HEAD)"
cf_export "{exported}=${exported}"
git log -1 --format='checked out %h %s'
"""
)
