"""Accounts are made, changed and disabled; somebody always stays in charge."""

import pytest

from crossfade.base.errors import Conflict, InputError, NotFound, NotSignedIn, UnsafePlan
from crossfade.base.secrets import Secret
from crossfade.core.access.roles import Action, Grant, Role
from crossfade.engine.accounts import Accounts
from crossfade.engine.guesses import FAILURES
from crossfade.engine.people import People
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_passwords import FakePasswords
from crossfade.testing.fake_store import FakeStore

VIEWER, ADMIN = Grant(Role.VIEWER, "colors"), Grant(Role.ADMIN)
LONG = Secret("correct horse battery")


@pytest.fixture
def people():
    return People(FakeStore(), FakePasswords(), FakeClock())


@pytest.fixture
def accounts(people):
    return Accounts(people.documents, people.passwords, people.clock)


async def caller(accounts, name, password):
    signed = await accounts.sign_in(name, password, "here")
    return await accounts.by_cookie(signed.cookie)


async def test_a_new_account_signs_in_with_what_it_was_given(people, accounts):
    made = await people.add("ann", [VIEWER], None)
    assert await people.add("bob", [VIEWER], LONG) is None

    assert (await caller(accounts, "ann", made)).identity.grants == (VIEWER,)
    assert (await caller(accounts, "bob", LONG)).identity.name == "bob"
    assert [each.name for each in await people.all()] == ["ann", "bob"]


@pytest.mark.parametrize("name", ["", "Ann", "a b", "-a", "a" * 101, "a/b"])
async def test_a_name_that_is_none_is_refused(people, name):
    with pytest.raises(InputError, match="no name for an account"):
        await people.add(name, [VIEWER], LONG)


async def test_an_account_needs_a_role_a_good_password_and_a_name_of_its_own(people):
    await people.add("ann", [VIEWER], LONG)
    with pytest.raises(Conflict, match="already"):
        await people.add("ann", [ADMIN], LONG)
    with pytest.raises(InputError, match="11 characters"):
        await people.add("bob", [VIEWER], Secret("x" * 11))
    with pytest.raises(InputError, match="0 roles"):
        await people.add("bob", [], LONG)


async def test_a_disabled_account_is_out_at_once_with_its_tokens(people, accounts):
    await people.add("ann", [VIEWER], LONG)
    ann = await caller(accounts, "ann", LONG)
    _, token = await accounts.make_token(ann, "t", [VIEWER], 1)
    signed = await accounts.sign_in("ann", LONG, "here")
    await people.disable("ann")

    with pytest.raises(NotSignedIn):
        await accounts.by_cookie(signed.cookie)
    with pytest.raises(NotSignedIn, match="disabled"):
        await accounts.by_token(token)
    with pytest.raises(NotSignedIn, match="wrong"):
        await accounts.sign_in("ann", LONG, "here")
    await people.enable("ann")
    assert (await accounts.by_token(token)).identity.name == "ann"


@pytest.fixture
async def tokens(people, accounts):
    """Two tokens of `boss`: one that changes accounts, as `crossfade login` makes, and another."""
    await people.add("boss", [ADMIN], LONG)
    boss = await caller(accounts, "boss", LONG)
    return [
        (await accounts.make_token(boss, "t", [ADMIN], 1, accounts=each))[1]
        for each in (True, False)
    ]


async def counting(accounts, tokens):
    found = []
    for each in tokens:
        try:
            found.append((await accounts.by_token(each)).identity.name)
        except NotSignedIn:
            found.append("nobody")
    return found


@pytest.mark.parametrize(("keep", "left"), [(False, "nobody"), (True, "boss")])
async def test_tokens_that_an_old_password_made_end_with_it(people, accounts, tokens, keep, left):
    await people.set_password("boss", Secret("another long password"), keep_tokens=keep)

    assert await counting(accounts, tokens) == ["nobody", left]
    boss = await caller(accounts, "boss", Secret("another long password"))
    assert len(await accounts.tokens(boss)) == keep, "what counts no more is listed"
    _, new = await accounts.make_token(boss, "t", [ADMIN], 1, accounts=True)
    assert (await accounts.by_token(new)).lasting


async def test_a_new_password_of_the_admin_ends_tokens_too(people, accounts):
    password = await accounts.first_admin()
    admin = await caller(accounts, "admin", password)
    made = [
        await accounts.make_token(admin, "t", [ADMIN], 1, accounts=each) for each in (True, False)
    ]
    await accounts.new_admin_password()

    assert await counting(accounts, [token for _, token in made]) == ["nobody", "nobody"]


