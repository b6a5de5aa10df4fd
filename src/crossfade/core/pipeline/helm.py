"""
The commands of a `helm` step, from the arguments of the typed step or from the environment of its
image, which some pipelines run as a freestyle step.
"""

import re
import shlex
from collections.abc import Mapping
from dataclasses import dataclass

from crossfade.base.json_value import Json
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.variables import as_flag

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


def from_arguments(arguments: Settings) -> HelmStep:
    """Return what the arguments of the typed step ask for."""

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
    return HelmStep(
        text("action") or "install",
        chart,
        text("release_name"),
        text("namespace"),
        text("kube_context"),
        text("chart_repo_url"),
        text("chart_version"),
        (*files, *values, *set_files),
        _repositories(_listed(arguments.get("repos"))),
        " ".join(each for each in more if each),
        tuple(_listed(arguments.get("commands"))),
    )


def from_environment(variables: Mapping[str, str]) -> HelmStep:
    """Return what the variables of the image ask for; values come in the order of their names."""
    options = []
    for name, value in sorted(variables.items()):
        beginning = next((each for each in _PREFIXES if name.upper().startswith(each[0])), None)
        if beginning is not None:
            prefix, flag = beginning
            key = value_key(name[len(prefix) :])
            options.append((flag, value if flag == "--values" else f"{key}={value}"))
    named = ((re.fullmatch(r"CF_CTX_(.+)_URL", name), v) for name, v in sorted(variables.items()))
    more = [variables.get("CMD_PS", "")]
    if as_flag(variables.get("DRY_RUN"), default=False):
        more.append("--dry-run")
    return HelmStep(
        variables.get("ACTION", "install"),
        variables.get("CHART_REF") or variables.get("CHART_NAME", ""),
        variables.get("RELEASE_NAME", ""),
        variables.get("NAMESPACE", ""),
        variables.get("KUBE_CONTEXT", ""),
        variables.get("CHART_REPO_URL", ""),
        variables.get("CHART_VERSION", ""),
        tuple(sorted(options, key=lambda each: each[0] != "--values")),
        tuple((found[1].lower(), address) for found, address in named if found),
        " ".join(each for each in more if each),
    )


def value_key(name: str) -> str:
    """Return the path of a value: `_` stands for a dot, and `__` for one underscore."""
    return _UNDERSCORES.sub(lambda found: "_" if found[0] == "__" else ".", name)


def helm_commands(step: HelmStep) -> tuple[str, ...]:
    """Return the lines that bash runs, ending at the first that fails.  Raises ValueError."""
    lines = []
    if step.context:
        lines.append(f"kubectl config use-context {shlex.quote(step.context)}")
    lines += [_line("helm", "repo", "add", name, url) for name, url in step.repositories]
    match step.action:
        case "install" | "promotion":
            lines.append(_upgrade(step))
        case "push":
            lines += [_line("helm", "dependency", "update", step.chart), _push(step)]
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
    return f"{_line(*words)} {step.more}".rstrip()


def _push(step: HelmStep) -> str:
    if not step.chart or not step.repository:
        raise ValueError("a helm step that pushes needs chart_name and chart_repo_url")
    return f"{_line('helm', 'push', step.chart, step.repository)} {step.more}".rstrip()


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


def _repositories(listed: tuple[str, ...]) -> tuple[tuple[str, str], ...]:
    pairs = (each.partition("=") for each in listed)
    return tuple((name, url) for name, equals, url in pairs if equals)
