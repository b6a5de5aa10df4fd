"""Logs in which tools print secrets, in every form and cut in every way, and what leaks of them."""

import base64
import json
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from random import Random
from urllib.parse import quote, quote_plus

from crossfade.core.pipeline.masking import Mask

LINES = 50
"""Of one log."""
_ALPHABETS = (
    "0123456789abcdef",
    string.ascii_letters + string.digits,
    string.ascii_letters + string.digits + "+/=",
    string.ascii_letters + "\"\\/<>&'%$ ",
    string.ascii_letters + "äöü€😀",
)
_NOISE = "~#|;!?\t "
"""Nothing of it is in a form of a secret, so that whatever is left of one shows itself."""
_LEAKED = 9
"""So many characters of a secret side by side are too many."""


@dataclass(frozen=True, slots=True)
class Log:
    """What was printed, what of it came out, and what must not be in it."""

    printed: str
    shown: str
    leaks: tuple[str, ...]


def secret(random: Random) -> str:
    """Return a token, a password, or a key of several lines."""
    letters = random.choice(_ALPHABETS)
    line = "".join(random.choices(letters, k=random.randint(_LEAKED + 1, 40))).strip()
    line = line.replace(" ", "_") if len(line) <= _LEAKED else line
    if random.random() < 0.2:
        more = ("".join(random.choices(_ALPHABETS[2], k=24)) for _ in range(3))
        return "\n".join([line, *more])
    return line


def _in_base64(text: str, random: Random) -> str:
    before = bytes(random.choices(range(256), k=random.randrange(7)))
    after = bytes(random.choices(range(256), k=random.randrange(7)))
    whole = before + text.encode() + after
    encode = random.choice((base64.b64encode, base64.urlsafe_b64encode))
    return encode(whole).decode()


_FORMS: tuple[Callable[[str, Random], str], ...] = (
    lambda text, _: text,
    lambda text, _: json.dumps(text),
    lambda text, _: json.dumps(text, ensure_ascii=False),
    lambda text, _: json.dumps(json.dumps({"token": text})),
    lambda text, _: quote(text, safe=""),
    lambda text, _: quote_plus(text),
    lambda text, _: f"https://user:{quote(text)}@example.com/",
    _in_base64,
)


def log(random: Random) -> Log:
    """Return one log; how it came in pieces, with pauses, is by chance too."""
    secrets = [secret(random) for _ in range(random.randint(1, 3))]
    mask, printed, shown = Mask(secrets), [], []
    for _ in range(LINES):
        noise = "".join(random.choices(_NOISE, k=random.randrange(12)))
        text = random.choice(_FORMS)(random.choice(secrets), random)
        if random.random() < 0.3 and "%" not in text and "\\" not in text:  # nobody cuts those
            text = _wrapped(text, random.randint(4, 76))
        line = f"{noise}{text}{noise}\n"
        printed.append(line)
        shown += [mask.feed(each) for each in _pieces(line, random)]
        if random.random() < 0.1:
            shown.append(mask.pause())
    shown.append(mask.finish())
    whole = "".join(shown)
    return Log("".join(printed), whole, tuple(_leaks(secrets, whole)))


def _wrapped(text: str, width: int) -> str:
    return "\n".join(text[at : at + width] for at in range(0, len(text), width))


def _pieces(line: str, random: Random) -> Iterator[str]:
    if random.random() < 0.05:
        yield from line  # one by one
        return
    cuts = sorted(random.randrange(len(line) + 1) for _ in range(random.randrange(4)))
    yield from (line[a:b] for a, b in zip([0, *cuts], [*cuts, len(line)], strict=True))


def _leaks(secrets: list[str], shown: str) -> Iterator[str]:
    """Yield pieces of secrets that can still be read, with line ends taken out."""
    flat = shown.replace("\r", "").replace("\n", "")
    for each in secrets:
        for line in each.splitlines():
            yield from (form for form in _readable(line) if form in flat)


def _readable(line: str) -> Iterator[str]:
    """Yield what would give enough of the line away, as it would stand in the log."""
    for at in range(len(line) - _LEAKED + 1):
        piece = line[at : at + _LEAKED]
        yield from (piece, json.dumps(piece)[1:-1], quote(piece, safe=""))
    for shift in range(3):
        encoded = base64.b64encode(b"\0" * shift + line.encode()).decode().rstrip("=")
        inner = encoded[shift + 1 : -1]
        yield from (inner[at : at + 12] for at in range(len(inner) - 11))
        changed = inner.replace("+", "-").replace("/", "_")
        yield from (changed[at : at + 12] for at in range(len(changed) - 11))
