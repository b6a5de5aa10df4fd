"""Passwords, browsers and tokens: who gets in, and for how long."""

import asyncio

import pytest

from crossfade.base.errors import (
    InputError,
    NotAllowed,
    NotFound,
    NotSignedIn,
    TooManyRequests,
)
from crossfade.base.secrets import Secret
from crossfade.core.access.roles import Grant, Identity, Role
from crossfade.engine.accounts import SESSION_SECONDS, Accounts, Caller
from crossfade.engine.guesses import FAILURES, WINDOW_SECONDS
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_passwords import FakePasswords
from crossfade.testing.fake_store import FakeStore

VIEWER = (Grant(Role.VIEWER),)


@pytest.fixture
def accounts():
    return Accounts(FakeStore(), FakePasswords(), FakeClock())


async def signed_in(accounts):
    password = await accounts.new_admin_password()
    signed = await accounts.sign_in("admin", password, "here")
    return signed, await accounts.by_cookie(signed.cookie)


async def test_the_first_password_is_made_once(accounts):
    first = await accounts.first_admin()

    assert len(first.reveal()) >= 20
    assert await accounts.first_admin() is None


class SlowPasswords(FakePasswords):
    """Others have their turn while one hashes."""

    async def hashed(self, password):
        await asyncio.sleep(0)
        return await super().hashed(password)


async def test_of_two_hubs_that_begin_at_once_one_makes_the_admin_and_tells_its_password():
    accounts = Accounts(FakeStore(), SlowPasswords(), FakeClock())
    async with asyncio.TaskGroup() as group:
        made = [group.create_task(accounts.first_admin()) for _ in range(2)]
    told = [each.result() for each in made if each.result() is not None]

    assert len(told) == 1
    assert (await accounts.sign_in("admin", told[0], "here")).account == "admin"


async def test_a_new_password_ends_the_old_one_and_its_browsers(accounts):
    old = await accounts.first_admin()
    signed = await accounts.sign_in("admin", old, "here")
    await accounts.new_admin_password()

    with pytest.raises(NotSignedIn):
        await accounts.by_cookie(signed.cookie)
    with pytest.raises(NotSignedIn):
        await accounts.sign_in("admin", old, "here")


async def test_an_unknown_name_costs_a_comparison_too_and_says_the_same(accounts):
    await accounts.first_admin()
    said = []
    for name in ("admin", "nobody"):
        with pytest.raises(NotSignedIn) as error:
            await accounts.sign_in(name, Secret("wrong"), "here")
        said.append(str(error.value))

    assert said[0] == said[1]
    assert len(accounts.passwords.compared) == 2


async def test_who_guesses_passwords_has_to_wait_and_others_do_not(accounts):
    password = await accounts.first_admin()
    for _ in range(FAILURES):
        with pytest.raises(NotSignedIn):
            await accounts.sign_in("admin", Secret("wrong"), "there")

    with pytest.raises(TooManyRequests):
        await accounts.sign_in("admin", password, "there")
    assert await accounts.sign_in("admin", password, "here")
    accounts.clock.advance(WINDOW_SECONDS)
    assert await accounts.sign_in("admin", password, "there")


async def test_a_browser_is_signed_in_until_its_time_is_over_or_it_signs_out(accounts):
    signed, caller = await signed_in(accounts)
    assert caller.identity.name == "admin"
    accounts.clock.advance(SESSION_SECONDS - 1)
    assert await accounts.by_cookie(signed.cookie)
    accounts.clock.advance(1)
    with pytest.raises(NotSignedIn):
        await accounts.by_cookie(signed.cookie)

    signed, _ = await signed_in(accounts)
    await accounts.sign_out(signed.cookie)
    with pytest.raises(NotSignedIn):
        await accounts.by_cookie(signed.cookie)


async def test_a_token_is_worth_its_grants_until_it_expires_or_is_revoked(accounts):
    _, admin = await signed_in(accounts)
    token, text = await accounts.make_token(admin, "t", VIEWER, 1)
    caller = await accounts.by_token(text)
    assert caller.identity == Identity("admin", (Grant(Role.ADMIN),), within=VIEWER)

    await accounts.revoke(admin, token.id)
    with pytest.raises(NotSignedIn):
        await accounts.by_token(text)
    _, text = await accounts.make_token(admin, "t", VIEWER, 1)
    accounts.clock.advance(86_400)
    with pytest.raises(NotSignedIn):
        await accounts.by_token(text)


async def test_a_token_makes_no_tokens(accounts):
    _, admin = await signed_in(accounts)
    _, text = await accounts.make_token(admin, "t", (Grant(Role.ADMIN),), 1)
    with pytest.raises(NotAllowed):
        await accounts.make_token(await accounts.by_token(text), "t", VIEWER, 1)


@pytest.mark.parametrize(("grants", "days"), [((), 1), (VIEWER, 0), (VIEWER, 366)])
async def test_a_token_for_nothing_or_for_ever_is_refused(accounts, grants, days):
    _, admin = await signed_in(accounts)
    with pytest.raises(InputError):
        await accounts.make_token(admin, "t", grants, days)


async def test_nobody_lists_or_revokes_the_tokens_of_others_but_admins(accounts):
    _, admin = await signed_in(accounts)
    token, _ = await accounts.make_token(admin, "t", VIEWER, 1)
    bob = Caller(Identity("bob", VIEWER), "page", "c")

    assert await accounts.tokens(bob) == ()
    with pytest.raises(NotFound):
        await accounts.revoke(bob, token.id)
    assert [each.id for each in await accounts.tokens(admin)] == [token.id]


async def test_no_secret_is_in_the_store(accounts):
    signed, admin = await signed_in(accounts)
    _, text = await accounts.make_token(admin, "t", VIEWER, 1)
    documents = [*await accounts.documents.list("token")]
    documents += await accounts.documents.list("browser-session")
    kept = str(documents) + str(await accounts.documents.events())

    for secret in (signed.cookie, text):
        assert secret.reveal().split("_", 2)[2] not in kept


async def test_what_has_expired_is_forgotten_and_nothing_else(accounts):
    _, admin = await signed_in(accounts)
    await accounts.make_token(admin, "short", VIEWER, 1)
    await accounts.make_token(admin, "long", VIEWER, 2)
    accounts.clock.advance(86_400)
    await accounts.forget_expired()

    assert [each.name for each in await accounts.tokens(admin)] == ["long"]
    assert await accounts.documents.list("browser-session") == ()
