"""
What the public steps do that replace a Deployment of one cluster, by canary or by blue/green.

The version that runs is a label of the Service, or of what it selects; the Deployment of a version
is called `NAME-VERSION`.  Who looks for more than this wants `crossfade-deploy`.
"""

import re
from collections.abc import Iterator

from crossfade.core.pipeline.context import Context
from crossfade.core.pipeline.deploying import DEPLOY_IMAGE
from crossfade.core.pipeline.document import Settings
from crossfade.core.pipeline.work import VOLUME, Access, CannotRun, Work, text

_NEEDED = ("SERVICE_NAME", "DEPLOYMENT_NAME", "NEW_VERSION", "NAMESPACE", "KUBE_CONTEXT")
_VERSION = re.compile(r"[A-Za-z0-9]([A-Za-z0-9._-]{0,61}[A-Za-z0-9])?")
_NAME = re.compile(r"[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?")
_NUMBER = re.compile(r"[0-9]{1,6}")


def against_canary(settings: Settings) -> Iterator[str]:
    """Yield what stands against such a step, as far as its arguments are known."""
    yield from _missing(settings, (*_NEEDED, "TRAFFIC_INCREMENT"))
    kind = text(settings.get("ANALYSIS_TYPE")).strip() or "HEALTH"
    if "${{" not in kind and kind.upper() != "HEALTH":
        yield (
            f"ANALYSIS_TYPE {kind} is not supported: HEALTH looks at the pods; a step of type "
            "crossfade-deploy judges by errors and latency"
        )
    if settings.get("INPUT_DEPLOYMENT"):
        yield "`INPUT_DEPLOYMENT` is not supported: the Deployment that runs is taken"


def against_blue_green(settings: Settings) -> Iterator[str]:
    """Yield what stands against such a step, as far as its arguments are known."""
    yield from _missing(settings, _NEEDED)


def canary(settings: Settings, _context: Context) -> Work:
    """Return the work that moves pods to a new version, some at a time.  Raises CannotRun."""
    given = _given(settings)
    increment = _number(settings, "TRAFFIC_INCREMENT", "")
    if not 1 <= int(increment) <= 100:
        raise CannotRun(f"TRAFFIC_INCREMENT is {increment}; allowed: 1 to 100")
    given |= {
        "TRAFFIC_INCREMENT": increment,
        "SLEEP_SECONDS": _number(settings, "SLEEP_SECONDS", "0"),
    }
    return _work(_CANARY, given)


def blue_green(settings: Settings, _context: Context) -> Work:
    """Return the work that starts a new version and then switches to it.  Raises CannotRun."""
    seconds = _number(settings, "HEALTH_SECONDS", "0")
    return _work(_BLUE_GREEN, {**_given(settings), "HEALTH_SECONDS": seconds})


def _missing(settings: Settings, names: tuple[str, ...]) -> Iterator[str]:
    yield from (f"the argument `{name}` is missing" for name in names if not settings.get(name))


def _given(settings: Settings) -> dict[str, str]:
    given = {name: text(settings.get(name)).strip() for name in _NEEDED}
    for name, value in given.items():
        if not value or "${{" in value:
            raise CannotRun(f"it does not know {name}: {value!r}")
    if not _VERSION.fullmatch(given["NEW_VERSION"]):
        raise CannotRun(
            f"NEW_VERSION is {given['NEW_VERSION']!r}; allowed: what a label may be, 63 letters, "
            "digits, dots, dashes and underscores at most"
        )
    name = f"{given['DEPLOYMENT_NAME']}-{given['NEW_VERSION']}"
    if not _NAME.fullmatch(name):
        raise CannotRun(
            f"the Deployment would be called {name!r}; allowed: small letters, digits, dots, dashes"
        )
    return given


def _number(settings: Settings, name: str, default: str) -> str:
    given = text(settings.get(name)).strip() or default
    if not _NUMBER.fullmatch(given):
        raise CannotRun(f"{name} is {given!r}; allowed: a whole number")
    return str(int(given))


def _work(script: str, environment: dict[str, str]) -> Work:
    members = {"self": VOLUME, "workingDirectory": VOLUME}
    whole = f"{_START}{_COPY}{script}"
    return Work(whole, "sh", VOLUME, DEPLOY_IMAGE, members, environment, access=Access.FLEET)


