"""What refers to secrets of stores, and what cannot."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.pipeline.context import context_of
from crossfade.core.pipeline.run import begin
from crossfade.core.pipeline.secret_stores import (
    KUBERNETES,
    VAULT,
    Reference,
    VaultStore,
    asked_for,
    is_path,
    named_stores,
    reference_of,
    store_data,
    vault_store,
)
from crossfade.core.pipeline.state import State
from crossfade.core.pipeline.variables import Source, Variable
from crossfade.testing.fake_build import graph_from


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("secrets.prod.TOKEN", Reference("prod", "", "TOKEN")),
        ("secrets.prod.tls.key", Reference("prod", "", "tls.key")),
        ("secrets.prod.my-secret@key1", Reference("prod", "my-secret", "key1")),
        ("secrets.vault.team/db@password", Reference("vault", "team/db", "password")),
        ("secrets.prod", None),
        ("secrets", None),
        ("SECRETS.prod.key", None),
        ("steps.secrets.prod.key", None),
        ("secrets.prod.@key", None),
    ],
)
def test_a_reference_names_a_store_and_a_key(text, found):
    assert reference_of(text) == found


def variables(**given: tuple[str, Source]) -> dict[str, Variable]:
    return {name: Variable(name, text, source) for name, (text, source) in given.items()}


def test_a_step_asks_for_what_it_and_its_pipeline_refer_to_and_for_nothing_else():
    steps = {
        "a": {"image": "x", "commands": ["echo ${{ secrets.s.one }}"]},
        "b": {"image": "x", "commands": ["echo ${{secrets.s.two}}"]},
    }
    graph = graph_from({"steps": steps})
    given = variables(
        MINE=("${{secrets.s.three}}", Source.PIPELINE),
        CF_COMMIT_MESSAGE=("${{secrets.s.four}}", Source.TRIGGER),
        RUN=("${{secrets.s.five}}", Source.RUN),
        LEFT=("${{secrets.s.six}}", Source.EXPORT),
    )
    assert asked_for(graph, "a", given.values()) == ("secrets.s.one", "secrets.s.three")
    assert [str(each) for _, _, each in named_stores(graph)] == [
        "${{secrets.s.one}}",
        "${{secrets.s.two}}",
    ]


def seen(given: dict[str, Variable], looked_up: dict[str, str]):
    steps = {"a": {"image": "x", "environment": ["OWN=<${{secrets.s.one}}>"]}}
    graph = graph_from({"steps": steps})
    state: State = begin(given)
    return context_of(graph, state, "a", looked_up)


def test_values_are_in_texts_and_variables_are_masked_and_are_no_variables_themselves():
    given = variables(MINE=("x ${{secrets.s.two}}", Source.PIPELINE))
    context = seen(given, {"secrets.s.one": "first", "secrets.s.two": "second"})

    assert context.scope.texts["OWN"] == "<first>"
    assert context.scope.texts["MINE"] == "x second"
    assert {"first", "second", "x second"} <= set(context.scope.secrets)
    assert not [name for name in context.scope.texts if name.startswith("secrets")]
    assert context.substituted("${{secrets.s.none}}") == "${{secrets.s.none}}"


def test_what_an_event_or_a_step_says_refers_to_nothing():
    text = "${{secrets.s.one}}"
    given = variables(
        CF_COMMIT_MESSAGE=(text, Source.TRIGGER), LEFT=(text, Source.EXPORT), RUN=(text, Source.RUN)
    )
    context = seen(given, {"secrets.s.one": "first"})
    assert {context.scope.texts[name] for name in given} == {text}
    assert context.substituted("echo ${{CF_COMMIT_MESSAGE}} ${{LEFT}}") == f"echo {text} {text}"


@pytest.mark.parametrize(
    ("kind", "data", "words"),
    [
        (KUBERNETES, {"cluster": "gcp"}, "needs namespace"),
        (KUBERNETES, {"cluster": "gcp", "namespace": "../x"}, "namespace is '../x'"),
        (KUBERNETES, {"cluster": "c", "namespace": "n", "resource-type": "pod"}, "resource-type"),
        (KUBERNETES, {"cluster": "c", "namespace": "n", "token": "hunter2"}, "has no token"),
        (VAULT, {"address": "https://vault.test"}, "needs token"),
        (VAULT, {"address": "http://vault.test", "token": "hunter2"}, "address"),
        (VAULT, {"address": "https://me:hunter2@vault.test", "token": "x"}, "address"),
        (
            VAULT,
            {"address": "https://v.test", "token": "hunter2", "version": "3"},
            "version is '3'",
        ),
        (VAULT, {"address": "https://v.test", "token": "hunter2", "mount": "a/../b"}, "mount is"),
    ],
)
def test_a_store_that_cannot_be_one_is_refused_without_its_token(kind, data, words):
    with pytest.raises(InputError, match=words) as raised:
        store_data(kind, data)
    assert "hunter2" not in str(raised.value) + raised.value.hint


def test_a_path_stays_below_its_engine_and_a_store_shows_no_token():
    paths = ("a/b.c", "a/../b", "/a", "a//b", "a b", "..", "a?x", "a/")
    assert [is_path(each) for each in paths] == [True] + [False] * 7
    store = vault_store({"address": "http://127.0.0.1:8200/", "token": "hunter2"})
    assert store == VaultStore("http://127.0.0.1:8200", "hunter2")
    assert "hunter2" not in repr(store)
