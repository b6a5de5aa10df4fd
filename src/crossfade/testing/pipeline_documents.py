"""Pipeline documents with every key there is, and documents with something wrong in them."""

import json
from collections.abc import Iterator
from random import Random

from crossfade.base.json_value import Json

_COMMON: dict[str, Json] = {
    "title": "t",
    "description": "d",
    "stage": "one",
    "fail_fast": "yes",
    "strict_fail_fast": True,
    "when": {
        "branch": {"only": ["main", "/x/i"], "ignore": ["b"]},
        "condition": {"all": {"a": "1 == 1"}, "any": {"b": "steps.a.result == 'success'"}},
        "steps": [{"name": "a", "on": ["success", "finished"]}],
    },
    "retry": {"maxAttempts": 3, "delay": 5, "exponentialFactor": 2},
    "timeout": "10m",
    "env": {
        "name": "e",
        "endpoints": [{"name": "n", "url": "u"}],
        "type": "kubernetes",
        "change": "c",
        "filters": [{"cluster": "c", "namespace": "n", "releaseName": "r", "selectors": ["s"]}],
    },
    "hooks": {
        "on_elected": ["echo"],
        "on_success": {"exec": ["a"]},
        "on_fail": {"image": "alpine", "commands": ["x"]},
        "on_finish": {
            "steps": {
                "q": {"image": "a", "arguments": {"commands": ["s"]}},
                "w": {"type": "build", "image_name": "x"},
            },
            "mode": "parallel",
            "fail_fast": False,
        },
    },
    "debug": {"phases": {"before": True, "after": False}},
    "docker_machine": {"create": {"provider": "p"}},
}

_AWS: dict[str, Json] = {"region": "r", "role_arn": "a", "aws_duration_seconds": "900"}

STEPS: dict[str, dict[str, Json]] = {
    "freestyle": {
        "image": "alpine",
        "working_directory": "${{clone}}",
        "commands": ["cf_export A=${{B}}"],
        "entry_point": ["x"],
        "shell": "bash",
        "environment": ["A=1"],
        "volumes": ["a:b"],
        "services": {"composition": {"db": {"image": "x"}}},
        "registry_context": "r",
        "debug": {"phases": {"override": True}},
    },
    "git-clone": {
        "repo": "a/b",
        "revision": "m",
        "git": "g",
        "credentials": {"username": "u", "password": "p"},
        "use_proxy": True,
        "depth": 1,
        "exclude_blobs": "no",
        "skip_tags_on_update": "${{X}}",
    },
    "build": {
        "image_name": "a/b",
        "tag": "1",
        "tags": ["1"],
        "tag_policy": "original",
        "dockerfile": {"content": "FROM x"},
        "build_arguments": ["a=b"],
        "target": "t",
        "no_cache": True,
        "cache_from": ["a"],
        "ssh": "default",
        "secrets": [{"id": "a", "src": "b"}],
        "buildx": {"qemu": {"image": "a", "platforms": "b"}, "builder": {"driver": "d"}},
        "platform": "linux/amd64",
        "registry": "r",
        "disable_push": True,
        "cosign": {"sign": True, "options": {"a": "b"}},
        "metadata": {"set": [{"A": True}]},
        "annotations": {"set": [{"annotations": ["a", {"b": {"evaluate": "x"}}]}]},
        "provider": {"type": "gcb", "arguments": {"cache": {"repo": "r"}, "diskSizeGb": 5}},
        **_AWS,
    },
    "push": {"candidate": "${{b}}", "tag": "x", "image_name": "n", "registry": "r", **_AWS},
    "push-tag": {"image_name": "a", "tags": ["b"], "region": "r"},
    "deploy": {
        "kind": "kubernetes",
        "cluster": "c",
        "namespace": "n",
        "service": "s",
        "candidate": {"image": "i", "registry": "r"},
        "timeout": "150",
    },
    "composition": {
        "composition": {"version": "2", "services": {"a": {"image": "x"}}},
        "composition_candidates": {"t": {"image": "x", "command": "y"}},
        "composition_variables": ["a=b"],
    },
    "launch-composition": {"composition": "file.yml", "environment_name": "e"},
    "pending-approval": {"timeout": {"duration": 2, "timeUnit": "hours", "finalState": "denied"}},
    "integration-test": {
        "services": {"a": {"image": "x", "ports": [1], "environment": ["AB=c"]}},
        "preconfigured_services": ["mysql"],
        "test": {"image": "a", "commands": ["x"], "working_directory": "w"},
    },
    "travis": {"services": {"a": {"image": "x"}}, "test": {"image": "a", "command": "x"}},
    "simple_travis": {"services": ["redis"], "test": {"image": "a", "command": "x"}},
    "helm": {"arguments": {"chart_name": "x", "timeout": "5"}},
    "helm:1.1.12": {"arguments": {"release_name": "x"}},
    "some/plugin:1.2": {},
}
"""For each type a step with its keys."""

