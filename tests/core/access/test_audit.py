"""Whoever changes the log is found out."""

from dataclasses import replace

import pytest

from crossfade.core.access.audit import Deed, Head, broken, chained


def log(count):
    head, entries = Head(), []
    for number in range(count):
        entries.append(chained(head, Deed(float(number), "ann", "cli", (f"did {number}",))))
        head = Head(entries[-1].number, entries[-1].hash)
    return entries, head


def changed(entry, **fields):
    return replace(entry, deed=replace(entry.deed, **fields))


def rewritten(entries, at):
    """Return the log with another entry at `at`, hashed anew, as somebody with the code would."""
    before = Head(entries[at - 1].number, entries[at - 1].hash) if at else Head()
    forged = chained(before, replace(entries[at].deed, who="bob"))
    return [*entries[:at], forged, *entries[at + 1 :]]


def test_a_log_that_nobody_touched_is_whole():
    for count in range(4):
        assert broken(*log(count)) == ""


@pytest.mark.parametrize("at", range(4))
@pytest.mark.parametrize(
    "field", [{"who": "bob"}, {"at": 9.5}, {"via": "page"}, {"what": ()}, {"outcome": "refused"}]
)
def test_no_field_of_any_entry_can_be_changed(at, field):
    entries, head = log(4)
    entries[at] = changed(entries[at], **field)

    assert broken(entries, head) == f"entry {at + 1} was changed"


@pytest.mark.parametrize("at", range(4))
def test_no_entry_can_be_dropped(at):
    entries, head = log(4)

    assert "missing" in broken(entries[:at] + entries[at + 1 :], head)


@pytest.mark.parametrize("at", range(4))
def test_no_entry_can_be_replaced_by_one_with_a_hash_of_its_own(at):
    entries, head = log(4)

    assert broken(rewritten(entries, at), head) != ""


def test_two_entries_cannot_change_places():
    entries, head = log(4)

    assert broken([entries[0], entries[2], entries[1], entries[3]], head) != ""
