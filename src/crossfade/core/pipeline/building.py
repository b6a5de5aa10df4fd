"""What steps do that make images, and that bring them to registries."""

import json
import posixpath
import re
import shlex
from collections.abc import Iterator, Mapping, Sequence

from crossfade.base.errors import InputError
from crossfade.core.image.reference import Reference, reference
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import Settings, Step
from crossfade.core.pipeline.keeping import PUSH
from crossfade.core.pipeline.variables import as_flag, tag_form
from crossfade.core.pipeline.work import VOLUME, Access, CannotRun, Work, directory_of, text

TYPES = ("build", "push", "push-tag")
_TELLS = {
    "IMAGE": "self",
    "IMAGE_ID": "imageId",
    "IMAGE_DIGEST": "imageDigest",
    "IMAGE_REPO_DIGEST": "imageRepoDigest",
}
"""What our commands export, and which members of the step it becomes."""
_EXPORT = '--export-file="$CF_EXPORT_FILE"'
_INPUT, _ARGUMENTS = 0, 3
"""Numbers of the open files in which a command gets what is on no command line."""
_AMAZON = ("role_arn", "aws_session_name", "accessKeyId", "secretAccessKey")


def work_of(step: Step, context: Context) -> Work:
    """Return the work of a step of one of these types.  Raises CannotRun."""
    settings = context.settings(step)
    if step.type == "build":
        return build(settings, context)
    if step.type == "push":
        return push(settings, context, text(step.settings.get("candidate")))
    return push_tag(settings, context)


def build(settings: Settings, context: Context) -> Work:
    """Return the work that builds an image, names it, and pushes it unless told otherwise."""
    directory = directory_of(settings, context)
    name = _needed(settings, "image_name", "what the image is called").lower()
    tags = _tags(settings, _default_tag(context))
    if text(settings.get("tag_policy")) != "original":
        tags = tuple(each.lower() for each in tags)
    named = [f"--tag={_reference(f'{name}:{tag}')}" for tag in tags]
    words = ["image", "build", directory, *named, *_pushing(settings, context)]
    documents = {_ARGUMENTS: json.dumps(_arguments(settings, context))}
    dockerfile = settings.get("dockerfile")
    if isinstance(dockerfile, dict):
        words.append("--file=-")
        documents[_INPUT] = text(dockerfile.get("content"))
    else:
        path = posixpath.join(directory, text(dockerfile).strip() or "Dockerfile")
        words.append(f"--file={path}")
    words += [f"--build-arg-file=/dev/fd/{_ARGUMENTS}", *_build_options(settings)]
    members = {"workingDirectory": directory, "imageName": name, "imageTagName": tags[0]}
    script = _script(words, documents)
    return Work(script, "sh", VOLUME, "", members, access=Access.HUB, tells=_TELLS)


def push(settings: Settings, context: Context, candidate: str) -> Work:
    """Return the work that brings an image to a registry; `candidate` is it, as it is written."""
    wanted = _needed(settings, "candidate", "what to push")
    made = context.image(candidate)
    image = _reference(pinned(wanted, made))
    name = text(settings.get("image_name")).strip() or made.get("imageName", "") or image.repository
    tags = _tags(settings, "latest")
    named = [str(_reference(f"{name.lower()}:{tag}")) for tag in tags]
    words = ["image", "push", str(image), *(f"--as={each}" for each in named)]
    if _stays(context):
        members = {"imageName": name, "imageTagName": tags[0]}
        return _named_only(image, named, members)
    registry = text(settings.get("registry")) or text(settings.get("registry_context"))
    words += [f"--registry={registry}"] if registry else []
    given, documents = settings.get("credentials"), {}
    secrets: tuple[str, ...] = ()
    if isinstance(given, dict):
        words += [f"--username={text(given.get('username'))}", "--password-stdin"]
        documents[_INPUT] = text(given.get("password"))
        secrets = (documents[_INPUT],)
    members = {"imageName": name, "imageTagName": tags[0], "registry": registry}
    script = _script(words, documents)
    return Work(script, "sh", "/", "", members, secrets=secrets, access=Access.HUB, tells=_TELLS)


def push_tag(settings: Settings, context: Context) -> Work:
    """Return the work that gives an image in a registry more tags."""
    image = _reference(_needed(settings, "image_name", "which image it is"))
    tags = _tags(settings, "")
    for tag in tags:
        _reference(f"{image.name}:{tag}")
    script = f"exec {shlex.join(['crossfade', 'image', 'push-tag', '--', str(image), *tags])}\n"
    members = {"imageName": image.name, "imageTagName": tags[0]}
    if _stays(context):
        return _named_only(image, [f"{image.name}:{tag}" for tag in tags], members)
    return Work(script, "sh", "/", "", members, access=Access.HUB)


