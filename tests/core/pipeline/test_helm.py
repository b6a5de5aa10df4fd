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
    assert helm_commands(from_arguments(INSTALL, {})) == (
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
        from_arguments(INSTALL | {"kube_context": None, "release_name": "$(rm x)"}, {})
    )

    assert line.startswith("helm upgrade '$(rm x)' ")


def test_commands_run_where_repositories_are_known():
    auth = {"action": "auth", "repos": ["shop=https://x"], "commands": ["helm list"]}
    listed = auth | {"repos": [{"name": "shop", "url": "https://x"}]}

    for arguments in (auth, listed):
        lines = helm_commands(from_arguments(arguments, {}))
        assert lines == ("helm repo add shop https://x", "helm list")


def test_a_password_of_a_repository_is_on_no_command_line():
    given = {**INSTALL, "chart_name": "colors", "chart_repo_url": "https://charts.example.com"}
    variables = {"HELMREPO_USERNAME": "ci", "HELMREPO_PASSWORD": "s3cret"}

    add, upgrade = helm_commands(from_arguments(given, variables))[1:]

    assert add.startswith('printf %s "${HELMREPO_PASSWORD-}" | helm repo add crossfade-charts ')
    assert add.endswith("--username ci --password-stdin")
    assert upgrade.startswith("helm upgrade colors crossfade-charts/colors --install")
    assert "s3cret" not in add + upgrade


def test_a_chart_of_an_oci_registry_is_named_whole():
    given = {**INSTALL, "chart_name": "colors", "chart_repo_url": "oci://r.example.com/charts/"}

    assert "helm upgrade colors oci://r.example.com/charts/colors --install" in "\n".join(
        helm_commands(from_arguments(given, {}))
    )


PUSH = {"action": "push", "chart_name": "c"}


def test_a_chart_goes_to_the_repository_that_is_attached_unless_the_step_names_one():
    variables = {"CF_CTX_A_URL": "oci://a/x", "CF_CTX_MY_B_URL": "oci://b/x"}

    def target(**more):
        return helm_commands(from_arguments({**PUSH, **more}, variables))[-1]

    assert target() == 'helm push "$package" oci://a/x'
    assert target(primary_helm_context="MY_B") == 'helm push "$package" oci://b/x'
    assert target(chart_repo_url="oci://c/x") == 'helm push "$package" oci://c/x'


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("s3://bucket/charts", "a plugin of helm"),
        ("azsp://registry", "only Codefresh gives"),
        ("ftp://host/charts", "allowed: oci://, cm://, https://"),
        ("charts", "allowed: oci://"),
        ("https://user:password@host/charts", "HELMREPO_USERNAME"),
    ],
)
def test_where_charts_cannot_be_pushed_is_said(address, words):
    with pytest.raises(ValueError, match=words):
        helm_commands(from_arguments({**PUSH, "chart_repo_url": address}, {}))


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