_WORDS: tuple[Json, ...] = (
    "x", "", None, True, False, 0, 1, -1, 1.5, "5", "yes", "${{VAR}}", [], {}, ["a"], [1],
    {"a": "b"}, [{"name": "a"}], "10s", '["a"]', '{"a":"b"}', [[]], "\ud7ff\x00", 10**30,
    {"k": {"environment": ["A=1"]}}, "a" * 200, {"all": {"a": "((((1 == '"}}, "/(a+)+$/",
)  # fmt: skip


def whole(kind: str, *, common: bool) -> dict[str, Json]:
    """Return a document with one step of the type, with all keys that any step may have too."""
    step: dict[str, Json] = {**(_COMMON if common else {}), **STEPS[kind], "type": kind}
    return {"version": "1.0", "stages": ["one"], "steps": {"a": step}}


def documents() -> tuple[dict[str, Json], ...]:
    """Return accepted documents that together use every key."""
    found: list[dict[str, Json]] = []
    for kind, keys in STEPS.items():
        step: dict[str, Json] = {**keys, "type": kind}
        found += [whole(kind, common=True), whole(kind, common=False)]
        found.append({"version": "1", "steps": {"a": {"type": kind, "arguments": dict(keys)}}})
        if kind != "pending-approval":
            group: dict[str, Json] = {
                "type": "parallel",
                "success_criteria": {"steps": {"only": ["a"]}},
                "steps": {"a": step, "b": {"image": "x"}},
            }
            found.append({"version": "1.0", "mode": "parallel", "steps": {"p": group}})
    found.append(
        {
            "version": 1,
            "fail_fast": False,
            "strict_fail_fast": "${{X}}",
            "indicators": [1],
            "services": {},
            "success_criteria": {"condition": {"any": {"a": "true"}}},
            "hooks": _COMMON["hooks"],
            "steps": {
                "s": {"image": "x", "scale": {"k": {"environment": ["A=1"]}, "l": {}}},
                "m": {"image": "x", "matrix": {"image": ["a", "b"], "environment": [["A=1"]]}},
            },
        }
    )
    return tuple(found)


def mutated(document: Json, random: Random) -> Json:
    """Return a copy in which up to three things are added, removed, moved or replaced."""
    copy: Json = json.loads(json.dumps(document))
    for _ in range(random.choice((1, 1, 1, 2, 3))):
        places = list(_places(copy))
        _mutate(copy, random.choice(places), random)
    return copy


def _places(value: Json, path: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    yield path
    inner = (
        value.items()
        if isinstance(value, dict)
        else enumerate(value)
        if isinstance(value, list)
        else ()
    )
    for key, each in inner:
        yield from _places(each, (*path, key))


def _mutate(document: Json, path: tuple[str | int, ...], random: Random) -> None:
    value = document
    for key in path:
        value = value[key]  # type: ignore[index]
    word = json.loads(json.dumps(random.choice(_WORDS)))
    if isinstance(value, dict):
        _mutate_mapping(value, word, random)
    elif isinstance(value, list):
        value.insert(random.randint(0, len(value)), word)
    elif path:
        owner = document
        for key in path[:-1]:
            owner = owner[key]  # type: ignore[index]
        owner[path[-1]] = word  # type: ignore[index]


def _mutate_mapping(value: dict[str, Json], word: Json, random: Random) -> None:
    keys = [*_COMMON, *(key for step in STEPS.values() for key in step), *KEYS]
    match random.randint(0, 3):
        case 0:
            value[random.choice(keys)] = word
        case 1:
            value["type"] = random.choice([*STEPS, "parallel", "services", "${{T}}", "x:y"])
        case 2 if value:
            value.pop(random.choice(list(value)))
        case 3 if value:
            value[random.choice(keys)] = value.pop(random.choice(list(value)))
        case _:
            return


KEYS = ("steps", "mode", "scale", "matrix", "stages", "version", "exec", "arguments", "comands")
"""Keys that mean something at other places, and a slip of the pen."""


def scrambled(text: str, random: Random) -> str:
    """Return the text with a few characters removed, doubled or replaced."""
    letters = list(text)
    for _ in range(random.randint(1, 4)):
        at = random.randint(0, max(0, len(letters) - 1))
        letters[at : at + random.randint(0, 2)] = random.choice(
            [
                "",
                " ",
                "\t",
                "\n",
                ":",
                "- ",
                "&a ",
                "*a",
                "<<: ",
                "!x ",
                '"',
                "'",
                "{",
                "]",
                "#",
                "|",
            ]
        )
    return "".join(letters)
