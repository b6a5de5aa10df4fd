"""Every key that is accepted: which test shows that it runs, why it is refused, or that it is idle.

A key that is new in the shapes fails here until somebody has decided.
"""

import json
import re
from pathlib import Path

import pytest

from crossfade.adapters.pipelines.judging import judge
from crossfade.core.pipeline.common_shapes import ROOT, common
from crossfade.core.pipeline.graph import graph_of
from crossfade.core.pipeline.manifest import SPEC_KEYS
from crossfade.core.pipeline.runtime import runtime_of
from crossfade.core.pipeline.step_shapes import step_shapes
from crossfade.core.pipeline.supported import refusals

TESTS = Path(__file__).parents[1]
GUIDE = TESTS.parent / "docs/guides/running-pipelines.md"

RUNS = {
    "root": {
        "core/pipeline/test_run.py::test_a_build": "fail_fast strict_fail_fast success_criteria "
        "mode steps",
        "core/pipeline/test_serving.py::test_services_that_never_get_ready_fail_what_needs_them_"
        "and_no_hook": "hooks services",
        "core/pipeline/test_building.py::test_pipelines_of_the_first_version_push_in_steps_of_"
        "their_own": "build_version",
        "cli/test_pipeline_run.py::test_a_build_runs_and_says_how_each_step_ended": "version",
    },
    "spec": {
        "engine/pipelines/test_commands.py::test_what_is_given_goes_before_what_the_file_says": "variables",
        "core/pipeline/test_triggers.py::test_an_event_makes_a_build": "triggers",
        "core/pipeline/test_triggers.py::test_what_is_no_trigger_is_refused_with_what_is_allowed": "cronTriggers",
        "core/pipeline/test_policies.py::test_a_pipeline_says_its_policies_as_codefresh_does": "terminationPolicy "
        "concurrency triggerConcurrency branchConcurrency options priority",
        "core/pipeline/test_clusters.py::test_a_pipeline_reaches_what_it_names_and_no_more": "clustersInfo",
        "contract/test_pipeline_keys.py::test_a_pipeline_says_where_its_steps_run": "runtimeEnvironment",
        "cli/test_pipeline_template.py::test_the_steps_are_those_of_the_revision": "specTemplate",
        "cli/test_pipeline_external_resources.py::test_files_and_folders_are_there_before_the_first_"
        "step_whatever_the_mode": "externalResources",
        "cli/test_context.py::test_a_build_has_the_variables_and_no_log_has_the_secret": "contexts",
        "engine/pipelines/test_commands.py::test_a_pipeline_may_forbid_to_begin_again_at_what_failed": "permitRestartFromFailedSteps",
    },
    "common": {
        "cli/test_pipeline_registered.py::test_a_step_starts_a_build_of_another_pipeline_and_fails_with_it": "arguments",
        "core/pipeline/test_run.py::test_a_build": "fail_fast strict_fail_fast",
        "core/pipeline/test_run_life.py::test_whoever_ends_a_build_ends_everything_in_it": "hooks",
        "core/pipeline/test_run_life.py::test_attempts_wait_and_are_counted": "retry",
        "core/pipeline/test_run_life.py::test_a_step_that_takes_too_long_is_ended_and_has_failed": "timeout",
        "cli/test_pipeline_run.py::test_people_read_why_a_step_failed_and_why_another_never_came": "when",
        "core/pipeline/test_context.py::": "description",
    },
    "freestyle": {
        "core/pipeline/test_orders.py::test_an_entry_point_runs_with_its_arguments_quoted": "cmd entry_point",
        "core/pipeline/test_orders.py::test_commands_run_in_one_session_that_stops_at_the_first_failure": "commands "
        "image",
        "core/pipeline/test_context.py::": "environment",
        "cli/test_pipeline_in_images.py::test_an_image_in_a_known_registry_is_fetched_with_its_password": "registry_context",
        "cli/test_pipeline_services.py::test_a_step_finds_its_services_by_name_once_they_are_ready": "services",
        "core/pipeline/test_orders.py::test_commands_run_in_the_shell_that_they_are_written_for": "shell",
        "core/pipeline/test_orders.py::test_folders_of_the_workspace_can_be_seen_elsewhere": "volumes",
        "core/pipeline/test_orders.py::test_a_step_runs_where_codefresh_would_run_it": "working_directory",
    },
    "git-clone": {
        "core/pipeline/test_cloning.py::test_a_clone_is_brought_up_to_date_however_it_was_made": "depth exclude_blobs "
        "repo revision",
        "core/pipeline/test_cloning.py::test_a_clone_in_a_folder_of_the_workspace_is_made_there": "working_directory",
        "core/pipeline/test_orders.py::test_a_clone_tells_where_it_is_and_hides_its_password": "credentials",
        "cli/test_pipeline_public_steps.py::test_what_a_build_changes_is_committed_and_pushed_with_a_token": "git",
    },
    "push": {
        "cli/test_pipeline_images.py::test_an_image_goes_on_to_another_registry_and_gets_tags_there": "candidate registry "
        "tag tags image_name",
        "cli/test_pipeline_images.py::test_a_password_can_be_given_by_the_step_and_is_not_shown": "credentials",
        "core/pipeline/test_building.py::test_an_image_is_pushed_to_the_registry_that_is_named": "registry_context",
    },
    "push-tag": {
        "cli/test_pipeline_images.py::test_an_image_goes_on_to_another_registry_and_gets_tags_there": "image_name tags",
    },
    "deploy": {
        "core/pipeline/test_deploying.py::test_an_image_goes_to_the_deployment_behind_the_service": "service "
        "candidate cluster namespace kind",
        "core/pipeline/test_deploying.py::test_a_manifest_is_filled_in_and_waited_for": "file_path",
    },
    "composition": {
        "cli/test_pipeline_services.py::test_the_candidates_of_a_composition_decide": "composition composition_candidates "
        "composition_variables",
        "core/pipeline/test_composing.py::": "working_directory",
    },
    "launch-composition": {
        "core/pipeline/test_launching.py::test_the_step_launches_what_is_written_with_the_variables_of_the_build": "composition "
        "composition_variables working_directory",
    },
    "pending-approval": {},
    "integration-test": {
        "cli/test_pipeline_services.py::test_an_integration_test_runs_beside_its_services": "services test",
        "core/pipeline/test_composing.py::test_services_that_are_asked_for_by_name_are_public_images": "preconfigured_services",
    },
    "travis": {
        "core/pipeline/test_composing.py::test_older_tests_are_integration_tests": "services test",
    },
    "simple_travis": {
        "core/pipeline/test_composing.py::test_older_tests_are_integration_tests": "services test",
    },
    "helm": {
        "core/pipeline/test_deploying.py::test_a_helm_step_runs_in_its_folder_of_the_workspace": "working_directory"
    },
    "build": {
        "core/pipeline/test_building.py::test_what_the_step_says_of_the_build_comes_to_the_builder": "build_arguments "
        "dockerfile no_cache registry_contexts target working_directory",
        "core/pipeline/test_building.py::test_an_image_is_named_as_codefresh_would_name_it": "image_name tag tag_policy tags",
        "core/pipeline/test_building.py::test_an_image_is_pushed_unless_the_step_says_otherwise": "disable_push registry",
    },
}
"""By the kind of step: tests, and the keys that they show."""

