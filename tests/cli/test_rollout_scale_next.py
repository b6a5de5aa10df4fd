"""`crossfade rollout scale-next` and `scale-back` need no hub, and refuse what makes no sense."""

import pytest


@pytest.mark.parametrize(
    ("options", "canary", "stable", "done"),
    [
        pytest.param("--weight 20 --running stable=10 --limits 2,0", 2, 10, False, id="up-first"),
        pytest.param(
            "--weight 20 --running canary=2,stable=10 --limits 20%,0", 2, 8, True, id="then-down"
        ),
        pytest.param(
            "--weight 20 --running canary=2/0,stable=10 --limits 2,0", 2, 10, False, id="unready"
        ),
        pytest.param(
            "--weight 30 --running canary=4/2,stable=8/6,older=3 --limits 0,1", 4, 8, False,
            id="older-ones-first",
        ),
        pytest.param("--weight 50 --running canary=4", 10, 0, False, id="first-deployment"),
    ],
)  # fmt: skip
def test_the_next_counts_on_the_way_to_a_weight(crossfade, options, canary, stable, done):
    ran = crossfade("rollout", "scale-next", "--replicas", "10", *options.split(), "-o", "json")

    assert ran.data == {"canary": canary, "stable": stable, "done": done}


def test_a_walk_back_waits_for_the_pods_of_stable(crossfade):
    asked = ("rollout", "scale-back", "--replicas", "10", "--steps", "20,60", "--actual", "60")
    begins = crossfade(*asked, "--running", "canary=6,stable=4", "-o", "json")
    later = crossfade(*asked, "--running", "canary=6,stable=8")

    assert begins.data == {"weight": 60, "canary": 6, "stable": 8}
    assert later.out == "20 % of users; canary 6, stable 8\n"


def test_a_canary_that_is_kept_for_a_while_does_not_hold_users_up(crossfade):
    asked = ("rollout", "scale-back", "--replicas", "10", "--steps", "10,50", "--actual", "10")
    running = ("--running", "canary=5,stable=9", "-o", "json")

    assert crossfade(*asked, *running).data["weight"] == 10
    assert crossfade(*asked, *running, "--delay", "30").data["weight"] == 10
    assert crossfade(*asked, "--running", "canary=5,stable=10", "--delay", "30").out.startswith(
        "0 %"
    )


def test_people_are_told_when_the_counts_are_as_wanted(crossfade):
    ran = crossfade(
        "rollout", "scale-next", "--replicas", "10", "--weight", "50", "--running",
        "canary=5,stable=5",
    )  # fmt: skip

    assert ran.out == "canary 5, stable 5, as wanted\n"


NEXT = ("scale-next", "--replicas", "10", "--weight", "5")
BACK = ("scale-back", "--replicas", "10", "--actual", "5", "--running", "stable=5")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        ((*NEXT, "--running", "canary=x"), "--running: `canary=x` is none of canary="),
        ((*NEXT, "--running", "canary=1,canary=2"), "--running: `canary=2` is given twice"),
        ((*NEXT, "--running", "stable=5", "--limits", "5"), "--limits: `5` has no comma"),
        ((*NEXT, "--running", "stable=5", "--limits", "5,some"), "--limits: `some` is neither"),
        ((*BACK, "--steps", "10,much"), "--steps: `10,much` are no weights"),
        ((*BACK, "--steps", "10,101"), "--steps: `10,101` are no weights"),
    ],
)
def test_wrong_numbers_are_refused(crossfade, arguments, said):
    ran = crossfade("rollout", *arguments)

    assert (ran.code, ran.out) == (2, "")
    assert said in ran.err
    assert "hint:" in ran.err
