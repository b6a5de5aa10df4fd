"""Pipeline files: YAML into the trees that the core judges."""