async def test_a_token_that_changes_accounts_stays_out_when_its_owner_is_back(
    people, accounts, tokens
):
    await people.add("other", [ADMIN], LONG)
    await people.disable("boss")
    await people.enable("boss")

    assert await counting(accounts, tokens) == ["nobody", "boss"]


async def test_a_lower_role_narrows_tokens_and_browsers_at_once(people, accounts, tokens):
    await people.add("other", [ADMIN], LONG)
    signed = await accounts.sign_in("boss", LONG, "here")
    await people.grant("boss", [VIEWER])

    for each in (await accounts.by_cookie(signed.cookie), await accounts.by_token(tokens[0])):
        assert not each.identity.may(Action.ACCESS)
        assert not each.identity.sees("shapes")


async def test_whoever_signs_in_with_the_old_password_at_that_very_moment_is_out(people, accounts):
    await people.add("ann", [VIEWER], LONG)
    fits = accounts.passwords.fits

    async def slowly(given, kept):
        good = await fits(given, kept)
        await people.set_password("ann", Secret("another long password"))
        return good

    accounts.passwords.fits = slowly
    signed = await accounts.sign_in("ann", LONG, "here")

    with pytest.raises(NotSignedIn, match="over"):
        await accounts.by_cookie(signed.cookie)


async def test_a_token_that_is_made_at_that_very_moment_is_out_too(people, accounts):
    await people.add("ann", [VIEWER], LONG)
    ann = await caller(accounts, "ann", LONG)
    await people.set_password("ann", Secret("another long password"))
    _, token = await accounts.make_token(ann, "t", [VIEWER], 1)

    assert await counting(accounts, [token]) == ["nobody"]


async def test_who_is_out_makes_no_token_that_changes_accounts_although_others_are_kept(
    people, accounts
):
    await people.add("boss", [ADMIN], LONG)
    boss = await caller(accounts, "boss", LONG)
    await people.set_password("boss", Secret("another long password"), keep_tokens=True)
    made = [
        await accounts.make_token(boss, "t", [ADMIN], 1, accounts=each) for each in (True, False)
    ]

    assert await counting(accounts, [token for _, token in made]) == ["nobody", "boss"]


async def test_other_rights_hold_from_the_next_request_on(people, accounts):
    await people.add("ann", [VIEWER], LONG)
    signed = await accounts.sign_in("ann", LONG, "here")
    await people.grant("ann", [Grant(Role.RELEASER)])

    assert (await accounts.by_cookie(signed.cookie)).identity.grants == (Grant(Role.RELEASER),)


@pytest.mark.parametrize("how", ["disable", "grant"])
async def test_the_last_one_in_charge_stays(people, accounts, how):
    await accounts.first_admin()
    await people.add("ann", [Grant(Role.ADMIN, "colors")], LONG)

    with pytest.raises(UnsafePlan, match="nobody would be left"):
        await (people.disable("admin") if how == "disable" else people.grant("admin", [VIEWER]))
    await people.grant("ann", [ADMIN])
    await people.disable("admin")
    with pytest.raises(UnsafePlan):
        await people.disable("ann")


async def test_who_changes_their_password_is_signed_out_everywhere(people, accounts):
    await people.add("ann", [VIEWER], LONG)
    ann = await caller(accounts, "ann", LONG)
    signed = await accounts.sign_in("ann", LONG, "elsewhere")
    new = Secret("another long password")
    await accounts.change_password(ann, LONG, new)

    with pytest.raises(NotSignedIn):
        await accounts.by_cookie(signed.cookie)
    with pytest.raises(NotSignedIn):
        await accounts.sign_in("ann", LONG, "here")
    assert (await caller(accounts, "ann", new)).identity.name == "ann"


async def test_an_old_password_cannot_be_guessed_by_who_has_a_session(people, accounts):
    from crossfade.base.errors import TooManyRequests

    await people.add("ann", [VIEWER], LONG)
    ann = await caller(accounts, "ann", LONG)
    for _ in range(FAILURES):
        with pytest.raises(NotSignedIn, match="old password"):
            await accounts.change_password(ann, Secret("guess"), LONG)
    with pytest.raises(TooManyRequests):
        await accounts.change_password(ann, LONG, LONG)


async def test_who_is_not_there_is_named(people):
    with pytest.raises(NotFound, match="`ann`"):
        await people.disable("ann")