def _stays(context: Context) -> bool:
    return not as_flag(context.scope.texts.get(PUSH), default=True)


def _named_only(image: Reference, names: Sequence[str], members: Mapping[str, str]) -> Work:
    """Return the work that gives an image of this machine the names that it would be pushed by."""
    told = f"echo {shlex.quote(f'{PUSH} is false: nothing is pushed, {image} stays here')}"
    tag = shlex.join(["crossfade", "image", "tag", "--", str(image), *names])
    return Work(f"{told}\nexec {tag}\n", "sh", "/", "", members, access=Access.HUB)


def pinned(image: str, made: Mapping[str, str]) -> str:
    """Return the image by its content, if a step of this build made it: others may move its tag."""
    digest = made.get("imageDigest", "")
    return f"{image}@{digest}" if digest and "@" not in image else image


def against(kind: str, settings: Settings) -> Iterator[str]:
    """Yield what a step of these types asks for that is not there."""
    for key in _AMAZON:
        if settings.get(key):
            yield f"`{key}` is not supported: `docker login`, or make the registry known"
    if settings.get("provider") == "ecr":
        yield "`provider: ecr` is not supported: `docker login`, or make the registry known"
    if kind != "build":
        return
    for key in ("secrets", "ssh"):
        if settings.get(key):
            yield f"`{key}` is not supported: RUN has no mounts; fetch what it needs before"
    provider, cosign = settings.get("provider"), settings.get("cosign")
    if isinstance(provider, dict) and provider.get("type") == "gcb":
        yield "`provider: gcb` is not supported: images are built on this machine"
    if isinstance(cosign, dict) and as_flag(cosign.get("sign"), default=False):
        yield "`cosign` is not supported: sign in a step of your own"
    if "," in text(settings.get("platform")):
        yield "images for several platforms are not supported"


def _script(words: list[str], documents: Mapping[int, str]) -> str:
    """Return the call of our command, with documents for it that nobody else sees."""
    line = f"exec {shlex.join(['crossfade', *words])} {_EXPORT}"
    bodies = ""
    for number, document in sorted(documents.items()):
        end = "END"
        while re.search(rf"^{end}$", document, re.MULTILINE):
            end += "_"
        line += f" {number}<<'{end}'"
        bodies += f"{document}\n{end}\n"
    return f"{line}\n{bodies}"


def _needed(settings: Settings, key: str, what: str) -> str:
    found = text(settings.get(key)).strip()
    if not found or "${{" in found:
        raise CannotRun(f"it does not know {what}: {key} is {found!r}")
    return found


def _reference(name: str) -> Reference:
    try:
        return reference(name)
    except InputError as error:
        raise CannotRun(f"{error}; {error.hint}") from error


def _tags(settings: Settings, default: str) -> tuple[str, ...]:
    listed = settings.get("tags")
    given = [settings.get("tag"), *(listed if isinstance(listed, list) else ())]
    tags = tuple(dict.fromkeys(text(each).strip() for each in given if text(each).strip()))
    for each in tags:
        if "${{" in each:
            raise CannotRun(f"it does not know the tag: {each!r}")
    if not tags and not default:
        raise CannotRun("it has no tags")
    return tags or (default,)


def _default_tag(context: Context) -> str:
    given = context.scope.texts
    names = ("CF_BRANCH_TAG_NORMALIZED", "CF_BRANCH", "CF_SHORT_REVISION", "CF_REVISION")
    found = next((given[name] for name in names if given.get(name)), "latest")
    return tag_form(found).lstrip(".-")[:128] or "latest"


def _arguments(settings: Settings, context: Context) -> dict[str, str]:
    listed = settings.get("build_arguments")
    found = {}
    for each in listed if isinstance(listed, list) else ():
        name, equals, value = text(each).partition("=")
        if equals or name in context.scope.texts:
            found[name.strip()] = value if equals else context.scope.texts[name]
    return found


def _build_options(settings: Settings) -> list[str]:
    given = {key: text(settings.get(key)).strip() for key in ("target", "platform")}
    found = [f"--{key}={value}" for key, value in given.items() if value]
    if as_flag(settings.get("no_cache"), default=False):
        found.append("--no-cache")
    contexts = settings.get("registry_contexts")
    listed = contexts if isinstance(contexts, list) else ()
    return [*found, *(f"--registry-context={text(each)}" for each in listed)]


def _pushing(settings: Settings, context: Context) -> list[str]:
    if _stays(context) or as_flag(settings.get("disable_push"), default=not context.pushes):
        return []
    registry = text(settings.get("registry")).strip()
    return ["--push", f"--registry={registry}"] if registry else ["--push-default"]
