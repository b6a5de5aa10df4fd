"""Which registry is meant, and what images are called there."""

import pytest

from crossfade.base.errors import InputError, NotFound
from crossfade.core.image.reference import reference
from crossfade.core.image.registries import chosen, known_registry, serving, with_registry


def known(*rows, default=""):
    found = ()
    for name, place in rows:
        found = with_registry(found, known_registry(name, place, "u"), default=name == default)
    return found


@pytest.mark.parametrize(
    ("place", "image", "full"),
    [
        ("r.example.com", "app:1", "r.example.com/app:1"),
        ("r.example.com:5000/team/x", "app:1", "r.example.com:5000/team/x/app:1"),
        ("https://r.example.com/", "a/b:1", "r.example.com/a/b:1"),
        ("r.example.com/team", "other.example.com/a:1", "other.example.com/a:1"),
    ],
)
def test_an_image_gets_address_and_prefix_unless_it_says_where_it_is(place, image, full):
    assert str(known_registry("r", place, "").full(reference(image))) == full


@pytest.mark.parametrize("place", ["", "team", "r.example.com/Team", "r.example.com/a:1", "a b.c"])
def test_what_is_no_address_is_refused(place):
    with pytest.raises(InputError):
        known_registry("r", place, "")


@pytest.mark.parametrize("name", ["", "-a", "a/b", "é", "a" * 64])
def test_what_cannot_be_a_name_is_refused(name):
    with pytest.raises(InputError, match="cannot be the name"):
        known_registry(name, "r.example.com", "")


def test_the_first_registry_is_the_default_until_another_one_is():
    rows = (("a", "a.example.com"), ("b", "b.example.com"))

    assert chosen(known(*rows), "").name == "a"
    assert chosen(known(*rows, default="b"), "").name == "b"
    assert [each.default for each in known(*rows, rows[0])] == [True, False]
    assert chosen((), "") is None


def test_a_registry_is_found_by_name_or_address_and_a_typo_is_pointed_out():
    found = known(("prod", "a.example.com"), ("b", "b.example.com"))

    assert chosen(found, "b.example.com").name == "b"
    with pytest.raises(NotFound, match=r"prdo is not known.*prod"):
        chosen(found, "prdo")


def test_of_two_registries_at_one_address_the_fitting_one_is_taken():
    found = known(("all", "a.example.com"), ("team", "a.example.com/team"), ("b", "a.example.com"))
    image = reference("a.example.com/team/app")

    assert serving(found, image).name == "team"
    assert serving(found, image, ["b"]).name == "b"
    assert serving(found, reference("a.example.com/other/app")).name in ("all", "b")
    assert serving(found, reference("c.example.com/app")) is None
    assert serving(found, reference("app")) is None


def test_two_registries_cannot_share_a_password_by_accident():
    with pytest.raises(InputError, match="registry-my-registry"):
        known(("my registry", "a.example.com"), ("My-Registry", "b.example.com"))
