#!/bin/sh
# Puts users back on the stable track, wherever that still runs the version from before ($STABLE).
# Elsewhere the canary is the only track that is known to be good: users stay where they are.
set -eu
here=$(dirname "$0")
for cluster in $CLUSTERS; do
  runs=$(kubectl --context "$cluster" --namespace "$NAMESPACE" get deployment colors-stable \
    -o jsonpath='{.spec.template.spec.containers[0].env[?(@.name=="VERSION")].value}')
  if [ "$runs" = "$STABLE" ]; then
    CLUSTERS=$cluster HOLD=0 sh "$here/shift.sh" 0
  else
    echo "$cluster: stable is being changed to $runs; look before you move users" >&2
  fi
done
