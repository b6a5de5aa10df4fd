"""What a run of a step does, worked out from the document and from what earlier steps told."""

import posixpath
import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import replace

from crossfade.core.pipeline import (
    building,
    children,
    cloning,
    composing,
    deploying,
    external_resources,
    launching,
)
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import Settings, Step
from crossfade.core.pipeline.images import bare
from crossfade.core.pipeline.public_steps import public_step
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


_OWN: Mapping[str, Callable[[Settings, Context], Work]] = {
    deploying.ROLLOUT: deploying.roll_out,
    launching.LAUNCH: launching.launch,
    children.CHILD: children.start,
    "helm": deploying.helm,
    "deploy": deploying.deploy,
}


def work_of(step: Step, context: Context, local_dir: str = "") -> Work:
    """
    Return the work of a step.

    `local_dir` is a folder of the machine that is copied in place of what the main clone clones.
    Raises CannotRun.
    """
    settings = context.settings(step)
    if step.main and local_dir:
        return _copy(local_dir, _target(settings, context, local_dir))
    match step.type:
        case "git-clone":
            return cloning.clone(settings, context.scope.texts)
        case external_resources.KEY:
            return external_resources.bring(settings)
        case kind if kind in _OWN:
            return _OWN[kind](settings, context)
        case kind if kind in composing.TYPES:
            return composing.work_of(step, context)
        case kind if kind in building.TYPES:
            return building.work_of(step, context)
        case _:
            public = public_step(step.type)
            if public is not None:
                return public.work(settings, context)
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
    known = bare(image)
    if isinstance(commands, list) and commands:
        lines = tuple(text(each) for each in commands)
        called = deploying.deploy_commands(lines) if known == deploying.DEPLOY_IMAGE else lines
        script = "\n".join(["set -e", *called]) + "\n"
        # What they call of that image is ours, so that they run on this machine.
        return replace(work, script=script, inside=inside if called == lines else None)
    if known in deploying.HELM_IMAGES:
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


def _target(settings: Settings, context: Context, local_dir: str) -> str:
    """Return where a folder goes in place of a clone: where the clone would be."""
    repository = text(settings.get("repo")).strip().rstrip("/").removesuffix(".git")
    name = "" if "${{" in repository else re.split("[/:]", repository)[-1]
    name = name or context.scope.texts.get("CF_REPO_NAME", "")
    name = name or posixpath.basename(local_dir.rstrip("/")) or "source"
    where = text(settings.get("working_directory")).strip()
    target = posixpath.normpath(posixpath.join(VOLUME, where, name))
    if not target.startswith(f"{VOLUME}/"):
        raise CannotRun(f"working_directory: {where} is not below {VOLUME}")
    return target


def _copy(local_dir: str, target: str) -> Work:
    script = f"""set -e
target={_q(target)}
rm -rf "$target"
mkdir -p "$(dirname "$target")"
cd {_q(local_dir)}
# With its history, as a clone has it; nothing that its hooks or configuration name is run.
if [ "$(git rev-parse --show-cdup 2>/dev/null || echo none)" = "" ] &&
  git rev-parse -q --verify HEAD >/dev/null; then
  origin=$(git remote get-url origin 2>/dev/null || true)
  if git clone -q --no-checkout --no-hardlinks --template= -- "$PWD" "$target"; then
    if [ -n "$origin" ]; then
      git -C "$target" remote set-url origin "$origin"
    else
      git -C "$target" remote remove origin
    fi
    git -C "$target" reset -q
  else
    echo "the history of $PWD cannot be read, so only its files are copied"
    rm -rf "$target"
  fi
fi
mkdir -p "$target"
list() {{
  if git rev-parse --is-inside-work-tree >/dev/null 2>&1; then
    git ls-files --cached --others --exclude-standard -z
  else
    find . -mindepth 1 -maxdepth 1 -print0
  fi
}}
list | tar --null --ignore-failed-read --warning=no-failed-read -T - -cf - |
  tar -xf - -C "$target"
echo "copied $PWD"
"""
    return Work(script, "sh", VOLUME, "", {"self": target, "workingDirectory": target})


_q = shlex.quote
