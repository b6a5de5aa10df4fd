"""A base is nothing, the machine, a public image that the machine stands for, or an image."""

from crossfade.core.image.bases import known_base


def test_only_public_images_of_tools_are_known():
    assert known_base("scratch").on_host is False
    assert known_base("host").notice == ""
    assert known_base("python:3.13-slim").commands == ("python3",)
    assert "not pulled" in known_base("docker.io/library/alpine:3").notice
    assert known_base("registry.example.com/team/base") is None
