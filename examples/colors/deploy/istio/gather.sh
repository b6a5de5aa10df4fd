#!/bin/sh
# Prints what later steps need to know of $CLUSTERS, as NAME=value:
#   STABLE  the version that serves now, "none" when there is no stable track anywhere
#   FRESH   the clusters without a stable track
set -eu
stable=none fresh=
for cluster in $CLUSTERS; do
  found=$(kubectl --context "$cluster" --namespace "$NAMESPACE" get deployment colors-stable \
    --ignore-not-found -o jsonpath='{.spec.template.spec.containers[0].env[?(@.name=="VERSION")].value}')
  echo "$cluster: ${found:-nothing yet}" >&2
  if [ -z "$found" ]; then
    fresh="$fresh $cluster"
  elif [ "$stable" != none ] && [ "$stable" != "$found" ]; then
    echo "clusters serve different versions ($stable, $found): finish that release first" >&2
    exit 1
  else
    stable=$found
  fi
done
echo "STABLE=$stable"
echo "FRESH=${fresh# }"
