"""The gateway of a sandbox cloud: an Envoy that honours Gateway API objects."""
