"""The shell scripts that a run is made of."""

CF_EXPORT = """#!/bin/sh
# cf_export NAME=value NAME... [--mask]: variables for later steps
mask=
for word; do [ "$word" != --mask ] || mask=1; done
for word; do
  [ "$word" != --mask ] || continue
  name=${word%%=*}
  case $name in
    ''|[0-9]*|*[!A-Za-z0-9_]*)
      echo "cf_export: '$word' is neither NAME=value nor the NAME of a variable" >&2; exit 1 ;;
  esac
  [ "$name" != "$word" ] || eval "word=\\"\\$name=\\${$name-}\\""
  [ -z "$mask" ] || printf '%s\\n' "$name" >> "$CF_EXPORT_MASKED"
  printf '%s\\n' "$word" >> "$CF_EXPORT_FILE"
done
"""

CROSSFADE = """#!/bin/sh
exec '{python}' -m crossfade.cli.main "$@"
"""

YARN = """#!/bin/sh
# images of node have yarn; npm brings it where it is not
exec npx --yes yarn@1 "$@"
"""
ISTIOCTL = """#!/bin/sh
# istioctl get|create|replace|delete, which newer Istios leave to kubectl
set -e
say() { echo "istioctl: $*" >&2; }
verb=${1-}
case $verb in
  get|create|replace|delete) shift ;;
  *) say "'$verb' is not supported; allowed: get, create, replace, delete"; exit 2 ;;
esac
say "this is no Istio command, kubectl $verb stands for it"
skip=
for word; do
  shift
  [ -z "$skip" ] || { skip=; continue; }
  case $word in
    virtualservice|virtualservices|vs) word=virtualservices.networking.istio.io ;;
    destinationrule|destinationrules|dr) word=destinationrules.networking.istio.io ;;
    gateway|gateways|gw) word=gateways.networking.istio.io ;;
    serviceentry|serviceentries|se) word=serviceentries.networking.istio.io ;;
    -c) word=--kubeconfig ;;
    -i|--istioNamespace) skip=1; continue ;;
    --istioNamespace=*) continue ;;
  esac
  set -- "$@" "$word"
done
exec kubectl "$verb" "$@"
"""
"""Only kinds of Istio are meant: `gateway` is another kind in newer clusters."""

CODE, NO_CODE = "code.part", "    \n"
"""A file of the run with room for its exit code, and what is in it before there is one."""
KEEPER = """exec 9<&0 0</dev/null
cd "$1" || exit
shift
echo $$ > pid
trap : TERM INT HUP
"$@" >&8 2>&8 8>&- 9>&-
code=$?
until printf '%-4s' "$code" 1<> code.part && mv code.part code; do sleep 1; done
kill -KILL 0
"""
"""
Runs the step's command and writes down how it ended; then nothing of its group is left.

What the command prints goes to a pipe, at 8.  Standard input is the lock of the run, which nobody
holds once the keeper is gone.  Signals for the group reach the step too; the keeper itself waits
for what becomes of it.
"""
