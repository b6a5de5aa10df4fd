"""
A piece of a log as those read it who decode it, with the place of each character in the piece.

Line ends are left out of all views, as tools wrap what they print.
"""

import re
from bisect import bisect_right
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

_ENDS = re.compile(r"[\r\n]+")
_HEX = "[0-9a-fA-F]"
_HIGH, _LOW = rf"\\u[dD][89abAB]{_HEX}{{2}}", rf"\\u[dD][c-fC-F]{_HEX}{{2}}"
_JSON = re.compile(
    rf"(?P<begun>(?:{_HIGH})?\\(?:u{_HEX}{{0,3}})?\Z|{_HIGH}\Z)"
    rf"|{_HIGH}{_LOW}|\\u{_HEX}{{4}}|\\[^u]"
)
_LETTERS = {"b": "\b", "f": "\f", "t": "\t", '"': '"', "\\": "\\", "/": "/", "n": "", "r": ""}
_ADDRESS = re.compile(rf"(?:%{_HEX}{{2}})+|\+")
_ADDRESS_BEGUN = re.compile(rf"%{_HEX}?\Z")
_BASE64 = str.maketrans("-_", "+/")

Part = tuple[int, int, str]
"""From where to where, and what stands there for those who decode it."""


@dataclass(frozen=True, slots=True)
class View:
    """Text, and where each character of it begins in the piece; one place more is its end."""

    text: str
    places: list[int]
    ends: list[int]
    """Where each character ends in the piece."""
    begun: int
    """Where an escape begins that is not whole yet; the end of the piece when there is none."""

    def before(self, place: int) -> int:
        """Return the place itself where a character begins, else that of the one it is in."""
        return self.places[max(bisect_right(self.places, place) - 1, 0)]


def views(piece: str, *, last: bool) -> tuple[View, ...]:
    """Return the ways to read a piece; `last`: nothing more comes, no escape is under way."""
    end = len(piece)
    ends = ((found.start(), found.end(), "") for found in _ENDS.finditer(piece))
    whole = View(piece, list(range(end + 1)), list(range(1, end + 1)), end)
    found = [_decoded(whole, ends, None)]
    for _ in range(2):  # JSON, and JSON in JSON
        if "\\" not in found[-1].text:
            break
        found.append(_from_json(found[-1], last=last))
    decoded = tuple(found)
    for view in decoded:
        if "%" in view.text:
            found.append(_from_address(view, last=last, spaces=False))
        if "+" in view.text:
            found.append(_from_address(view, last=last, spaces=True))
    for_addresses = (view for view in decoded if "-" in view.text or "_" in view.text)
    found += (replace(view, text=view.text.translate(_BASE64)) for view in for_addresses)
    return tuple(found)


def _decoded(view: View, parts: Iterable[Part], begun: int | None) -> View:
    """Return the view with the parts decoded, up to the escape that may have begun."""
    texts: list[str] = []
    places: list[int] = []
    ends: list[int] = []
    at = 0
    for start, end, text in parts:
        texts += [view.text[at:start], text]
        places += view.places[at:start]
        places += [view.places[start]] * len(text)
        ends += view.ends[at:start]
        ends += [view.ends[end - 1]] * len(text)
        at = end
    stop = len(view.text) if begun is None else begun
    texts.append(view.text[at:stop])
    places += view.places[at : stop + 1]
    ends += view.ends[at:stop]
    under_way = view.begun if begun is None else view.places[begun]
    return View("".join(texts), places, ends, under_way)


def _from_json(view: View, *, last: bool) -> View:
    parts: list[Part] = []
    for found in _JSON.finditer(view.text):
        escape = found[0]
        if found["begun"] is not None:
            if last:
                break
            return _decoded(view, parts, found.start())
        if escape[1] == "u":
            units = bytes.fromhex(escape.replace("\\u", ""))
            letter = units.decode("utf-16-be", "surrogatepass")
            parts.append((found.start(), found.end(), letter.strip("\r\n")))
        elif escape[1] in _LETTERS:
            parts.append((found.start(), found.end(), _LETTERS[escape[1]]))
    return _decoded(view, parts, None)


def _from_address(view: View, *, last: bool, spaces: bool) -> View:
    """Return the view as a part of an address is read, or of a form, where `+` is a space."""
    text = view.text
    cut = None if last else _ADDRESS_BEGUN.search(text)
    stop = len(text) if cut is None else cut.start()
    begun = None if cut is None else stop
    parts: list[Part] = []
    for found in _ADDRESS.finditer(text, 0, stop):
        if found[0] == "+":
            parts += [(found.start(), found.end(), " ")] if spaces else []
            continue
        for start, end, letter in _letters(found[0], found.start()):
            if letter is not None:
                parts.append((start, end, letter.strip("\r\n")))
            elif end == stop and not last:
                begun = start  # the rest of the letter may come
    return _decoded(view, parts, begun)


def _letters(run: str, at: int) -> Iterator[tuple[int, int, str | None]]:
    """Yield the letters of a run of encoded bytes; None for bytes that are none."""
    data = bytes.fromhex(run.replace("%", ""))
    place = 0
    while place < len(data):
        size = _size(data[place])
        start, end = at + 3 * place, at + 3 * min(place + size, len(data))
        try:
            yield start, end, data[place : place + size].decode()
        except UnicodeDecodeError:
            if place + size <= len(data):  # no letter: only its first byte is passed over
                size, end = 1, start + 3
            yield start, end, None
        place += size


def _size(first: int) -> int:
    """Return how many bytes the letter has that begins so."""
    if first < 0xC0:
        return 1
    return 2 if first < 0xE0 else 3 if first < 0xF0 else 4
