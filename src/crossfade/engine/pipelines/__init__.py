"""Pipelines: look, decide, save, act until a build has ended."""
