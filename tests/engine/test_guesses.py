"""Nobody guesses on, and nobody locks others out by wrong passwords."""

import asyncio

import pytest

from crossfade.base.errors import NotSignedIn, TooManyRequests
from crossfade.base.secrets import Secret
from crossfade.core.access.roles import Grant, Role
from crossfade.engine.accounts import Accounts
from crossfade.engine.guesses import (
    FAILURES,
    FAILURES_OF_A_NAME,
    FAILURES_OF_A_PLACE,
    STRANGERS_AT_ONCE,
    WINDOW_SECONDS,
)
from crossfade.engine.people import People
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_passwords import FakePasswords
from crossfade.testing.fake_store import FakeStore

RIGHT, WRONG = Secret("correct horse battery"), Secret("guess")
VIEWER = Grant(Role.VIEWER)


@pytest.fixture
async def accounts():
    made = Accounts(FakeStore(), FakePasswords(), FakeClock())
    people = People(made.documents, made.passwords, made.clock)
    for name in ("ann", "bob"):
        await people.add(name, [VIEWER], RIGHT)
    return made


async def guess(accounts, times, name="ann", place="10.0.0.{}", **more):
    for number in range(times):
        with pytest.raises(NotSignedIn):
            await accounts.sign_in(name, WRONG, place.format(number), **more)


async def test_who_guesses_one_name_has_to_wait_and_others_of_that_place_do_not(accounts):
    await guess(accounts, FAILURES, place="office")

    with pytest.raises(TooManyRequests) as error:
        await accounts.sign_in("ann", RIGHT, "office")
    assert error.value.hint == f"wait {WINDOW_SECONDS:g} s, then try again"
    assert (await accounts.sign_in("bob", RIGHT, "office")).account == "bob"
    accounts.clock.advance(WINDOW_SECONDS)
    assert (await accounts.sign_in("ann", RIGHT, "office")).account == "ann"


async def test_one_password_cannot_be_tried_on_all_names_from_one_place(accounts):
    for number in range(FAILURES_OF_A_PLACE):
        await guess(accounts, 1, f"name{number}", "there")

    with pytest.raises(TooManyRequests):
        await accounts.sign_in("ann", RIGHT, "there")


async def test_who_says_to_come_from_ever_new_places_cannot_guess_on(accounts):
    await guess(accounts, FAILURES_OF_A_NAME)

    with pytest.raises(TooManyRequests):
        await accounts.sign_in("ann", RIGHT, "10.0.1.1")
    accounts.clock.advance(WINDOW_SECONDS + 1)
    assert (await accounts.sign_in("ann", RIGHT, "10.0.1.1")).account == "ann"


async def test_nobody_locks_an_owner_out_whose_browser_is_known(accounts):
    kept = (await accounts.sign_in("ann", RIGHT, "home")).device
    await guess(accounts, FAILURES_OF_A_NAME)
    for number in range(FAILURES_OF_A_PLACE):
        await guess(accounts, 1, f"name{number}", "home")

    for place in ("home", "10.0.0.1", "new"):
        assert (await accounts.sign_in("ann", RIGHT, place, device=kept)).account == "ann"


async def test_nobody_locks_an_owner_out_who_has_a_token(accounts):
    signed = await accounts.sign_in("ann", RIGHT, "home")
    caller = await accounts.by_cookie(signed.cookie)
    _, token = await accounts.make_token(caller, "cli", [VIEWER], 1)
    await guess(accounts, FAILURES_OF_A_NAME)

    assert (await accounts.sign_in("ann", RIGHT, "new", token=token.reveal())).account == "ann"
    with pytest.raises(TooManyRequests):
        await accounts.sign_in("ann", RIGHT, "new", token="cfd_a_b")
    await accounts.revoke(caller, token.reveal().split("_")[1])
    with pytest.raises(TooManyRequests):
        await accounts.sign_in("ann", RIGHT, "new", token=token.reveal())


async def test_a_browser_or_token_of_somebody_else_is_a_stranger(accounts):
    signed = await accounts.sign_in("bob", RIGHT, "home")
    caller = await accounts.by_cookie(signed.cookie)
    _, token = await accounts.make_token(caller, "cli", [VIEWER], 1)
    await guess(accounts, FAILURES_OF_A_NAME, device=signed.device, token=token.reveal())

    more = {"device": signed.device, "token": token.reveal()}
    with pytest.raises(TooManyRequests):
        await accounts.sign_in("ann", RIGHT, "home", **more)


async def test_who_has_stolen_a_known_browser_cannot_guess_on_either(accounts):
    kept = (await accounts.sign_in("ann", RIGHT, "home")).device
    await guess(accounts, FAILURES, device=kept)

    with pytest.raises(TooManyRequests):
        await accounts.sign_in("ann", RIGHT, "home", device=kept)
    assert (await accounts.sign_in("ann", RIGHT, "home")).account == "ann", "as a stranger"


async def test_a_browser_is_no_longer_known_after_the_password_was_changed(accounts):
    kept = (await accounts.sign_in("ann", RIGHT, "home")).device
    people = People(accounts.documents, accounts.passwords, accounts.clock)
    await people.set_password("ann", Secret("another long password"))
    await guess(accounts, FAILURES_OF_A_NAME)

    with pytest.raises(TooManyRequests):
        await accounts.sign_in("ann", Secret("another long password"), "home", device=kept)


async def test_right_passwords_do_not_count(accounts):
    for _ in range(FAILURES_OF_A_PLACE + 1):
        await accounts.sign_in("ann", RIGHT, "office")


class SlowPasswords(FakePasswords):
    """Takes until it is told to go on."""

    def __init__(self):
        super().__init__()
        self.go = asyncio.Event()

    async def fits(self, password, kept):
        await self.go.wait()
        return await super().fits(password, kept)


async def results(accounts, attempts):
    """Return what becomes of attempts that are made all at once."""

    async def one(name, place):
        try:
            await accounts.sign_in(name, WRONG, place)
        except (NotSignedIn, TooManyRequests) as error:
            return type(error)

    async with asyncio.TaskGroup() as group:
        running = [group.create_task(one(*each)) for each in attempts]
        for _ in range(10):
            await asyncio.sleep(0)
        accounts.passwords.go.set()
    return [each.result() for each in running]


async def test_guesses_that_are_made_all_at_once_are_not_all_looked_at(accounts):
    accounts.passwords = SlowPasswords()
    found = await results(accounts, [("ann", "there")] * 3 * FAILURES)

    assert found.count(NotSignedIn) == FAILURES
    assert found.count(TooManyRequests) == 2 * FAILURES


async def test_strangers_do_not_take_all_of_the_processors_time(accounts):
    kept = (await accounts.sign_in("ann", RIGHT, "home")).device
    accounts.passwords = SlowPasswords()
    many = [(f"name{each}", f"10.0.0.{each}") for each in range(3 * STRANGERS_AT_ONCE)]
    found = await results(accounts, many)

    assert found.count(NotSignedIn) == STRANGERS_AT_ONCE
    assert (await accounts.sign_in("ann", RIGHT, "home", device=kept)).account == "ann"
    assert (await accounts.sign_in("bob", RIGHT, "10.0.9.9")).account == "bob", "they are done"
