"""Create, get, list, update and delete."""

import re

import pytest


def test_a_created_object_has_what_the_server_gives(api, maps, namespace):
    made = api.ok(
        "POST", maps, {"metadata": {"name": "a", "labels": {"x": "1"}}, "data": {"k": "v"}}
    )
    assert made["kind"] == "ConfigMap"
    assert made["apiVersion"] == "v1"
    metadata = made["metadata"]
    assert metadata["namespace"] == namespace
    assert re.fullmatch(r"[0-9a-f-]{36}", metadata["uid"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", metadata["creationTimestamp"])
    assert int(metadata["resourceVersion"]) > 0
    assert api.get(f"{maps}/a") == made


def test_a_name_can_be_taken_only_once(api, maps):
    api.ok("POST", maps, {"metadata": {"name": "a"}})
    status = api.refused(409, "POST", maps, {"metadata": {"name": "a"}})
    assert status["reason"] == "AlreadyExists"
    assert status["message"] == 'configmaps "a" already exists'


def test_what_is_not_there_is_not_found(api, maps, deployments):
    status = api.refused(404, "GET", f"{maps}/none")
    assert (status["reason"], status["message"]) == ("NotFound", 'configmaps "none" not found')
    assert status["details"] == {"name": "none", "kind": "configmaps"}
    status = api.refused(404, "DELETE", f"{deployments}/none")
    assert status["message"] == 'deployments.apps "none" not found'
    assert status["details"] == {"name": "none", "group": "apps", "kind": "deployments"}


def test_a_namespace_must_exist(api):
    path = "/api/v1/namespaces/there-is-none/configmaps"
    status = api.refused(404, "POST", path, {"metadata": {"name": "a"}})
    assert status["message"] == 'namespaces "there-is-none" not found'
    assert api.get(path)["items"] == []


def test_a_name_can_be_generated(api, maps):
    names = {
        api.ok("POST", maps, {"metadata": {"generateName": "x-"}})["metadata"]["name"]
        for _ in range(3)
    }
    assert len(names) == 3
    assert all(re.fullmatch(r"x-[a-z0-9]{5}", name) for name in names)


@pytest.mark.parametrize("name", ["Upper", "under_score", "-dash", "a" * 254])
def test_names_that_no_url_could_hold_are_refused(api, maps, name):
    status = api.refused(422, "POST", maps, {"metadata": {"name": name}})
    assert status["reason"] == "Invalid"
    assert status["details"]["causes"][0]["field"] == "metadata.name"


def test_an_object_without_a_name_is_refused(api, maps):
    status = api.refused(422, "POST", maps, {"metadata": {}})
    assert "name or generateName is required" in status["message"]


def test_the_body_must_fit_the_path(api, maps):
    api.refused(
        400, "POST", maps, {"kind": "Secret", "apiVersion": "v1", "metadata": {"name": "a"}}
    )
    api.refused(400, "POST", maps, {"metadata": {"name": "a", "namespace": "other"}})
    api.ok("POST", maps, {"metadata": {"name": "a"}})
    api.refused(400, "PUT", f"{maps}/a", {"metadata": {"name": "b"}})


def test_bodies_that_are_no_objects_are_refused(api, maps):
    api.refused(400, "POST", maps, content=b"{")
    api.refused(400, "POST", maps, content=b"[]")
    api.refused(415, "POST", maps, content=b"a,b", content_type="text/csv")


def test_an_update_replaces_the_object(api, maps):
    made = api.ok(
        "POST", maps, {"metadata": {"name": "a", "labels": {"x": "1"}}, "data": {"k": "v"}}
    )
    made["data"] = {"other": "w"}
    del made["metadata"]["labels"]
    now = api.ok("PUT", f"{maps}/a", made)
    assert now["data"] == {"other": "w"}
    assert "labels" not in now["metadata"]
    assert now["metadata"]["uid"] == made["metadata"]["uid"]
    assert now["metadata"]["creationTimestamp"] == made["metadata"]["creationTimestamp"]
    assert now["metadata"]["resourceVersion"] != made["metadata"]["resourceVersion"]


def test_an_update_of_an_older_version_is_a_conflict(api, maps):
    old = api.ok("POST", maps, {"metadata": {"name": "a"}, "data": {"k": "1"}})
    api.ok("PUT", f"{maps}/a", old | {"data": {"k": "2"}})
    status = api.refused(409, "PUT", f"{maps}/a", old | {"data": {"k": "3"}})
    assert status["reason"] == "Conflict"
    assert status["message"].startswith(
        'Operation cannot be fulfilled on configmaps "a": the object'
    )
    assert api.get(f"{maps}/a")["data"] == {"k": "2"}


def test_an_update_without_a_version_wins(api, maps):
    api.ok("POST", maps, {"metadata": {"name": "a"}, "data": {"k": "1"}})
    assert api.ok("PUT", f"{maps}/a", {"metadata": {"name": "a"}, "data": {"k": "2"}})["data"] == {
        "k": "2"
    }


def test_an_update_of_another_object_of_that_name_is_a_conflict(api, maps):
    old = api.ok("POST", maps, {"metadata": {"name": "a"}})
    api.ok("DELETE", f"{maps}/a")
    api.ok("POST", maps, {"metadata": {"name": "a"}})
    del old["metadata"]["resourceVersion"]
    api.refused(409, "PUT", f"{maps}/a", old)


def test_a_write_that_changes_nothing_makes_no_version(api, maps):
    made = api.ok("POST", maps, {"metadata": {"name": "a"}, "data": {"k": "v"}})
    again = api.ok("PUT", f"{maps}/a", made)
    assert again["metadata"]["resourceVersion"] == made["metadata"]["resourceVersion"]


def test_generation_counts_changes_of_the_spec_alone(api, deployments, deployment):
    made = api.ok("POST", deployments, deployment(replicas=0))
    assert made["metadata"]["generation"] == 1
    labelled = api.patch(f"{deployments}/web", {"metadata": {"labels": {"x": "1"}}})
    assert labelled["metadata"]["generation"] == 1
    paused = api.patch(f"{deployments}/web", {"spec": {"paused": True}})
    assert paused["metadata"]["generation"] == 2


def test_defaults_are_filled_in(api, deployments, deployment):
    body = deployment()
    body["spec"]["paused"] = True
    del body["spec"]["replicas"]
    spec = api.ok("POST", deployments, body)["spec"]
    assert spec["replicas"] == 1
    assert spec["strategy"]["rollingUpdate"] == {"maxSurge": "25%", "maxUnavailable": "25%"}
    pod = spec["template"]["spec"]
    assert (pod["restartPolicy"], pod["dnsPolicy"]) == ("Always", "ClusterFirst")


def test_a_dry_run_changes_nothing(api, maps):
    body = {"metadata": {"name": "a"}, "data": {"k": "v"}}
    made = api.ok("POST", maps, body, params={"dryRun": "All"})
    assert made["metadata"]["uid"]
    api.refused(404, "GET", f"{maps}/a")
    api.ok("POST", maps, body)
    api.patch(f"{maps}/a", {"data": {"k": "w"}}, dryRun="All")
    api.ok("DELETE", f"{maps}/a", params={"dryRun": "All"})
    assert api.get(f"{maps}/a")["data"] == {"k": "v"}


def test_unknown_fields_are_refused_dropped_or_told(api, deployments, deployment):
    body = deployment()
    body["spec"]["paused"] = True
    body["spec"]["template"]["spec"]["containers"][0]["imagee"] = "x"
    path = "spec.template.spec.containers[0].imagee"
    status = api.refused(400, "POST", deployments, body, params={"fieldValidation": "Strict"})
    assert f'strict decoding error: unknown field "{path}"' in status["message"]
    answer = api.call("POST", deployments, body, params={"fieldValidation": "Warn"})
    assert path in answer.headers["Warning"]
    assert "imagee" not in answer.json()["spec"]["template"]["spec"]["containers"][0]


def test_values_of_a_wrong_type_are_refused(api, deployments, deployment):
    body = deployment()
    body["spec"]["replicas"] = "three"
    assert "cannot unmarshal string" in api.refused(400, "POST", deployments, body)["message"]


def test_a_deployment_must_select_its_own_pods(api, deployments, deployment):
    body = deployment()
    body["spec"]["selector"] = {"matchLabels": {"app": "other"}}
    status = api.refused(422, "POST", deployments, body)
    assert status["message"].startswith('Deployment.apps "web" is invalid: ')
    assert "`selector` does not match template `labels`" in status["message"]


def test_a_selector_never_changes(api, deployments, deployment):
    body = deployment(replicas=0)
    api.ok("POST", deployments, body)
    labels = {"matchLabels": {"app": "web", "more": "1"}}
    template = {"metadata": {"labels": {"more": "1"}}}
    answer = api.call(
        "PATCH",
        f"{deployments}/web",
        {"spec": {"selector": labels, "template": template}},
        content_type="application/merge-patch+json",
    )
    assert answer.status_code == 422
    assert "field is immutable" in answer.json()["message"]


def test_a_deletion_says_what_is_gone(api, maps):
    made = api.ok("POST", maps, {"metadata": {"name": "a"}})
    status = api.ok("DELETE", f"{maps}/a")
    assert status["status"] == "Success"
    assert status["details"]["uid"] == made["metadata"]["uid"]
    api.refused(404, "GET", f"{maps}/a")
    api.refused(404, "DELETE", f"{maps}/a")


def test_a_deletion_can_mean_one_object_only(api, maps):
    made = api.ok("POST", maps, {"metadata": {"name": "a"}})
    api.refused(409, "DELETE", f"{maps}/a", {"preconditions": {"uid": "another"}})
    options = {"preconditions": {"uid": made["metadata"]["uid"]}}
    api.ok("DELETE", f"{maps}/a", options)


def test_a_collection_is_deleted_by_selector(api, maps):
    for name, tier in (("a", "x"), ("b", "x"), ("c", "y")):
        api.ok("POST", maps, {"metadata": {"name": name, "labels": {"tier": tier}}})
    api.ok("DELETE", maps, params={"labelSelector": "tier=x"})
    left = {item["metadata"]["name"] for item in api.get(maps)["items"]}
    assert "c" in left
    assert not left & {"a", "b"}


def test_a_list_comes_in_pages_of_one_moment(api, maps):
    for number in range(5):
        labels = {"page": "yes"}
        api.ok("POST", maps, {"metadata": {"name": f"m{number}", "labels": labels}})
    first = api.get(maps, limit="2", labelSelector="page=yes")
    assert [item["metadata"]["name"] for item in first["items"]] == ["m0", "m1"]
    api.ok("DELETE", f"{maps}/m3")
    more = {"limit": "2", "labelSelector": "page=yes"}
    second = api.get(maps, **more, **{"continue": first["metadata"]["continue"]})
    third = api.get(maps, **more, **{"continue": second["metadata"]["continue"]})
    names = [item["metadata"]["name"] for page in (second, third) for item in page["items"]]
    assert names == ["m2", "m3", "m4"]
    assert not third["metadata"].get("continue")


def test_a_page_of_somewhere_else_is_refused(api, maps):
    assert api.refused(400, "GET", maps, params={"limit": "1", "continue": "bm9uc2Vuc2U"})


def test_a_list_has_the_version_to_watch_from(api, maps):
    api.ok("POST", maps, {"metadata": {"name": "a"}})
    found = api.get(maps)
    assert found["kind"] == "ConfigMapList"
    assert int(found["metadata"]["resourceVersion"]) > 0


def test_all_namespaces_are_one_collection_too(api, maps, namespace):
    api.ok("POST", maps, {"metadata": {"name": "a", "labels": {"here": namespace}}})
    found = api.get("/api/v1/configmaps", labelSelector=f"here={namespace}")
    assert [item["metadata"]["namespace"] for item in found["items"]] == [namespace]
