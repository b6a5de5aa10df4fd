"""
The commands of a `helm` step, from the arguments of the typed step or from the environment of its
image, which some pipelines run as a freestyle step.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass, replace

from crossfade.base.json_value import Json
from crossfade.core.pipeline import chart_pushing
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.variables import as_flag

_OWN = "crossfade-charts"
"""What a repository is called here that has no name."""
_UNDERSCORES = re.compile("__|_")
_PREFIXES = (
    ("CUSTOM_", "--set"),
    ("VALUE_", "--set"),
    ("VALUESTRING_", "--set-string"),
    ("CUSTOMFILE_", "--values"),
    ("VALUESFILE_", "--values"),
)
"""Beginnings of variables that say values, in the order in which they are looked for."""


@dataclass(frozen=True, slots=True)
class HelmStep:
    """What a helm step is asked to do."""

    action: str = "install"
    """install, push or auth."""
    chart: str = ""
    release: str = ""
    namespace: str = ""
    context: str = ""
    repository: str = ""
    version: str = ""
    options: tuple[tuple[str, str], ...] = ()
    """--values, --set and --set-string in their order."""
    repositories: tuple[tuple[str, str], ...] = ()
    """Names and addresses to add."""
    more: str = ""
    """More options, as they are written."""
    commands: tuple[str, ...] = ()
    """What is run once helm has been set up, with the action auth."""
    app_version: str = ""
    """What a chart that is pushed says of its application."""
    subfolder: str = ""
    """Of a repository that charts are pushed to."""
    username: str = ""
    """Who one is at repositories; the password is the variable HELMREPO_PASSWORD."""


def from_arguments(arguments: Settings, variables: Mapping[str, str]) -> HelmStep:
    """Return what the arguments of the typed step ask for, with the variables of the build."""

    def text(name: str) -> str:
        return _text(arguments.get(name))

    chart = text("chart_name") or text("chart_ref")
    values = (_set("--set", each) for each in _listed(arguments.get("custom_values")))
    files = (("--values", each) for each in _listed(arguments.get("custom_value_files")))
    set_files = (_set("--set-file", each) for each in _listed(arguments.get("set_file")))
    more = [text("cmd_ps")]
    if as_flag(arguments.get("wait"), default=False):
        more.append("--wait")
    if text("timeout"):
        more.append(f"--timeout {shlex.quote(text('timeout'))}")
    step = HelmStep(
        text("action").lower() or "install",
        chart,
        text("release_name"),
        text("namespace"),
        text("kube_context"),
        text("chart_repo_url"),
        text("chart_version"),
        (*files, *values, *set_files),
        (*_repositories(arguments.get("repos")), *_contexts(variables)),
        " ".join(each for each in more if each),
        tuple(_listed(arguments.get("commands"))),
        text("app_version"),
        text("chart_subdir"),
        variables.get("HELMREPO_USERNAME", ""),
    )
    return _with_repository(step, text("primary_helm_context"))


def from_environment(variables: Mapping[str, str]) -> HelmStep:
    """Return what the variables of the image ask for; values come in the order of their names."""
    options = []
    for name, value in sorted(variables.items()):
        beginning = next((each for each in _PREFIXES if name.upper().startswith(each[0])), None)
        if beginning is not None:
            prefix, flag = beginning
            key = value_key(name[len(prefix) :])
            options.append((flag, value if flag == "--values" else f"{key}={value}"))
    more = [variables.get("CMD_PS", "")]
    if as_flag(variables.get("DRY_RUN"), default=False):
        more.append("--dry-run")
    step = HelmStep(
        variables.get("ACTION", "install").lower(),
        variables.get("CHART_REF") or variables.get("CHART_NAME", ""),
        variables.get("RELEASE_NAME", ""),
        variables.get("NAMESPACE", ""),
        variables.get("KUBE_CONTEXT", ""),
        variables.get("CHART_REPO_URL", ""),
        variables.get("CHART_VERSION", ""),
        tuple(sorted(options, key=lambda each: each[0] != "--values")),
        _contexts(variables),
        " ".join(each for each in more if each),
        (),
        variables.get("APP_VERSION", ""),
        variables.get("CHART_SUBDIR", ""),
        variables.get("HELMREPO_USERNAME", ""),
    )
    return _with_repository(step, variables.get("PRIMARY_HELM_CONTEXT", ""))


def _contexts(variables: Mapping[str, str]) -> tuple[tuple[str, str], ...]:
    """Return the repositories that Codefresh would have attached."""
    named = ((re.fullmatch(r"CF_CTX_(.+)_URL", name), v) for name, v in sorted(variables.items()))
    return tuple((found[1].lower().replace("_", "-"), address) for found, address in named if found)


def _with_repository(step: HelmStep, primary: str) -> HelmStep:
    """Return the step with where it pushes to: if nobody says so, to what is attached."""
    if step.repository or step.action != "push":
        return step
    attached = dict(step.repositories)
    wanted = attached.get(primary.lower().replace("_", "-")) if primary else None
    return replace(step, repository=wanted or next(iter(attached.values()), ""))


def value_key(name: str) -> str:
    """Return the path of a value: `_` stands for a dot, and `__` for one underscore."""
    return _UNDERSCORES.sub(lambda found: "_" if found[0] == "__" else ".", name)


def helm_commands(step: HelmStep) -> tuple[str, ...]:
    """Return the lines that bash runs, ending at the first that fails.  Raises ValueError."""
    lines = []
    if step.context:
        lines.append(f"kubectl config use-context {shlex.quote(step.context)}")
    lines += chart_pushing.login(step.repository, step.chart)
    if step.action == "push":
        return (*lines, *_push(step))
    attached = [each for each in step.repositories if each[1].startswith(("https://", "http://"))]
    lines += [_add(step, name, url) for name, url in attached]
    match step.action:
        case "install" | "promotion":
            if chart_pushing.is_oci(step.repository):
                whole = f"{step.repository.rstrip('/')}/{step.chart}"
                step = replace(step, chart=whole, repository="")
            if step.username and step.repository:  # which `--repo` has no safe way to say
                lines.append(_add(step, _OWN, step.repository))
                step = replace(step, chart=f"{_OWN}/{step.chart}", repository="")
            lines.append(_upgrade(step))
        case "auth":
            lines += step.commands
        case other:
            raise ValueError(f"the action {other!r} is not known; allowed: install, push, auth")
    return tuple(lines)


def _upgrade(step: HelmStep) -> str:
    if not step.release or not step.chart:
        raise ValueError("a helm step needs release_name and chart_name")
    words = ["helm", "upgrade", step.release, step.chart, "--install", "--reset-values"]
    given = (
        ("--repo", step.repository),
        ("--version", step.version),
        ("--namespace", step.namespace),
        *step.options,
    )
    words += [word for flag, value in given if value for word in (flag, value)]
    words += chart_pushing.plain_http(step.chart)
    return f"{_line(*words)} {step.more}".rstrip()


def _push(step: HelmStep) -> list[str]:
    if not step.chart or not step.repository:
        raise ValueError("a helm step that pushes needs chart_name and chart_repo_url")
    if why := chart_pushing.refusal(step.repository):
        raise ValueError(why)
    address = chart_pushing.upload_address(step.repository, step.subfolder)
    versions = (("--version", step.version), ("--app-version", step.app_version))
    return chart_pushing.push(step.chart, address, versions, step.more)


def _add(step: HelmStep, name: str, url: str) -> str:
    add = _line("helm", "repo", "add", name, url)
    if not step.username:
        return add
    who = _line("--username", step.username, "--password-stdin")
    return f'printf %s "${{HELMREPO_PASSWORD-}}" | {add} {who}'


def _line(*words: str) -> str:
    return shlex.join(words)


def _text(value: Json) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return "" if value is None or isinstance(value, list | dict) else str(value)


def _listed(value: Json) -> tuple[str, ...]:
    if isinstance(value, list):
        return tuple(_text(each) for each in value if _text(each))
    return (_text(value),) if _text(value) else ()


def _set(flag: str, text: str) -> tuple[str, str]:
    key, equals, value = text.partition("=")
    return flag, f"{value_key(key)}{equals}{value}"


def _repositories(given: Json) -> tuple[tuple[str, str], ...]:
    """Return names and addresses, written as `name=address` or as mappings."""
    found = []
    for each in given if isinstance(given, list) else [given]:
        if isinstance(each, dict):
            found.append((_text(each.get("name")), _text(each.get("url"))))
        else:
            name, _, url = _text(each).partition("=")
            found.append((name, url))
    return tuple((name, url) for name, url in found if name and url)
