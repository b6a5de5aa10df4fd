"""Instructions change configuration and files as they do for Docker."""

import pytest

from crossfade.base.errors import InputError
from crossfade.core.image.dockerfile import parse
from crossfade.core.image.evaluate import Copy, Given, Run, Standing, after, cache_key
from crossfade.core.image.stages import stages


def evaluated(body, **arguments):
    file = parse(f"ARG GLOBAL=above\nFROM host\n{body}\n")
    whole = stages(file, arguments)
    given, standing, acts = Given(file, arguments, whole.arguments), Standing(), []
    for one in whole.target.instructions:
        standing, act = after(given, standing, one)
        acts += [act] if act is not None else []
    return standing.config, acts


def test_variables_of_one_line_do_not_see_each_other():
    config, _ = evaluated("ENV A=1\nENV A=2 B=$A\nENV OLD a  b")

    assert config.environment == {"A": "2", "B": "1", "OLD": "a b"}


def test_arguments_are_for_the_build_only_and_variables_go_before_them():
    config, (run,) = evaluated("ARG A=default\nARG B\nENV A=env\nRUN x", B="given")

    assert config.environment == {"A": "env"}
    assert run.environment == {"A": "env", "B": "given"}


@pytest.mark.parametrize(
    ("arg", "given", "value"),
    [
        ("GLOBAL", {}, "above"),
        ("GLOBAL=own", {}, "own"),
        ("GLOBAL=own", {"GLOBAL": "given"}, "given"),
        ("OTHER", {}, ""),
    ],
)
def test_where_the_value_of_an_argument_comes_from(arg, given, value):
    config, _ = evaluated(f"ARG {arg}\nENV V=$GLOBAL", **given)
    assert config.environment["V"] == value


def test_an_argument_is_not_seen_before_its_line():
    assert evaluated("ENV V=$GLOBAL\nARG GLOBAL")[0].environment == {"V": ""}


def test_paths_are_below_the_working_directory():
    config, (copy,) = evaluated("WORKDIR /app\nWORKDIR sub\nCOPY a b c/")

    assert config.working_directory == "/app/sub"
    assert (copy.sources, copy.target) == (("a", "b"), "/app/sub/c/")


def test_no_target_is_above_the_root():
    assert evaluated("COPY a ../../../etc/x")[1][0].target == "/etc/x"


def test_a_text_is_run_by_the_shell_which_reads_its_own_variables():
    _, (text, items, bash) = evaluated('RUN echo $A\nRUN ["x","$A"]\nSHELL ["bash","-c"]\nRUN y')

    assert text.argv == ("/bin/sh", "-c", "echo $A")
    assert items.argv == ("x", "$A")
    assert bash.argv == ("bash", "-c", "y")


def test_the_old_way_to_name_an_author_still_builds():
    config, _ = evaluated("MAINTAINER Ann Other <ann@example.com>")

    assert config.author == "Ann Other <ann@example.com>"


def test_a_new_entry_point_drops_the_command_of_the_base():
    assert evaluated('CMD ["a"]\nENTRYPOINT ["b"]')[0].command == ()
    assert evaluated('ENTRYPOINT ["b"]\nCMD ["a"]')[0].command == ("a",)


def test_what_only_containers_read_is_kept():
    config, acts = evaluated(
        "EXPOSE 80 53/UDP 7000-7001\nVOLUME /data\nUSER 1:2\nSTOPSIGNAL SIGINT\n"
        'LABEL a="b c" d=e\nHEALTHCHECK --interval=10s --retries=3 CMD curl x'
    )

    assert acts == []
    assert config.ports == ("80/tcp", "53/udp", "7000/tcp", "7001/tcp")
    assert (config.volumes, config.user, config.stop_signal) == (("/data",), "1:2", "SIGINT")
    assert config.labels == {"a": "b c", "d": "e"}
    assert config.health == ("CMD-SHELL", "curl x")
    assert config.health_timing == {"Interval": 10_000_000_000, "Retries": 3}


@pytest.mark.parametrize(
    ("body", "what"),
    [
        ("ADD https://example.com/x /x", "ADD of an address"),
        ("COPY a b c", "need a folder"),
        ("COPY a", "needs a source and a target"),
        ("COPY --link a b", "no flag --link"),
        ("RUN --mount=type=cache,target=/x y", "RUN --mount is not supported"),
        ("EXPOSE 99999", "is no port"),
        ("ENV A", "has no value"),
        ("LABEL a=b c", "no NAME=value"),
        ("SHELL bash", "SHELL needs a list"),
        ("HEALTHCHECK curl x", "cannot be read"),
        ("HEALTHCHECK --interval=x CMD y", "is not a duration"),
        ("STOPSIGNAL a b", "is no signal"),
        ("USER --x y", "no flag --x"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_line(body, what):
    with pytest.raises(InputError, match=what) as caught:
        evaluated(body)

    assert caught.value.facts["line"] == 3
    assert caught.value.hint


def test_a_key_changes_with_everything_that_changes_the_layer():
    copy, run = Copy(1, ("a",), "/a"), Run(1, ("x",), {"A": "1"}, "/", "")
    keys = [
        cache_key("", copy, "inputs"),
        cache_key("", copy, "other inputs"),
        cache_key("below", copy, "inputs"),
        cache_key("", Copy(1, ("a",), "/b"), "inputs"),
        cache_key("", Copy(1, ("a",), "/a", mode="755"), "inputs"),
        cache_key("", run),
        cache_key("", Run(1, ("x",), {"A": "2"}, "/", "")),
        cache_key("", Run(1, ("x",), {"A": "1"}, "/", "1")),
    ]

    assert len(set(keys)) == len(keys)
    assert cache_key("", Copy(9, ("a",), "/a"), "inputs") == keys[0], "a moved line builds again"
