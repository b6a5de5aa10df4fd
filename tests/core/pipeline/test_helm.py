"""The commands of helm steps, in both of their forms."""

import pytest

from crossfade.core.pipeline.helm import (
    HelmStep,
    from_arguments,
    from_environment,
    helm_commands,
    value_key,
)

INSTALL = {
    "action": "install",
    "chart_name": "./charts/colors",
    "release_name": "colors",
    "kube_context": "demo@First Cluster",
    "namespace": "shop",
    "chart_version": "1.2.0",
    "custom_values": ["image_tag=x", "my__key=1 2"],
    "custom_value_files": ["values.yaml"],
    "cmd_ps": "--wait --timeout 5m",
}


def test_an_installation_is_an_upgrade_with_values_by_their_paths():
    assert helm_commands(from_arguments(INSTALL)) == (
        "kubectl config use-context 'demo@First Cluster'",
        "helm upgrade colors ./charts/colors --install --reset-values --version 1.2.0 "
        "--namespace shop --values values.yaml --set image.tag=x --set 'my_key=1 2' "
        "--wait --timeout 5m",
    )


def test_the_image_of_the_step_does_the_same_from_its_variables():
    variables = {
        "ACTION": "install",
        "CHART_REF": "colors",
        "CHART_REPO_URL": "https://charts.example.com",
        "RELEASE_NAME": "colors",
        "KUBE_CONTEXT": "demo",
        "custom_image_tag": "x",
        "VALUESTRING_port": "80",
        "VALUESFILE_one": "values.yaml",
        "CF_CTX_SHOP_URL": "https://shop.example.com",
        "DRY_RUN": "true",
    }

    assert helm_commands(from_environment(variables)) == (
        "kubectl config use-context demo",
        "helm repo add shop https://shop.example.com",
        "helm upgrade colors colors --install --reset-values --repo https://charts.example.com "
        "--values values.yaml --set-string port=80 --set image.tag=x --dry-run",
    )


def test_a_value_cannot_become_a_command():
    (line,) = helm_commands(
        from_arguments(INSTALL | {"kube_context": None, "release_name": "$(rm x)"})
    )

    assert line.startswith("helm upgrade '$(rm x)' ")


def test_other_actions():
    auth = {"action": "auth", "repos": ["shop=https://x"], "commands": ["helm list"]}
    push = {"action": "push", "chart_name": "c", "chart_repo_url": "cm://x"}

    assert helm_commands(from_arguments(auth)) == ("helm repo add shop https://x", "helm list")
    assert helm_commands(from_arguments(push))[-1] == "helm push c cm://x"


@pytest.mark.parametrize("step", [HelmStep("remove"), HelmStep("install"), HelmStep("push")])
def test_what_cannot_be_done_is_said(step):
    with pytest.raises(ValueError, match=r"not known|needs"):
        helm_commands(step)


def test_underscores_in_names_of_values():
    assert [value_key(each) for each in ("a_b", "a__b", "a___b", "a")] == [
        "a.b",
        "a_b",
        "a_.b",
        "a",
    ]
