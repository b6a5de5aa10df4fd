"""Who comes back from the provider is who was sent, and gets what their groups give them."""

import pytest

from crossfade.base.errors import NotAllowed, NotFound, NotSignedIn
from crossfade.base.secrets import Secret
from crossfade.core.access.roles import Grant, Role
from crossfade.core.access.sign_on import Claims, provider_of
from crossfade.engine.accounts import Accounts
from crossfade.engine.audit import AuditLog
from crossfade.engine.people import People
from crossfade.engine.sign_on import ATTEMPT_SECONDS, SignOn, SignOnCommands
from crossfade.testing.clock import FakeClock
from crossfade.testing.fake_passwords import FakePasswords
from crossfade.testing.fake_store import FakeStore

ROLES = {"devs": [Grant(Role.DEVELOPER, "colors")], "ops": [Grant(Role.RELEASER)]}
PROVIDER = provider_of("https://login.example.com", "c", "https://hub.example.com", ROLES)


class Vouching:
    """A provider that says what it is told to, and remembers the attempt."""

    def __init__(self):
        self.claims = Claims("u1", "Ann", ("devs",))
        self.attempt = None

    async def address(self, provider, attempt):
        self.attempt = attempt
        return f"{provider.issuer}/authorize"

    async def identify(self, provider, attempt, code):
        assert attempt == self.attempt, "the answer is for the attempt that was begun"
        return self.claims


@pytest.fixture
async def sign_on():
    clock = FakeClock(1000.0)
    accounts = Accounts(FakeStore(), FakePasswords(), clock)
    await SignOnCommands(accounts.documents, clock).set(PROVIDER)
    return SignOn(accounts, Vouching(), clock)


async def sign_in(sign_on):
    begun = await sign_on.begin()
    signed = await sign_on.finish(begun.cookie, sign_on.identities.attempt.state, "code")
    return await sign_on.accounts.by_cookie(signed.cookie)


async def test_who_comes_back_has_the_rights_of_their_groups(sign_on):
    caller = await sign_in(sign_on)
    assert (caller.identity.name, caller.identity.grants) == ("ann", tuple(ROLES["devs"]))
    sign_on.identities.claims = Claims("u1", "Ann", ("ops", "other"))
    assert (await sign_in(sign_on)).identity.grants == tuple(ROLES["ops"])


async def test_who_has_no_group_with_a_role_does_not_get_in_and_that_is_written_down(sign_on):
    sign_on.identities.claims = Claims("u1", "Ann", ("other",))
    with pytest.raises(NotAllowed, match="none of your groups"):
        await sign_in(sign_on)
    entry = [each async for each in AuditLog(sign_on.accounts.documents).entries()][-1]
    assert (entry.deed.outcome, entry.deed.who) == ("refused", "ann")


@pytest.mark.parametrize("subject", ["u2", ""])
async def test_a_name_that_has_changed_hands_is_somebody_else(sign_on, subject):
    await sign_in(sign_on)
    sign_on.identities.claims = Claims(subject, "ann", ("ops",))
    with pytest.raises(NotAllowed, match="somebody else's"):
        await sign_in(sign_on)


async def test_nobody_becomes_an_account_with_a_password_by_having_its_name_elsewhere(sign_on):
    await sign_on.accounts.first_admin()
    sign_on.identities.claims = Claims("u1", "admin", ("ops",))
    with pytest.raises(NotAllowed, match="somebody else's"):
        await sign_in(sign_on)


async def test_an_account_that_was_disabled_stays_so(sign_on):
    await sign_on.accounts.first_admin()
    await sign_in(sign_on)
    people = People(sign_on.accounts.documents, FakePasswords(), sign_on.clock)
    await people.disable("ann")
    with pytest.raises(NotSignedIn, match="disabled"):
        await sign_in(sign_on)


async def test_who_is_vouched_for_has_no_password(sign_on):
    await sign_in(sign_on)
    for password in ("", "kept "):
        with pytest.raises(NotSignedIn):
            await sign_on.accounts.sign_in("ann", Secret(password), "here")


@pytest.mark.parametrize(
    "change",
    [
        lambda cookie, state: ("", state),
        lambda cookie, state: ("a.1000.b", state),
        lambda cookie, state: (cookie[:-1], state),
        lambda cookie, state: ("0" + cookie[1:], state),
        lambda cookie, state: (cookie, ""),
        lambda cookie, state: (cookie, f"{state}x"),
        lambda cookie, state: ("é.1.é", state),
    ],
)
async def test_a_browser_that_was_not_sent_is_not_signed_in(sign_on, change):
    begun = await sign_on.begin()
    state = sign_on.identities.attempt.state
    cookie, state = change(begun.cookie, state)
    if cookie[:1] == begun.cookie[:1] == "0":
        cookie = "1" + cookie[1:]
    with pytest.raises(NotSignedIn):
        await sign_on.finish(cookie, state, "code")


async def test_an_answer_for_another_browser_is_not_taken(sign_on):
    mine = await sign_on.begin()
    await sign_on.begin()
    with pytest.raises(NotSignedIn, match="another browser"):
        await sign_on.finish(mine.cookie, sign_on.identities.attempt.state, "code")


async def test_the_way_there_and_back_has_an_end(sign_on):
    begun = await sign_on.begin()
    sign_on.clock.advance(ATTEMPT_SECONDS)
    with pytest.raises(NotSignedIn, match="too long"):
        await sign_on.finish(begun.cookie, sign_on.identities.attempt.state, "code")


async def test_without_a_provider_nobody_is_sent_anywhere(sign_on):
    await SignOnCommands(sign_on.accounts.documents, sign_on.clock).remove()
    with pytest.raises(NotFound):
        await sign_on.begin()
    with pytest.raises(NotFound):
        await SignOnCommands(sign_on.accounts.documents, sign_on.clock).remove()
