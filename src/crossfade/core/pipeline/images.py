"""Public images of tools, known by name, and the tools of the machine that stand for them."""

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase

_SHELL = ("sh",)
_KUBECTL = ("kubectl",)
_TABLE: tuple[tuple[str, tuple[str, ...]], ...] = (
    ("alpine busybox debian ubuntu centos fedora amazonlinux rockylinux", _SHELL),
    ("bash", ("bash",)),
    ("codefresh/cfstep-helm", ("helm",)),
    ("buildpack-deps codefresh/cli codefresh/cfstep-* codefresh/build-cli", _SHELL),
    ("codefreshio/ci-helpers codefresh/codefresh-shell", _SHELL),
    ("python pypy circleci/python cimg/python", ("python3",)),
    ("node circleci/node cimg/node codefresh/node-tester-image", ("node",)),
    ("golang cimg/go", ("go",)),
    ("rust", ("cargo",)),
    ("ruby cimg/ruby", ("ruby",)),
    ("php", ("php",)),
    ("perl", ("perl",)),
    ("gcc", ("gcc",)),
    ("maven", ("mvn",)),
    ("gradle", ("gradle",)),
    ("openjdk eclipse-temurin amazoncorretto", ("java",)),
    ("alpine/git bitnami/git codefresh/cf-git-cloner bravissimolabs/alpine-git", ("git",)),
    ("curlimages/curl appropriate/curl byrnedo/alpine-curl tutum/curl", ("curl",)),
    ("frolvlad/alpine-bash", ("bash",)),
    ("alpine/kubectl bitnami/kubectl codefresh/kubectl lachlanevenson/k8s-kubectl", _KUBECTL),
    ("rancher/kubectl containers101/k8sclitoolset codefresh/cf-deploy-kubernetes", _KUBECTL),
    ("kubectl", _KUBECTL),
    ("istio/istioctl", ("istioctl",)),
    ("argoproj/argocd", ("argocd",)),
    ("google/cloud-sdk google.com/cloudsdktool/*", ("gcloud",)),
    ("argoproj/kubectl-argo-rollouts", ("kubectl-argo-rollouts",)),
    ("kostiscodefresh/kubectl-argo-rollouts", ("kubectl-argo-rollouts",)),
    ("amazon/aws-cli mesosphere/aws-cli", ("aws",)),
    ("azure-cli", ("az",)),
    ("dotnet/sdk", ("dotnet",)),
    ("aquasec/trivy aquasecurity/trivy", ("trivy",)),
    ("alpine/helm lachlanevenson/k8s-helm dtzar/helm-kubectl alpine/k8s", ("helm",)),
    ("codefresh/plugin-helm", ("helm",)),
    ("codefresh/kube-helm", ("kubectl", "helm")),
    ("hashicorp/terraform", ("terraform",)),
    ("hashicorp/packer", ("packer",)),
    ("hashicorp/vault vault", ("vault",)),
    ("hashicorp/nomad djenriquez/nomad", ("nomad",)),
    ("pulumi/pulumi pulumi/pulumi-*", ("pulumi",)),
    ("goreleaser/goreleaser", ("goreleaser",)),
    ("golangci/golangci-lint", ("golangci-lint",)),
    ("securego/gosec", ("gosec",)),
    ("snyk/snyk snyk/snyk-cli", ("snyk",)),
    ("sonarsource/sonar-scanner-cli", ("sonar-scanner",)),
    ("cypress/base cypress/browsers", ("node",)),
    ("cypress/included", ("cypress",)),
    ("mozilla/sops getsops/sops", ("sops",)),
    ("vladgh/gpg", ("gpg",)),
    ("bhgedigital/envsubst", ("envsubst",)),
    ("ictu/sshpass", ("sshpass",)),
    ("docker", ("docker",)),
    ("stedolan/jq", ("jq",)),
    ("mikefarah/yq", ("yq",)),
    ("koalaman/shellcheck-alpine fnichol/check-shell", ("shellcheck",)),
)
KNOWN = {pattern: tools for patterns, tools in _TABLE for pattern in patterns.split()}
"""Names without registry and tag, with the commands that must be there."""

_OFFICIAL = ("docker.io", "index.docker.io", "registry-1.docker.io", "library")


@dataclass(frozen=True, slots=True)
class Tools:
    """What stands for an image."""

    image: str
    commands: tuple[str, ...]
    """Those that a step of this image certainly uses."""


def bare(image: str) -> str:
    """Return the name without registry, tag and digest: `docker.io/library/node:20` is `node`."""
    name = re.sub(r":[\w][\w.-]*$", "", image.partition("@")[0])
    parts = name.split("/")
    if len(parts) > 1 and ("." in parts[0] or ":" in parts[0] or parts[0] == "localhost"):
        parts = parts[1:]
    while len(parts) > 1 and parts[0] in _OFFICIAL:
        parts = parts[1:]
    return "/".join(parts)


def tools_for(image: str, allowed: tuple[str, ...] = ()) -> Tools | None:
    """
    Return what stands for the image, None when it is not known.

    `allowed` are patterns such as `registry.example.com/team/*` for which any tools will do.
    """
    name = bare(image)
    for pattern, commands in KNOWN.items():
        if fnmatchcase(name, pattern):
            return Tools(image, commands)
    return Tools(image, _SHELL) if is_allowed(image, allowed) else None


def is_allowed(image: str, allowed: tuple[str, ...]) -> bool:
    """Return whether people have said that the machine's tools will do for the image."""
    return any(fnmatchcase(image, each) or fnmatchcase(bare(image), each) for each in allowed)
