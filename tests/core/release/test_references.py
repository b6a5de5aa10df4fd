"""Fixed names made a revision's own: what refers to them still finds them, or is refused."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.release.kinds import name_of
from crossfade.core.release.manifests import prepare
from crossfade.testing.objects import deployment, service, thing

APPLICATION = "colors"
REVISION = "r1234567"
RELEASE = "colors-r1234567"


def prepared(*objects):
    return prepare(list(objects), APPLICATION, REVISION)


def only(*objects):
    return prepared(*objects).objects[0]


def refused(*objects):
    with pytest.raises(InputError) as raised:
        prepared(*objects)
    return str(raised.value)


def test_a_name_that_carries_the_release_stays():
    assert name_of(only(thing("ConfigMap", f"{RELEASE}-settings"))) == f"{RELEASE}-settings"


def test_a_fixed_name_gets_the_release_in_front_and_is_reported():
    got = prepared(thing("ConfigMap", "settings"))
    assert got.renamed == (("ConfigMap/settings", f"ConfigMap/{RELEASE}-settings"),)
    assert name_of(got.objects[0]) == f"{RELEASE}-settings"


def test_a_long_fixed_name_stays_within_what_kubernetes_takes_and_unique():
    first, second = prepared(service("x" * 62 + "a"), service("x" * 62 + "b")).objects
    assert len(name_of(first)) == len(name_of(second)) == 63
    assert name_of(first) != name_of(second)
    assert RELEASE in name_of(first)


REFERENCES = [
    ("ConfigMap", {"volumes": [{"name": "v", "configMap": {"name": "x"}}]}),
    ("Secret", {"volumes": [{"name": "v", "secret": {"secretName": "x"}}]}),
    ("ConfigMap", {"volumes": [{"projected": {"sources": [{"configMap": {"name": "x"}}]}}]}),
    ("Secret", {"volumes": [{"projected": {"sources": [{"secret": {"name": "x"}}]}}]}),
    ("PersistentVolumeClaim", {"volumes": [{"persistentVolumeClaim": {"claimName": "x"}}]}),
    ("ConfigMap", {"containers": [{"envFrom": [{"configMapRef": {"name": "x"}}]}]}),
    ("Secret", {"containers": [{"envFrom": [{"secretRef": {"name": "x"}}]}]}),
    (
        "ConfigMap",
        {"containers": [{"env": [{"name": "A", "valueFrom": {"configMapKeyRef": {"name": "x"}}}]}]},
    ),
    (
        "Secret",
        {"initContainers": [{"env": [{"valueFrom": {"secretKeyRef": {"name": "x", "key": "k"}}}]}]},
    ),
    ("Secret", {"imagePullSecrets": [{"name": "x"}]}),
    ("ServiceAccount", {"serviceAccountName": "x"}),
]


@pytest.mark.parametrize(("kind", "pod"), REFERENCES)
def test_a_pod_follows_what_it_uses_to_the_new_name(kind, pod):
    got = prepared(thing(kind, "x"), deployment(RELEASE, **pod)).objects[1]
    spec = got["spec"]["template"]["spec"]
    assert f"'{RELEASE}-x'" in str(spec)
    assert "'x'" not in str(spec)


@pytest.mark.parametrize(("kind", "pod"), REFERENCES)
def test_a_pod_keeps_what_is_not_part_of_the_chart(kind, pod):
    got = only(deployment(RELEASE, **pod))
    assert RELEASE not in str(got["spec"]["template"]["spec"])


def test_other_objects_follow_to_the_new_name():
    objects = [
        thing("Deployment", "web", "apps/v1", spec={}),
        thing("ServiceAccount", "robot", imagePullSecrets=[{"name": "pull"}]),
        thing("Secret", "pull"),
        thing("Role", "reader", rules=[{"resources": ["secrets"], "resourceNames": ["pull"]}]),
        thing(
            "RoleBinding",
            "reader",
            roleRef={"kind": "Role", "name": "reader"},
            subjects=[
                {"kind": "ServiceAccount", "name": "robot"},
                {"kind": "User", "name": "robot"},
            ],
        ),
        thing(
            "HorizontalPodAutoscaler",
            "web",
            spec={"scaleTargetRef": {"kind": "Deployment", "name": "web"}},
        ),
        thing("StatefulSet", "db", "apps/v1", spec={"serviceName": "db"}),
        thing("Service", "db", spec={}),
    ]
    got = {each["kind"]: each for each in prepared(*objects).objects}
    assert got["ServiceAccount"]["imagePullSecrets"] == [{"name": f"{RELEASE}-pull"}]
    assert got["Role"]["rules"][0]["resourceNames"] == [f"{RELEASE}-pull"]
    assert got["RoleBinding"]["roleRef"]["name"] == f"{RELEASE}-reader"
    assert [each["name"] for each in got["RoleBinding"]["subjects"]] == [
        f"{RELEASE}-robot",
        "robot",
    ]
    assert got["HorizontalPodAutoscaler"]["spec"]["scaleTargetRef"]["name"] == f"{RELEASE}-web"
    assert got["StatefulSet"]["spec"]["serviceName"] == f"{RELEASE}-db"


def test_custom_resources_follow_by_the_form_of_their_references():
    custom = thing(
        "Certificate",
        RELEASE,
        "cert-manager.io/v1",
        spec={"secretName": "tls", "issuerRef": {"kind": "Issuer", "name": "own"}},
    )
    issuer = thing("Issuer", "own", "cert-manager.io/v1")
    got = prepared(custom, issuer, thing("Secret", "tls")).objects[0]
    assert got["spec"]["secretName"] == f"{RELEASE}-tls"
    assert got["spec"]["issuerRef"]["name"] == f"{RELEASE}-own"


def test_cluster_roles_are_renamed_with_their_bindings():
    role = thing("ClusterRole", "reader", "rbac.authorization.k8s.io/v1")
    binding = thing(
        "ClusterRoleBinding", "reader", roleRef={"kind": "ClusterRole", "name": "reader"}
    )
    got = prepared(role, binding).objects
    assert [name_of(each) for each in got] == [f"{RELEASE}-reader"] * 2
    assert got[1]["roleRef"]["name"] == f"{RELEASE}-reader"


def container(**rest):
    return deployment(RELEASE, containers=[{"name": "c", **rest}])


@pytest.mark.parametrize(
    "user",
    [
        container(env=[{"name": "API", "value": "http://api:8080/"}]),
        container(env=[{"name": "API", "value": "api"}]),
        container(env=[{"name": "API", "value": "$(API_SERVICE_HOST)"}]),
        container(env=[{"name": "API", "value": "one:80,api:80"}]),
        container(args=["--upstream=api:80"]),
        container(command=["sh", "-c", "curl -s http://api/ | head"]),
        thing(
            "ConfigMap", RELEASE, data={"nginx.conf": "location / {\n proxy_pass http://api;\n}"}
        ),
        thing("ConfigMap", RELEASE, data={"conf.yaml": "upstream:\n  host: api\n  port: 80\n"}),
        thing("Secret", RELEASE, data={"dsn": "cG9zdGdyZXM6Ly91OnBAYXBpOjU0MzIvZGI="}),
        thing("Service", RELEASE, spec={"externalName": "api.default.svc.cluster.local"}),
    ],
)
def test_a_service_that_programs_look_up_by_name_is_refused_not_broken(user):
    message = refused(thing("Service", "api", spec={}), user)
    assert "names Service/api" in message
    assert "{{ .Release.Name }}" in message


@pytest.mark.parametrize(
    "user",
    [
        container(env=[{"name": "ROOT", "value": "/srv/api/files"}], image="registry/api:1"),
        container(env=[{"name": "API_PORT", "value": "80"}]),
        container(args=["--api-key-file=/etc/key", "serve-api"]),
        thing("ConfigMap", RELEASE, data={"readme.txt": "this is the api of the shop"}),
        deployment(RELEASE, {"app": "api"}),
    ],
)
def test_a_word_that_is_no_host_name_refuses_nothing(user):
    assert prepared(thing("Service", "api", spec={}), user).renamed
