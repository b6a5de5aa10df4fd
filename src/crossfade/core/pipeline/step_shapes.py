"""The keys of each kind of step."""

from collections.abc import Callable, Mapping

from crossfade.core.pipeline.common_shapes import (
    ANNOTATIONS,
    FLAG,
    NOTES,
    TEXT,
    TEXTS,
    common,
    debug,
)
from crossfade.core.pipeline.shapes import (
    Anything,
    Forbidden,
    ListOf,
    MapOf,
    Number,
    OneOf,
    Record,
    Shape,
    Text,
    Word,
)

KNOWN_TYPES = (
    "freestyle",
    "git-clone",
    "build",
    "push",
    "push-tag",
    "deploy",
    "composition",
    "launch-composition",
    "parallel",
    "pending-approval",
    "services",
    "integration-test",
    "travis",
    "simple_travis",
    "freestyle-ssh",
    "github-action",
)
"""Types whose `arguments` are keys of the step itself; all others are typed steps."""

SERVICES = (
    "mysql",
    "postgresql",
    "mariadb",
    "mongodb",
    "couchdb",
    "rabbitmq",
    "memcached",
    "redis",
    "cassandra",
    "neo4j",
    "elasticsearch",
    "rethinkdb",
)
_DIRECTORY = {"working-directory": "working_directory"}
_FAIL_FAST = {"fail-fast": "fail_fast"}
_OBJECT = MapOf(Anything(), r"(?s).*")
_COMPOSE = OneOf((TEXT, _OBJECT))
_AWS: Mapping[str, Shape] = {
    "region": TEXT,
    "role_arn": TEXT,
    "aws_session_name": TEXT,
    "aws_duration_seconds": Number(),
}
_CREDENTIALS = Record({"username": TEXT, "password": TEXT}, required=("username", "password"))


def _freestyle() -> Record:
    return Record(
        {
            "image": TEXT,
            "working_directory": TEXT,
            "commands": TEXTS,
            "cmd": OneOf((TEXT, TEXTS)),
            "entry_point": OneOf((TEXT, TEXTS)),
            "shell": Word(("sh", "bash")),
            "environment": ListOf(Text("a text as NAME=value")),
            "volumes": ListOf(Text("a text as source:target", ":")),
            "services": OneOf((_OBJECT, ListOf())),
            "debug": debug(override=True),
            "registry_context": TEXT,
            "registry_contexts": _OBJECT,
            "role_arn": TEXT,
        },
        required=("image",),
        open=True,
        old_names=_DIRECTORY,
        apart=(("commands", "cmd"), ("shell", "cmd")),
    )


def _git_clone() -> Record:
    return Record(
        {
            "type": Word(("git-clone",)),
            "working_directory": TEXT,
            "repo": TEXT,
            "revision": TEXT,
            "git": TEXT,
            "credentials": _CREDENTIALS,
            "use_proxy": FLAG,
            "depth": Number(),
            "exclude_blobs": FLAG,
            "skip_tags_on_update": FLAG,
        },
        required=("repo",),
        old_names=_DIRECTORY,
    )


_PROVIDER_ARGUMENTS = Record(
    {
        "google_app_creds": TEXT,
        "cache": Record({"repo": TEXT, "ttl": TEXT}, required=("repo",)),
        "timeout": TEXT,
        "machineType": Word(("UNSPECIFIED", "N1_HIGHCPU_8", "N1_HIGHCPU_32")),
        "diskSizeGb": Number(),
        "logsBucket": TEXT,
    },
    required=("cache",),
)
GCB = Record({"type": Word(("cf", "gcb")), "arguments": _PROVIDER_ARGUMENTS})
_PROVIDER = Record({"type": Word(("cf", "gcb")), "arguments": Anything()})
_SECRETS = OneOf(
    (ListOf(TEXT, 1), ListOf(Record({"id": TEXT, "src": TEXT}, required=("id", "src")), 1))
)
_BUILDX = Record(
    {
        "qemu": Record({"image": TEXT, "platforms": TEXT}),
        "builder": Record({"driver": TEXT, "driver_opts": TEXT}),
    }
)
_BUILD: Mapping[str, Shape] = {
    "type": Word(("build",)),
    "working_directory": TEXT,
    "dockerfile": OneOf((TEXT, Record({"content": TEXT}))),
    "image_name": TEXT,
    "tag": TEXT,
    "tag_policy": Word(("original", "lowercase")),
    "build_arguments": TEXTS,
    "target": TEXT,
    "no_cache": FLAG,
    "no_cf_cache": FLAG,
    "squash": FLAG,
    "cache_from": TEXTS,
    "cache_to": TEXTS,
    "buildkit": FLAG,
    "progress": TEXT,
    "ssh": OneOf((Word(("default",)), ListOf(TEXT, 1), MapOf(TEXT, least=1))),
    "secrets": _SECRETS,
    "buildx": OneOf((FLAG, _BUILDX)),
    "platform": TEXT,
    "provider": _PROVIDER,
    "registry_contexts": TEXTS,
    "cosign": Record({"sign": FLAG, "options": MapOf(TEXT)}, required=("sign",)),
    "metadata": Record({"set": NOTES}),
    "annotations": ANNOTATIONS,
    **_AWS,
}
_PUSHED: Mapping[str, Shape] = {"tags": TEXTS, "registry": TEXT, "disable_push": FLAG}
_OLD_BUILD = {
    **_DIRECTORY,
    "image-name": "image_name",
    "build-arguments": "build_arguments",
    "tag-policy": "tag_policy",
}


