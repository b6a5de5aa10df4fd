"""A cookie proves that a browser has signed in to this account by this password, for a time."""

from dataclasses import replace

import pytest

from crossfade.core.access.devices import DEVICE_SECONDS, device, device_of
from crossfade.core.access.people import Account

ANN = Account("ann", "argon2 of a password", ())
KEPT = device(ANN, "b1", 1000.0)


def test_a_browser_that_has_signed_in_is_known_for_ninety_days():
    assert device_of(ANN, KEPT, 1000.0) == "b1"
    assert device_of(ANN, KEPT, 1000.0 + DEVICE_SECONDS - 1) == "b1"
    assert device_of(ANN, KEPT, 1000.0 + DEVICE_SECONDS) == ""


@pytest.mark.parametrize(
    "account",
    [
        pytest.param(None, id="no-account"),
        pytest.param(replace(ANN, name="admin"), id="another-account"),
        pytest.param(replace(ANN, password="argon2 of another"), id="another-password"),
        pytest.param(replace(ANN, password=""), id="single-sign-on"),
    ],
)
def test_it_proves_nothing_for_anything_else(account):
    assert device_of(account, KEPT, 1000.0) == ""


def test_nobody_makes_one_for_an_account_without_a_password():
    nobody = replace(ANN, password="")
    assert device_of(nobody, device(nobody, "b1", 1000.0), 1000.0) == ""


@pytest.mark.parametrize(
    "text",
    [
        "",
        "cfb",
        KEPT[:-1],
        KEPT.replace("b1", "b2"),
        KEPT.replace("_777", "_888"),
        KEPT + "_x",
        "cfb_b1_é_é",
        "cfs" + KEPT[3:],
    ],
)
def test_what_somebody_has_made_up_proves_nothing(text):
    assert text != KEPT
    assert device_of(ANN, text, 1000.0) == ""