IDLE = {
    "root": "indicators stages",
    "spec": "debug enableNotifications packId requiredAvailableStorage",
    "common": "debug docker_machine env on_success on_fail on_finish stage title",
    "freestyle": "registry_contexts",
    "git-clone": "use_proxy skip_tags_on_update",
    "push": "region aws_duration_seconds",
    "push-tag": "region aws_duration_seconds",
    "composition": "registry_context registry_contexts",
    "build": "annotations aws_duration_seconds buildkit buildx cache_from cache_to metadata no_cf_cache progress region squash",
}
"""Keys without effect, which the guide names."""

REFUSED = {
    "freestyle": {"role_arn": "a"},
    "push": {
        "accessKeyId": "a",
        "secretAccessKey": "a",
        "role_arn": "a",
        "aws_session_name": "a",
        "provider": "ecr",
    },
    "push-tag": {"role_arn": "a", "aws_session_name": "a"},
    "build": {
        "role_arn": "a",
        "aws_session_name": "a",
        "cosign": {"sign": True},
        "platform": "linux/amd64,linux/arm64",
        "provider": {"type": "gcb", "arguments": {"cache": {"repo": "a"}}},
        "secrets": ["a"],
        "ssh": "default",
    },
}
"""Values of keys that are refused before anything runs."""
_LEAST = {
    "freestyle": {"image": "alpine", "commands": ["true"], "registry_context": "b"},
    "push": {"type": "push", "candidate": "a/b"},
    "push-tag": {"type": "push-tag", "image_name": "a/b", "tags": ["c"]},
    "build": {"type": "build", "image_name": "a/b", "buildx": True},
}


def accepted():
    shared = set(common(()))
    found = {kind: set(shape.fields) - shared for kind, shape in step_shapes(()).items()}
    return {"root": set(ROOT.fields), "spec": set(SPEC_KEYS), "common": shared, **found}


@pytest.mark.parametrize("kind", accepted())
def test_every_key_runs_or_is_refused_or_is_known_to_be_idle(kind):
    runs = {key for keys in RUNS[kind].values() for key in keys.split()}
    decided = runs | set(IDLE.get(kind, "").split()) | set(REFUSED.get(kind, {}))

    assert sorted(accepted()[kind] - {"type"}) == sorted(decided)


@pytest.mark.parametrize("kind", RUNS)
def test_what_shows_that_a_key_runs_is_there(kind):
    for place, keys in RUNS[kind].items():
        file, _, name = place.partition("::")
        text = (TESTS / file).read_text()
        assert f"def {name}" in text
        missing = [key for key in keys.split() if not re.search(rf"\b{key}\b", text)]
        assert missing == [], place


def test_keys_without_effect_are_named_in_the_guide():
    text = GUIDE.read_text()
    section = text.partition("## Keys without effect")[2].partition("\n## ")[0]

    missing = {key for keys in IDLE.values() for key in keys.split() if f"`{key}`" not in section}
    assert missing == set()


@pytest.mark.parametrize(
    ("kind", "key"), [(kind, key) for kind, keys in REFUSED.items() for key in keys]
)
def test_a_key_that_is_refused_is_named_with_a_reason(kind, key):
    value = {key: REFUSED[kind][key]}
    step = {**_LEAST.get(kind, _LEAST["freestyle"]), **(value if kind != "spec" else {})}
    spec = {"steps": {"s": step}, **(value if kind == "spec" else {})}
    judged = judge(json.dumps({"kind": "pipeline", "metadata": {"name": "a"}, "spec": spec}))
    found = refusals(graph_of(judged.pipelines[0]), str, lambda _: True, ())

    shown = [str(each) for each in found if f"`{key}" in each.why or f"spec.{key}" == each.step]
    if key == "platform":
        shown = [str(each) for each in found if "several platforms" in each.why]
    assert shown, [str(each) for each in found]


def test_a_pipeline_says_where_its_steps_run():
    assert runtime_of({"runtimeEnvironment": {"name": "process"}}).runner == "process"
