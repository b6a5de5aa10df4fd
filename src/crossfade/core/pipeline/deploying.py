"""What steps do that bring something out: a rollout of the fleet, a chart, or plain manifests."""

import json
import re
import shlex
from collections.abc import Sequence
from dataclasses import replace

from crossfade.base.errors import InputError
from crossfade.base.json_value import Json
from crossfade.core.pipeline.chart_pushing import registry_of
from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.helm import HelmStep, from_arguments, from_environment, helm_commands
from crossfade.core.pipeline.variables import as_flag
from crossfade.core.pipeline.work import VOLUME, Access, CannotRun, Work, directory_of, text
from crossfade.core.release.values import parse_set

ROLLOUT = "crossfade-deploy"
ON_CANCEL = ("abort", "leave")
HELM_IMAGE = "codefresh/cfstep-helm"
HELM_IMAGES = (HELM_IMAGE, "codefresh/plugin-helm")
"""The image of the helm step under its name and its old one; both read the same variables."""
DEPLOY_IMAGE = "codefresh/cf-deploy-kubernetes"
ONCE = "CF_STEP_IDENTITY"
"""Variable of the environment that is the same however often a run is started again."""
_ACTIONS = ("apply", "create", "replace")
_DEPLOY_COMMAND = re.compile(r"(?<![\w./-])/cf-deploy-kubernetes(?![\w./-])")
"""The program of the image of the deploy step, as commands of a step call it."""


def roll_out(settings: Settings, context: Context) -> Work:
    """Return the work that starts a rollout, once, and follows it to its end."""
    application = text(settings.get("application")).strip()
    if not application or "${{" in application:
        raise CannotRun(f"it does not know what to deploy: application is {application!r}")
    line = f'crossfade deploy --once "${ONCE}" --values -'
    if as_flag(settings.get("wait"), default=True):
        line += " --watch"
        if _on_cancel(settings) == "abort":
            line += " --abort-when-ended"
    file = text(settings.get("file")).strip()
    apply = f"crossfade apply -f {shlex.quote(file)}\n" if file else ""
    # As a document, for there it is seen by nobody; a line of JSON is never the word that ends it.
    values = json.dumps(_values(settings))
    script = f"set -e\n{apply}exec {line} -- {shlex.quote(application)} <<'END'\n{values}\nEND\n"
    directory = directory_of(settings, context)
    return Work(script, "sh", directory, "", {"self": directory}, access=Access.HUB)


def _on_cancel(settings: Settings) -> str:
    given = text(settings.get("on_cancel")) or ON_CANCEL[0]
    if given not in ON_CANCEL:
        raise CannotRun(f"on_cancel is {given!r}; allowed: {', '.join(ON_CANCEL)}")
    return given


def _values(settings: Settings) -> dict[str, Json]:
    given = settings.get("set")
    pairs = given.items() if isinstance(given, dict) else ()
    listed = given if isinstance(given, list) else [f"{key}={text(v)}" for key, v in pairs]
    try:
        return parse_set([text(each) for each in listed])
    except InputError as error:
        raise CannotRun(f"`set` cannot be read: {error}") from error


def helm(settings: Settings, context: Context) -> Work:
    """Return the work of a typed helm step; it starts in the workspace, as typed steps do."""
    where = text(settings.get("working_directory")).strip() or VOLUME
    step = from_arguments(settings, context.scope.texts)
    return _helm(step, where if where.startswith("/") else f"{VOLUME}/{where}", context)


def helm_image(settings: Settings, context: Context) -> Work:
    """Return the work of the image of the helm step, which reads its variables."""
    return _helm(from_environment(context.scope.texts), directory_of(settings, context), context)


def _helm(step: HelmStep, directory: str, context: Context) -> Work:
    environment = {}
    if step.context and not step.commands:  # then nothing needs kubectl
        environment["HELM_KUBECONTEXT"] = step.context
        step = replace(step, context="")
    try:
        lines = helm_commands(step)
    except ValueError as error:
        raise CannotRun(str(error)) from error
    script = "\n".join(["set -e", *lines]) + "\n"
    members = {"self": directory, "workingDirectory": directory}
    work = Work(script, "bash", directory, HELM_IMAGE, members, environment, access=Access.FLEET)
    password = context.scope.texts.get("HELMREPO_PASSWORD", "")
    return replace(
        work,
        secrets=(password,) if password else (),
        registry=registry_of(step.repository, step.chart),
    )


def deploy(settings: Settings, context: Context) -> Work:
    """Return the work that brings an image behind a service, or a manifest, to one cluster."""
    candidate = settings.get("candidate")
    image = text(candidate.get("image")) if isinstance(candidate, dict) else ""
    environment = {
        "KUBECONTEXT": text(settings.get("cluster")),
        "KUBERNETES_NAMESPACE": text(settings.get("namespace")),
        "KUBERNETES_DEPLOYMENT_TIMEOUT": text(settings.get("timeout")) or "120",
    }
    service, file = text(settings.get("service")), text(settings.get("file_path"))
    if service:
        if not image or "${{" in image:
            raise CannotRun(f"it does not know what to deploy: candidate.image is {image!r}")
        environment |= {"SERVICE": service, "IMAGE": image}
        return _deploy(_SERVICE, settings, context, environment)
    if not file:
        raise CannotRun("it needs `service` with a candidate, or `file_path`")
    return _deploy(_FILE, settings, context, {**environment, "FILE_PATH": file})


