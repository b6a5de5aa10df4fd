"""
Logs without secrets: a stream of text in, the same text with `***` for each secret out.

A secret is found as it is, with line ends in it (tools wrap), escaped as in JSON or in addresses,
and in base64, wherever in the encoded text it begins.  The text is decoded in every way that tools
encode it, and searched for the secrets as they are: that costs little also for hundreds of lines of
keys.  What comes out does not depend on how the text was cut into pieces: what may be the beginning
of a secret is held back until it is known.  A pause lets the end of a line out: else the last line
before it, which people wait for, would come only after it.
"""

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from crossfade.base.secrets import MASK
from crossfade.core.pipeline.log_views import View, views

SHORTEST = 3
"""What is shorter is no secret: to mask it would make the log unreadable."""
_SHORTEST_ENCODED = 4
"""Of a form in base64, in characters; what is shorter is in any text."""
_LET_OUT = 3
"""So many characters before the end of a line are no beginning of a secret after a pause."""
_ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_BEGINNING = 4
"""So many characters of a form are looked for at once, shorter beginnings at the very end."""


@dataclass(frozen=True, slots=True)
class _Form:
    """One way in which a secret may stand in decoded text."""

    text: str
    after: str = ""
    """Characters of which one may come after it and belongs to it; "" when none does."""


class Mask:
    """One stream.  Secrets may be added while it runs; they count from then on."""

    def __init__(self, secrets: Iterable[str] = ()) -> None:
        self._known: set[str] = set()
        self._forms: tuple[_Form, ...] = ()
        self._begin: tuple[frozenset[str], ...] = ()
        self._held = ""
        self.add(secrets)

    def add(self, secrets: Iterable[str]) -> None:
        """Mask these from now on."""
        new = {each for each in secrets if len(each.strip()) >= SHORTEST} - self._known
        if not new:
            return
        self._known |= new
        found = dict.fromkeys(form for secret in sorted(self._known) for form in _forms(secret))
        self._forms = tuple(found)
        self._begin = tuple(
            frozenset(form.text[:count] for form in self._forms if len(form.text) > count)
            for count in range(1, _BEGINNING)
        )

    def feed(self, text: str) -> str:
        """Return what may be shown after this text has come."""
        self._held += text
        return self._let_out(last=False)

    def pause(self) -> str:
        """
        Return what may be shown because nothing has come for a while.

        Tools that wrap a secret print all of its lines at once; and many a letter begins some
        form of one in base64.
        """
        if not self._held.endswith("\n") or len(self._held.strip()) > _LET_OUT:
            return ""
        text, self._held = self._held, ""
        return text

    def finish(self) -> str:
        """Return the rest; nothing comes any more."""
        return self._let_out(last=True)

    def whole(self, text: str) -> str:
        """Return a text of its own with `***` for each secret in it; for between two streams."""
        return self.feed(text) + self.finish()

    def _let_out(self, *, last: bool) -> str:
        text, self._held = self._held, ""
        if not self._forms or not text:
            return text
        seen = views(text, last=last)
        spans = _merged(span for view in seen for span in self._spans(view))
        until = len(text) if last else self._certain(seen, spans, len(text))
        shown, at = [], 0
        for start, end in spans:
            if start >= until:
                break
            shown += [text[at:start], MASK]
            at = end
        shown.append(text[at:until])
        self._held = text[until:]
        return "".join(shown)

    def _spans(self, view: View) -> Iterator[tuple[int, int]]:
        """Yield where secrets stand, as places of the piece."""
        text = view.text
        for form in self._forms:
            at = text.find(form.text)
            while at >= 0:
                end = at + len(form.text)
                if form.after and text[end : end + 1] and text[end] in form.after:
                    end += 1
                yield view.places[at], view.ends[end - 1]
                at = text.find(form.text, end)

    def _certain(self, seen: Iterable[View], spans: list[tuple[int, int]], end: int) -> int:
        """Return up to where more text changes nothing, and no escape or secret is cut."""
        until = min((self._doubt(view, end) for view in seen), default=end)
        before = end + 1
        while until < before:
            before = until
            until = min((view.before(until) for view in seen), default=until)
            until = min((s for s, e in spans if s < until < e), default=until)
        return until

    def _doubt(self, view: View, end: int) -> int:
        """Return the first place from which more text may make a secret of what is there."""
        text, found = view.text, view.begun
        size = len(text)
        for count, beginnings in enumerate(self._begin, 1):
            if size >= count and text[size - count :] in beginnings:
                found = min(found, view.places[size - count])
        for form in self._forms:
            beginning, whole = form.text[:_BEGINNING], form.text
            at = text.find(beginning, max(0, size - len(whole)))
            while at >= 0:
                rest = size - at
                if rest < len(whole) + bool(form.after) and whole.startswith(text[at:]):
                    found = min(found, view.places[at])
                    break
                at = text.find(beginning, at + 1)
        return found


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Return the spans in their order; those that overlap are one."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if found and start < found[-1][1]:
            found[-1] = (found[-1][0], max(end, found[-1][1]))
        else:
            found.append((start, end))
    return found


def masked(text: str, secrets: Iterable[str]) -> str:
    """Return the text with `***` for each secret in it."""
    return Mask(secrets).whole(text)


def _forms(secret: str) -> Iterator[_Form]:
    """Yield the ways to write a secret; its lines are secrets too, as keys are printed so."""
    texts = [secret.strip(), *(line.strip() for line in secret.splitlines())]
    texts = [each for each in dict.fromkeys(texts) if len(each) >= SHORTEST]
    for each in texts:
        yield _Form(each.replace("\r", "").replace("\n", ""))
    for each in dict.fromkeys([*texts, secret]):
        yield from _base64(each.encode(errors="replace"))


def _base64(value: bytes) -> Iterator[_Form]:
    """
    Yield what all base64 texts have in common that contain the value, wherever it begins.

    A character before it that also holds bits of what comes before is no part: it tells no more
    than half of a byte.  Of the one after it, the first bits are known.
    """
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + value).decode().rstrip("=")
        bits = (shift + len(value)) * 8
        inner = encoded[-(-shift * 8 // 6) : bits // 6]
        spare = bits % 6
        after = ""
        if spare:
            first = _ALPHABET.index(encoded[bits // 6]) >> (6 - spare)
            after = _ALPHABET[first << (6 - spare) : (first + 1) << (6 - spare)]
        if len(inner) >= _SHORTEST_ENCODED:
            yield _Form(inner, after)
