"""Typed steps that many pipelines use, known without a marketplace: their arguments."""

from crossfade.core.pipeline.typed import Argument, Definition, Definitions

_TEXT, _LIST, _FLAG = Argument(("string",)), Argument(("array",)), Argument(("boolean", "string"))
_ANY = Argument()
_NEEDED = Argument(("string",), required=True)

HELM = Definition(
    "helm",
    "1.1.12",
    {
        "action": Argument(("string",), ("install", "push", "auth", "promotion"), "install"),
        **dict.fromkeys(
            (
                "chart_name",
                "chart_repo_url",
                "chart_subdir",
                "release_name",
                "kube_context",
                "namespace",
                "cmd_ps",
                "primary_helm_context",
            ),
            _TEXT,
        ),
        **dict.fromkeys(("chart_version", "app_version", "helm_version", "timeout"), _ANY),
        **dict.fromkeys(("custom_values", "custom_value_files", "set_file"), _ANY),
        **dict.fromkeys(("commands", "repos"), _LIST),
        **dict.fromkeys(
            (
                "wait",
                "credentials_in_arguments",
                "skip_cf_stable_helm_repo",
                "use_repos_for_auth_action",
                "use_debian_image",
            ),
            _FLAG,
        ),
    },
)

CODEFRESH_RUN = Definition(
    "codefresh-run",
    "1.5.5",
    {
        "PIPELINE_ID": _NEEDED,
        **dict.fromkeys(("TRIGGER_ID", "BRANCH", "SHA", "YAML"), _TEXT),
        **dict.fromkeys(("VARIABLE", "SECRETS", "CONTEXT", "ONLY", "SKIP"), _ANY),
        **dict.fromkeys(("DETACH", "FOLLOW_LOGS", "TERMINATE_ON_TIMEOUT"), _FLAG),
        **dict.fromkeys(("NO_CACHE", "RESET_VOLUME"), _FLAG),
        "TIMEOUT_MINS": Argument((), (), "45"),
    },
)

_REPLACED = ("SERVICE_NAME", "DEPLOYMENT_NAME", "NEW_VERSION", "NAMESPACE", "KUBE_CONTEXT")

CANARY = Definition(
    "k8s-canary-deployment",
    "1.0.4",
    dict.fromkeys((*_REPLACED, "TRAFFIC_INCREMENT", "SLEEP_SECONDS", "ANALYSIS_TYPE"), _ANY),
)
BLUE_GREEN = Definition(
    "k8s-blue-green-deployment", "0.0.4", dict.fromkeys((*_REPLACED, "HEALTH_SECONDS"), _ANY)
)
SLACK = Definition(
    "slack-notifier",
    "0.0.9",
    {
        "SLACK_HOOK_URL": _NEEDED,
        "SLACK_TEXT": _TEXT,
        "MODE": Argument(("string",), ("simple", "template", "default-template"), "simple"),
        **dict.fromkeys(("SLACK_ATTACHMENTS", "SLACK_TEMPLATE_BODY"), _ANY),
        **dict.fromkeys(("SLACK_TEMPLATE_ACTIONS", "SLACK_TEMPLATE_FIELDS"), _ANY),
    },
)
COMMIT = Definition(
    "git-commit",
    "0.1.2",
    {
        "add": Argument(("string", "array")),
        **dict.fromkeys(("repo", "git", "working_directory", "commit_message"), _TEXT),
        **dict.fromkeys(("git_user_name", "git_user_email", "base_branch"), _TEXT),
        **dict.fromkeys(("allow_empty", "force_push", "rebase", "use_ssh"), _FLAG),
    },
)

ROLLOUT = Definition(
    "crossfade-deploy",
    "1.0.0",
    {
        "application": _NEEDED,
        "file": _TEXT,
        "set": Argument(("array", "object")),
        "wait": _FLAG,
        "on_cancel": Argument(("string",), ("abort", "leave"), "abort"),
        "working_directory": _TEXT,
    },
    more=False,
)
"""Our own: starts a rollout of the fleet and follows it."""

_OTHERS = (
    "npm-publish",
    "multiarch-manifester",
    "test-reporting",
    "codefresh-report-image",
    "github-pr-comment",
)
"""Known by name; what they take is checked by the step itself."""

SHIMS: Definitions = {
    each.name: (each,)
    for each in (
        HELM,
        CODEFRESH_RUN,
        CANARY,
        BLUE_GREEN,
        SLACK,
        COMMIT,
        ROLLOUT,
        *(Definition(name, "1.0.0") for name in _OTHERS),
    )
}
"""By name; a definition that the user gives goes before."""
