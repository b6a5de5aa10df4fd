"""
Logs without secrets: a stream of text in, the same text with `***` for each secret out.

A secret is found as it is, with line ends in it (tools wrap), escaped as in JSON or in addresses,
and in base64, wherever in the encoded text it begins.  What comes out does not depend on how the
text was cut into pieces: what may be the beginning of a secret is held back until it is known.
A pause lets the end of a line out: else the last line before it, which people wait for, would come
only after it.
"""

import base64
import json
import re
import string
from collections.abc import Iterable
from urllib.parse import quote

from crossfade.base.secrets import MASK

SHORTEST = 3
"""What is shorter is no secret: to mask it would make the log unreadable."""
_SHORTEST_ENCODED = 5
"""Of a form in base64, in characters; what is shorter is in any text."""
_ALPHABET = string.ascii_uppercase + string.ascii_lowercase + string.digits + "+/"
_SPELLINGS = {62: ("+", "-"), 63: ("/", "_")}
_LONGEST_WAY = 16
_LET_OUT = 3
"""So many characters before the end of a line are no beginning of a secret after a pause."""

Piece = tuple[str, ...]
"""Ways to write one character."""


class Mask:
    """One stream.  Secrets may be added while it runs; they count from then on."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._forms: tuple[tuple[Piece, ...], ...] = ()
        self._pattern: re.Pattern[str] | None = None
        self._first: frozenset[str] = frozenset()
        self._longest = 0
        self._held = ""
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Mask these from now on."""
        new = {each for each in secrets if len(each.strip()) >= SHORTEST} - self._known
        if not new:
            return
        self._known |= new
        forms = {form for secret in self._known for form in _forms(secret)}
        self._forms = tuple(sorted(forms, key=lambda form: (-len(form), form)))
        self._pattern = re.compile("|".join(_expression(form) for form in self._forms))
        self._first = frozenset(way[0] for form in self._forms for way in form[0])
        self._longest = max(sum(2 + max(map(len, piece)) for piece in form) for form in self._forms)

    def feed(self, text: str) -> str:
        """Return what may be shown after this text has come."""
        self._held += text
        return self._let_out(last=False)

    def pause(self) -> str:
        """
        Return what may be shown because nothing has come for a while.

        Tools that wrap a secret print all of its lines at once; and nearly every letter may begin
        some form of one in base64.
        """
        if not self._held.endswith("\n") or len(self._held.strip()) > _LET_OUT:
            return ""
        text, self._held = self._held, ""
        return text

    def finish(self) -> str:
        """Return the rest; nothing comes any more."""
        return self._let_out(last=True)

    def _let_out(self, *, last: bool) -> str:
        text, self._held = self._held, ""
        if self._pattern is None:
            return text
        shown, at = [], 0
        while at < len(text):
            found = self._pattern.search(text, at)
            doubt = len(text) if last else self._doubt(text, at)
            if found is not None and found.start() < doubt:
                shown += [text[at : found.start()], MASK]
                at = found.end()
                continue
            shown.append(text[at:doubt])
            self._held = text[doubt:]
            break
        return "".join(shown)

    def _doubt(self, text: str, start: int) -> int:
        """Return where the first thing begins that more text may make a secret."""
        for at in range(max(start, len(text) - self._longest), len(text)):
            if text[at] in self._first and any(_goes_on(form, text, at) for form in self._forms):
                return at
        return len(text)


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return the text with `***` for each secret in it."""
    mask = Mask(secrets)
    return mask.feed(text) + mask.finish()


def _forms(secret: str) -> set[tuple[Piece, ...]]:
    """Return the ways to write a secret; its lines are secrets too, as keys are printed so."""
    texts = {secret.strip(), *(line.strip() for line in secret.splitlines())}
    texts = {each for each in texts if len(each) >= SHORTEST}
    forms = {_pieces(each) for each in texts}
    for each in texts | {secret}:
        forms |= {
            form
            for form in _base64(each.encode(errors="replace"))
            if len(form) >= _SHORTEST_ENCODED
        }
    return forms


def _pieces(text: str) -> tuple[Piece, ...]:
    """Return the ways to write each character; line ends within are not needed, only allowed."""
    return tuple(_ways(each) for each in text if each not in "\r\n") or ((text,),)


def _ways(character: str) -> Piece:
    in_json = json.dumps(character)[1:-1]
    code = "".join(
        f"\\u{unit:04x}"
        for unit in memoryview(character.encode("utf-16-le", "surrogatepass")).cast("H")
    )
    ways = {
        character,
        in_json,
        json.dumps(in_json)[1:-1],
        code,
        code.upper().replace("\\U", "\\u"),
        quote(character, safe="", errors="replace"),
        quote(character, safe="", errors="replace").lower(),
        *(["\\/"] if character == "/" else ()),
        *(["+"] if character == " " else ()),
        "".join(f"%{byte:02X}" for byte in character.encode(errors="replace")),
    }
    return tuple(sorted(ways, key=lambda way: (-len(way), way)))


def _base64(value: bytes) -> Iterable[tuple[Piece, ...]]:
    """
    Yield what all base64 texts have in common that contain the value, wherever it begins.

    Characters at its ends that hold bits of its neighbours too may be one of several.
    """
    for shift in range(3):
        head, bits = shift * 8, (shift + len(value)) * 8
        encoded = base64.b64encode(b"\0" * shift + value).decode().rstrip("=")
        pieces = []
        for number, character in enumerate(encoded):
            before, after = max(0, head - number * 6), max(0, number * 6 + 6 - bits)
            if before < 6:
                pieces.append(_digits(_ALPHABET.index(character), before, after))
        yield tuple(pieces)


def _digits(digit: int, before: int, after: int) -> Piece:
    """Return the base64 digits that differ from this one in the first or last bits at most."""
    known = (0b111111 >> before) & (0b111111 << after)
    digits = (each for each in range(64) if each & known == digit & known)
    return tuple(way for each in digits for way in _SPELLINGS.get(each, (_ALPHABET[each],)))


_LINE_END = r"(?:\r?\n|\\r\\n|\\n)?"
_LINE_ENDS = ("\r\n", "\n", "\\r\\n", "\\n")


def _expression(form: tuple[Piece, ...]) -> str:
    return _LINE_END.join(f"(?:{'|'.join(re.escape(way) for way in piece)})" for piece in form)


def _goes_on(form: tuple[Piece, ...], text: str, at: int) -> bool:
    """Return whether the text from here to its end is the beginning of this form."""
    places = {at}
    for number, piece in enumerate(form):
        after: set[int] = set()
        for place in _after_line_ends(text, places) if number else places:
            rest = text[place : place + _LONGEST_WAY]
            if any(len(rest) < len(way) and way.startswith(rest) for way in piece):
                return True
            after |= {place + len(way) for way in piece if rest.startswith(way)}
        if any(
            len(text) - place < len(end) and end.startswith(text[place:])
            for place in places
            if number
            for end in _LINE_ENDS
        ):
            return True
        if not after:
            return False
        places = after
    return False


def _after_line_ends(text: str, places: set[int]) -> set[int]:
    ends = {place + len(e) for place in places for e in _LINE_ENDS if text.startswith(e, place)}
    return places | ends
