"""Which images are known, however they are written."""

import pytest

from crossfade.core.pipeline.images import bare, tools_for


@pytest.mark.parametrize(
    ("image", "name"),
    [
        ("alpine", "alpine"),
        ("alpine:3.20", "alpine"),
        ("docker.io/library/node:20-slim", "node"),
        ("registry.example.com:5000/team/tool:1@sha256:abc", "team/tool"),
        ("localhost/python:3", "python"),
        ("quay.io/codefresh/kubectl:1.30", "codefresh/kubectl"),
    ],
)
def test_registry_tag_and_digest_do_not_matter(image, name):
    assert bare(image) == name


@pytest.mark.parametrize(
    ("image", "command"),
    [
        ("python:3.12-slim", "python3"),
        ("node:20", "node"),
        ("alpine/helm:3.14", "helm"),
        ("codefresh/kubectl", "kubectl"),
        ("quay.io/codefresh/cfstep-helm:3.0.3", "helm"),
        ("registry.k8s.io/kubectl:v1.29.0", "kubectl"),
        ("gcr.io/google.com/cloudsdktool/cloud-sdk:slim", "gcloud"),
        ("google/cloud-sdk:alpine", "gcloud"),
        ("amazon/aws-cli", "aws"),
        ("mcr.microsoft.com/azure-cli:2.60", "az"),
        ("mcr.microsoft.com/dotnet/sdk:8.0", "dotnet"),
        ("istio/istioctl:1.20", "istioctl"),
        ("codefreshio/ci-helpers", "sh"),
        ("quay.io/codefresh/codefresh-shell:0.0.14", "sh"),
        ("quay.io/argoproj/kubectl-argo-rollouts:latest", "kubectl-argo-rollouts"),
        ("pulumi/pulumi-python", "pulumi"),
        ("cypress/included:9.7.0", "cypress"),
        ("golangci/golangci-lint:v1.33.0", "golangci-lint"),
    ],
)
def test_the_tools_of_the_machine_stand_for_known_images(image, command):
    found = tools_for(image)

    assert found is not None
    assert command in found.commands


@pytest.mark.parametrize("image", ["mycompany/tool", "evil/alpine", "alpine2", ""])
def test_no_other_image_is_taken_for_a_known_one(image):
    assert tools_for(image) is None


def test_an_image_may_be_allowed_by_a_pattern():
    allowed = ("registry.example.com/team/*",)

    assert tools_for("registry.example.com/team/tool:1", allowed) is not None
    assert tools_for("registry.example.com/other/tool:1", allowed) is None
