#!/bin/sh
# Brings the program to every cluster of $CLUSTERS as a ConfigMap of its own for each version of
# it, so that the stable track keeps what it runs; prints SOURCE=name.
set -eu
files=$(dirname "$0")/../helm/colors/files
name=colors-$(cat "$files/app.py" "$files/page.html" | sha256sum | cut -c1-12)
for cluster in $CLUSTERS; do
  in_cluster="kubectl --context $cluster --namespace $NAMESPACE"
  $in_cluster get configmap "$name" >/dev/null 2>&1 ||
    $in_cluster create configmap "$name" --from-file "$files/app.py" --from-file "$files/page.html" >&2
done
echo "SOURCE=$name"