def deploy_image(settings: Settings, context: Context) -> Work:
    """Return the work of the image of the deploy step, which reads its variables."""
    given = context.scope.texts
    action = given.get("KUBECTL_ACTION") or _ACTIONS[0]
    if action not in _ACTIONS:
        raise CannotRun(f"KUBECTL_ACTION is {action!r}; allowed: {', '.join(_ACTIONS)}")
    words = settings.get("cmd")
    named = text(words[-1]) if isinstance(words, list) and words else text(words)
    file = named.split()[-1] if named.split() else given.get("FILE_PATH", "")
    if not file or not given.get("KUBECONTEXT"):
        raise CannotRun("it needs the variable KUBECONTEXT, and a file in `cmd`")
    return _deploy(_FILE, settings, context, {"FILE_PATH": file, "KUBECTL_ACTION": action})


def deploy_commands(commands: Sequence[str]) -> tuple[str, ...]:
    """Return commands that run here what they call of the image of the deploy step."""
    calling = tuple(_DEPLOY_COMMAND.sub(_DEPLOY_FUNCTION, each) for each in commands)
    return calling if calling == tuple(commands) else (_DEPLOY_PROGRAM, *calling)


def _deploy(script: str, settings: Settings, context: Context, environment: dict[str, str]) -> Work:
    directory = directory_of(settings, context)
    members = {"self": directory, "workingDirectory": directory}
    whole = f"{_START}{script}"
    return Work(whole, "sh", directory, DEPLOY_IMAGE, members, environment, access=Access.FLEET)


_START = """set -e
in_cluster() {
  kubectl --context "$KUBECONTEXT" ${KUBERNETES_NAMESPACE:+--namespace "$KUBERNETES_NAMESPACE"} "$@"
}
wait_for() {
  in_cluster rollout status "$1" --timeout "${KUBERNETES_DEPLOYMENT_TIMEOUT:-120}s"
}
"""
_SERVICE = """
selector=$(in_cluster get service "$SERVICE" \\
  -o go-template='{{range $k, $v := .spec.selector}}{{$k}}={{$v}} {{end}}')
[ -n "$selector" ] || { echo "service $SERVICE selects no pods" >&2; exit 1; }
labels='{{range $k, $v := .spec.template.metadata.labels}}{{$k}}={{$v}} {{end}}'
all=$(in_cluster get deployments \\
  -o go-template="{{range .items}}{{.metadata.name}} $labels{{\\"\\\\n\\"}}{{end}}")
found=$(printf '%s\\n' "$all" | while read -r name own; do
  for each in $selector; do
    case " $own " in *" $each "*) ;; *) continue 2 ;; esac
  done
  [ -z "$name" ] || echo "$name"
done)
case $found in
  '') echo "no deployment is behind service $SERVICE ($selector)" >&2; exit 1 ;;
  *[[:space:]]*) echo "several deployments are behind service $SERVICE:" $found >&2; exit 1 ;;
esac
containers=$(in_cluster get deployment "$found" \\
  -o go-template='{{range .spec.template.spec.containers}}{{.name}} {{.image}}{{"\\n"}}{{end}}')
container=$(printf '%s\\n' "$containers" | awk '
  function bare(image) { sub(/@.*/, "", image); sub(/:[^:\\/]*$/, "", image); return image }
  { count++; first = $1; if (bare($2) == bare(ENVIRON["IMAGE"])) same = $1 }
  END { print same != "" ? same : (count == 1 ? first : "") }')
[ -n "$container" ] || {
  echo "no container of deployment $found has an image of this name: $IMAGE" >&2; exit 1; }
in_cluster set image "deployment/$found" "$container=$IMAGE"
wait_for "deployment/$found"
"""
_FILE = """
filled=$(awk '{
  rest = $0; line = ""
  while (match(rest, /\\{\\{ *[A-Za-z_][A-Za-z0-9_]* *(=[^}]*)?\\}\\}/)) {
    inner = substr(rest, RSTART + 2, RLENGTH - 4)
    at = index(inner, "="); name = at ? substr(inner, 1, at - 1) : inner
    gsub(/ /, "", name)
    value = substr(rest, RSTART, RLENGTH)
    if (name in ENVIRON) value = ENVIRON[name]
    else if (at) { value = substr(inner, at + 1); gsub(/^ +| +$/, "", value) }
    line = line substr(rest, 1, RSTART - 1) value
    rest = substr(rest, RSTART + RLENGTH)
  }
  print line rest
}' "$FILE_PATH")
names=$(printf '%s\\n' "$filled" | in_cluster "${KUBECTL_ACTION:-apply}" -f - -o name)
printf '%s\\n' "$names"
for each in $names; do
  case $each in deployment.*|statefulset.*|daemonset.*) wait_for "$each" ;; esac
done
"""
_DEPLOY_FUNCTION = "cf_deploy_kubernetes"
_DEPLOY_PROGRAM = f"""{_DEPLOY_FUNCTION}() (
export FILE_PATH="${{1:?cf-deploy-kubernetes needs a file}}"
: "${{KUBECONTEXT:?it names the cluster of cf-deploy-kubernetes}}"
{_START}{_FILE})"""