_START = r"""set -e
in_cluster() { kubectl --context "$KUBE_CONTEXT" --namespace "$NAMESPACE" "$@"; }
say() { printf '%s\n' "$*" >&2; }
fail() { say "$*"; exit 1; }
exists() { [ -n "$(in_cluster get deployment "$1" --ignore-not-found -o name)" ]; }
replicas() { in_cluster get deployment "$1" -o go-template='{{.spec.replicas}}'; }
scale() { say "$1: $2 pods"; in_cluster scale "deployment/$1" --replicas="$2" >/dev/null; }
ready() { in_cluster rollout status "deployment/$1" --timeout=300s; }
label_of() { printf '{{with %s}}{{with .version}}{{.}}{{end}}{{end}}' "$1"; }
note_of() {
  in_cluster get deployment "$1" --ignore-not-found -o go-template="{{with .metadata.annotations}}\
{{with (index . \"crossfade.dev/$2\")}}{{.}}{{end}}{{end}}"
}
healthy() {
  selector=$(in_cluster get deployment "$1" -o go-template="\
{{range \$name, \$value := .spec.selector.matchLabels}}{{\$name}}={{\$value}},{{end}}") || return 1
  counts=$(in_cluster get pods -l "${selector%,}" -o go-template="\
{{range .items}}{{range .status.containerStatuses}}{{.restartCount}} {{end}}{{end}}") || return 1
  restarts=0
  for each in $counts; do
    restarts=$((restarts + each))
  done
  say "$1: its containers were restarted $restarts times"
  [ "$restarts" -le 2 ]
}
is_there_already() {
  old=$(note_of "$new" replaces)
  [ -z "$old" ] || in_cluster delete deployment "$old" --ignore-not-found
  say "$NEW_VERSION is there already"
  exit 0
}
begun='' work=$(mktemp -d)
finish() {
  code=$?
  trap '' TERM INT HUP
  trap - EXIT
  rm -rf "$work"
  [ -z "$begun" ] || undo
  exit "$code"
}
trap finish EXIT
trap 'exit 143' TERM INT HUP
wait_seconds() {
  say "waiting for $1 seconds"
  sleep "$1" &
  wait $!
}
"""
_COPY = r"""
copy() {
  if exists "$new"; then
    [ "$(note_of "$new" replaces)" = "$old" ] ||
      fail "there is a deployment $new already that no such step has made: delete it first"
    begun=1
    return 0
  fi
  in_cluster get deployment "$old" -o json > "$work/old"
  in_cluster get deployment "$old" -o go-template="{{range .spec.template.spec.containers}}\
{{.name}} {{.image}}{{\"\n\"}}{{end}}" > "$work/images"
  in_cluster get deployment "$old" -o go-template="{{range .spec.template.spec.containers}}\
{{\$container := .name}}{{range .env}}{{if .value}}{{if eq .value \"$current\"}}\
{{\$container}} {{.name}}{{\"\n\"}}{{end}}{{end}}{{end}}{{end}}" > "$work/variables"
  set --
  while read -r name image; do
    bare=${image%%@*} tag=
    case ${bare##*/} in *:*) tag=${bare##*:} ;; esac
    case $tag in *"$current"*)
      set -- "$@" "$name=${bare%:*}:${tag%%"$current"*}$NEW_VERSION${tag#*"$current"}" ;;
    esac
  done < "$work/images"
  [ "$#" -gt 0 ] || fail "no image of deployment $old has $current in its tag"
  labels="{\"version\":\"$NEW_VERSION\"}"
  ours="\"crossfade.dev/replaces\":\"$old\",\"crossfade.dev/replicas\":\"$total\""
  gone='"deployment.kubernetes.io/revision":null'
  gone="$gone,\"kubectl.kubernetes.io/last-applied-configuration\":null"
  server='"resourceVersion":null,"uid":null,"creationTimestamp":null,"generation":null'
  server="$server,\"managedFields\":null,\"ownerReferences\":null"
  kubectl patch --local -f "$work/old" --type merge -o json -p "{\"metadata\":{\
\"name\":\"$new\",\"labels\":$labels,$server,\"annotations\":{$gone,$ours}},\
\"spec\":{\"replicas\":$first,\"selector\":{\"matchLabels\":$labels},\
\"template\":{\"metadata\":{\"labels\":$labels}}},\"status\":null}" > "$work/new"
  kubectl set image --local -f "$work/new" "$@" -o json > "$work/with-images"
  mv "$work/with-images" "$work/new"
  while read -r container name; do
    kubectl set env --local -f "$work/new" -c "$container" "$name=$NEW_VERSION" -o json \
      > "$work/with-variable"
    mv "$work/with-variable" "$work/new"
  done < "$work/variables"
  begun=1
  in_cluster create -f "$work/new"
}
"""
_CANARY = r"""
undo() {
  say "back to $old"
  if scale "$old" "$total" && ready "$old"; then
    in_cluster delete deployment "$new" --ignore-not-found
  else
    say "$old has not got its pods back: $new is left as it is"
  fi
}
current=$(in_cluster get service "$SERVICE_NAME" -o go-template="$(label_of .metadata.labels)")
[ -n "$current" ] || fail "service $SERVICE_NAME has no label version, which says what runs"
old=$DEPLOYMENT_NAME-$current new=$DEPLOYMENT_NAME-$NEW_VERSION
[ "$current" != "$NEW_VERSION" ] || is_there_already
chosen=$(in_cluster get service "$SERVICE_NAME" -o go-template="$(label_of .spec.selector)")
[ -z "$chosen" ] || fail "service $SERVICE_NAME selects version $chosen, so no pod of another \
version gets users: take version out of its selector, or use k8s-blue-green-deployment"
for each in $(in_cluster get hpa -o go-template="{{range .items}}\
{{.spec.scaleTargetRef.name}} {{end}}" 2>/dev/null || :); do
  [ "$each" != "$old" ] || fail "an autoscaler decides how many pods $old has: delete it first"
done
total=$(note_of "$new" replicas)
[ -n "$total" ] || total=$(replicas "$old")
[ "$total" -gt 0 ] || fail "deployment $old has no pods to replace"
first=1
copy
ready "$new"
healthy "$new" || fail "$new is not healthy"
percent=0
while [ "$percent" -lt 100 ]; do
  percent=$((percent + TRAFFIC_INCREMENT))
  [ "$percent" -le 100 ] || percent=100
  want=$(((total * percent + 50) / 100))
  [ "$want" -ge 1 ] || want=1
  say "$percent percent: $want of $total pods"
  [ "$(replicas "$new")" -ge "$want" ] || scale "$new" "$want"
  ready "$new"
  [ "$(replicas "$old")" -le "$((total - want))" ] || scale "$old" "$((total - want))"
  [ "$percent" -eq 100 ] || wait_seconds "$SLEEP_SECONDS"
  healthy "$new" || fail "$new is not healthy"
done
begun=  # whatever comes now, users have no other pods
in_cluster label service "$SERVICE_NAME" "version=$NEW_VERSION" --overwrite
in_cluster delete deployment "$old" --ignore-not-found
"""
_BLUE_GREEN = r"""
undo() {
  say "$old goes on serving"
  in_cluster delete deployment "$new" --ignore-not-found
}
serves_alone() {
  pods=$(in_cluster get endpointslices -l "kubernetes.io/service-name=$SERVICE_NAME" \
    -o go-template="{{range .items}}{{range .endpoints}}{{with .targetRef}}\
{{.name}} {{end}}{{end}}{{end}}")
  for each in $pods; do
    case $each in "$new"-*) ;; *) return 1 ;; esac
  done
  [ -n "$pods" ]
}
current=$(in_cluster get service "$SERVICE_NAME" -o go-template="$(label_of .spec.selector)")
[ -n "$current" ] || fail "service $SERVICE_NAME selects no version, so it cannot be switched"
old=$DEPLOYMENT_NAME-$current new=$DEPLOYMENT_NAME-$NEW_VERSION
[ "$current" != "$NEW_VERSION" ] || is_there_already
total=$(replicas "$old")
first=$total
copy
ready "$new"
wait_seconds "$HEALTH_SECONDS"
healthy "$new" || fail "$new is not healthy"
begun=  # from here on users may be with the new pods
in_cluster patch service "$SERVICE_NAME" --type merge \
  -p "{\"spec\":{\"selector\":{\"version\":\"$NEW_VERSION\"}}}"
tries=0
until serves_alone; do
  tries=$((tries + 1))
  [ "$tries" -lt 60 ] || fail "service $SERVICE_NAME still has other pods: $old is left there"
  sleep 1
done
in_cluster delete deployment "$old" --ignore-not-found
"""
