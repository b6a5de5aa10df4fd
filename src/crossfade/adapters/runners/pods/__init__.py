"""Steps as pods of a cluster: their manifests, their logs, and the workspace that they share."""