def _push() -> Record:
    return Record(
        {
            "type": Word(("push",)),
            "provider": Text("docker, ecr", r"^standard|docker|ecr\Z"),
            "candidate": TEXT,
            "registry": TEXT,
            "registry_context": TEXT,
            "credentials": _CREDENTIALS,
            "tag": TEXT,
            "tags": TEXTS,
            "image_name": TEXT,
            "accessKeyId": TEXT,
            "secretAccessKey": TEXT,
            **_AWS,
        },
        required=("candidate",),
    )


def _push_tag() -> Record:
    return Record(
        {"type": Word(("push-tag",)), "image_name": TEXT, "tags": TEXTS, **_AWS},
        required=("image_name", "tags"),
    )


def _deploy() -> Record:
    return Record(
        {
            "type": Word(("deploy",)),
            "kind": TEXT,
            "cluster": TEXT,
            "namespace": TEXT,
            "service": TEXT,
            "file_path": TEXT,
            "timeout": Text("seconds as a text, as '150'"),
            "candidate": Record({"image": TEXT, "registry": TEXT}, required=("image", "registry")),
        },
        required=("kind", "cluster", "namespace"),
        open=True,
    )


_CANDIDATE = Record({"working_directory": Forbidden("a candidate has `working_dir`")}, open=True)


def _composition() -> Record:
    return Record(
        {
            "type": Word(("composition",)),
            "working_directory": TEXT,
            "composition": _COMPOSE,
            "composition_candidates": MapOf(_CANDIDATE, r"(?s).*"),
            "composition_variables": TEXTS,
            "registry_contexts": TEXTS,
            "registry_context": _OBJECT,
        },
        required=("composition", "composition_candidates"),
        open=True,
        old_names={
            **_DIRECTORY,
            "composition-candidates": "composition_candidates",
            "composition-variables": "composition_variables",
        },
    )


def _launch_composition() -> Record:
    return Record(
        {
            "type": Word(("launch-composition",)),
            "working_directory": TEXT,
            "composition": _COMPOSE,
            "composition_variables": TEXTS,
        },
        required=("composition",),
        open=True,
        old_names={**_DIRECTORY, "composition-variables": "composition_variables"},
    )


def _pending_approval() -> Record:
    return Record(
        {
            "type": Word(("pending-approval",)),
            "timeout": Record(
                {
                    "duration": Number(positive=True),
                    "timeUnit": Word(("hours", "minutes")),
                    "finalState": Word(("terminated", "approved", "denied")),
                }
            ),
        }
    )


_VARIABLES = OneOf(
    (
        ListOf(Text("a text as NAME=value", r"^[_a-zA-Z][_a-zA-Z0-9]{1,256}=")),
        MapOf(TEXT, r"(?s).*[_a-zA-Z][_a-zA-Z0-9]{1,30}.*"),
    )
)
_SERVICE = Record({"image": TEXT, "ports": ListOf(), "environment": _VARIABLES}, ("image",))
_SERVICES = MapOf(_SERVICE, r"(?s).*")


def _integration_test() -> Record:
    commands = ListOf(Text(pattern=r"\S"), 1)
    test = Record(
        {"image": TEXT, "commands": commands, "working_directory": TEXT}, ("image", "commands")
    )
    return Record(
        {
            "type": Word(("integration-test",)),
            "services": _SERVICES,
            "preconfigured_services": ListOf(Word(SERVICES)),
            "test": test,
        },
        required=("test",),
        open=True,
    )


def _travis(kind: str, services: Shape) -> Record:
    test = Record({"image": TEXT, "command": TEXT, "working_directory": TEXT}, ("image", "command"))
    return Record(
        {"type": Word((kind,)), "services": services, "test": test},
        required=("services", "test"),
        open=True,
    )


_MAKERS: Mapping[str, Callable[[], Record]] = {
    "freestyle": _freestyle,
    "git-clone": _git_clone,
    "push": _push,
    "push-tag": _push_tag,
    "deploy": _deploy,
    "composition": _composition,
    "launch-composition": _launch_composition,
    "pending-approval": _pending_approval,
    "integration-test": _integration_test,
    "travis": lambda: _travis("travis", _SERVICES),
    "simple_travis": lambda: _travis("simple_travis", ListOf(Word(SERVICES))),
    "helm": lambda: Record({"working_directory": TEXT}, open=True, old_names=_DIRECTORY),
}


def step_shapes(stages: tuple[str, ...], *, pushing: bool = True) -> dict[str, Record]:
    """
    Return the shape of each kind of step that has one; `stages` are those of the pipeline.

    Without `pushing`, builds do not push by themselves, as with `build_version: v1`.
    """
    shared = common(stages)
    build = Record(
        {**_BUILD, **(_PUSHED if pushing else {})},
        required=("image_name",),
        old_names=_OLD_BUILD,
    )
    records = {name: make() for name, make in _MAKERS.items()} | {"build": build}
    return {
        name: Record(
            {**shared, **each.fields},
            each.required,
            each.open,
            {**_FAIL_FAST, **each.old_names},
            each.apart,
            elsewhere=tuple(records["freestyle"].fields),
        )
        for name, each in records.items()
    }


IN_HOOK = dict.fromkeys(
    ("debug", "hooks", "stage", "on_start", "on_finish", "on_fail"),
    Forbidden("the step is in a hook"),
)
"""Keys that steps of hooks must not have."""

NO_PLATFORM = Forbidden("it needs `buildx`")
NO_SERVICE = Forbidden("`file_path` says already what is deployed")
