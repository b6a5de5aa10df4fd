"""Admins who take rights from each other at the same moment, by two hubs on every database."""

import asyncio
import secrets

import pytest

from crossfade.adapters.store.sql import SqlStore
from crossfade.base.clock import SteadyClock
from crossfade.base.errors import Conflict, UnsafePlan
from crossfade.base.secrets import Secret
from crossfade.core.access.roles import Grant, Role
from crossfade.engine.audit import AuditedDocuments, AuditLog
from crossfade.engine.people import People
from crossfade.testing.fake_passwords import FakePasswords

ADMIN, VIEWER = Grant(Role.ADMIN), Grant(Role.VIEWER)
NAMES = ("ann", "bob", "cyd")


def people(store, who):
    clock = SteadyClock()
    return People(AuditedDocuments(store, who, "page", clock), FakePasswords(), clock)


async def take(store, who, whom, how):
    """Have one admin take the rights of another; say whether that was done."""
    acting = people(store, who)
    try:
        await (acting.disable(whom) if how == "disable" else acting.grant(whom, [VIEWER]))
    except (UnsafePlan, Conflict):
        return False
    return True


@pytest.fixture(params=["sqlite", "postgres"])
async def stores(request, tmp_path):
    """The store of two hubs."""
    if request.param == "postgres":
        server = request.getfixturevalue("postgres")
        url = server.database(f"people-{secrets.token_hex(4)}")
    else:
        url = f"sqlite:///{tmp_path}/store/crossfade.db"
    opened = await SqlStore.open(url), await SqlStore.open(url)
    yield opened
    for each in opened:
        await each.close()


@pytest.mark.parametrize("how", ["disable", "demote"])
@pytest.mark.parametrize("admins", [2, 3])
async def test_admins_who_take_rights_from_each_other_at_once_leave_somebody_in_charge(
    stores, admins, how
):
    names = NAMES[:admins]
    store, other = stores
    for name in names:
        await people(store, "setup").add(name, [ADMIN], Secret("correct horse battery"))
    for _ in range(5):
        async with asyncio.TaskGroup() as group:
            taken = [
                group.create_task(take(hub, who, whom, how))
                for hub, who, whom in zip(
                    (store, other, store), names, (*names[1:], names[0]), strict=False
                )
            ]
        left = [each for each in await people(store, "x").all() if ADMIN in each.grants]
        left = [each for each in left if not each.disabled]
        assert left
        assert sum(each.result() for each in taken) == admins - len(left)
        assert not (await AuditLog(store).verify()).wrong
        for name in names:
            await people(store, "setup").change(name, grants=[ADMIN], disabled=False)
