#!/bin/sh
# shift.sh PERCENT...: so many users meet the canary, step by step, on every cluster of $CLUSTERS.
# Between two steps, HOLD seconds; no further step while a pod of the canary has trouble.
set -eu
here=$(dirname "$0")

shares() {
  sed "s/weight: STABLE/weight: $((100 - $1))/; s/weight: CANARY/weight: $1/" \
    "$here/virtual-service.yaml"
}

healthy() {
  kubectl --context "$1" --namespace "$NAMESPACE" rollout status deployment/colors-canary \
    --timeout 5s >/dev/null
}

for percent; do
  for cluster in $CLUSTERS; do
    if [ "$percent" -gt 0 ] && ! healthy "$cluster"; then
      echo "$cluster: the canary is not well, no users for it" >&2
      exit 1
    fi
    shares "$percent" | istioctl replace --context "$cluster" --namespace "$NAMESPACE" -f -
  done
  echo "canary: $percent % of users"
  sleep "${HOLD:-30}"
  echo "canary: $percent % of users for ${HOLD:-30} s"
done
