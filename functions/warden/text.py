"""Text from outside, made safe to show in one line: what a reader sees is what is there, and no more than fits.

Nothing is normalised: a name is shown as it is, so that it can be copied, and compatibility forms would turn full-width
look-alikes into the very characters that products give a meaning to.
"""

import unicodedata

ELLIPSIS = "…"
HIDDEN = "\ufffd"
"""What is shown where a character was that has no look of its own: two names that differ stay two."""

_BLANK = frozenset("\u034f\u115f\u1160\u17b4\u17b5\u180b\u180c\u180d\u180f\u2800\u3164\uffa0") | {
    chr(point) for point in range(0xE0100, 0xE01F0)
}
_MARKS = frozenset({"Mn", "Me"})
_MARKS_TOGETHER = 2
"""Letters of living languages carry two marks at most; towers of them paint over the lines around."""


def clean(text: str, limit: int) -> str:
    r"""The text in one line of at most `limit` characters (1 or more), with an ellipsis where something was cut.

    White space of any kind becomes one space; control, bidirectional, zero-width, tag and other characters that can't
    be seen, and lone surrogates, become one visible sign; combining marks don't pile up. Takes time in proportion to
    the text.

    >>> clean("one\r\ntwo \u202egnp.exe", 40)
    'one two �gnp.exe'
    >>> clean("a long story", 8)
    'a long…'
    """
    shown = _visible(text, enough=limit + 1)
    return shown if len(shown) <= limit else shown[: limit - 1].rstrip() + ELLIPSIS


def clip_middle(text: str, limit: int) -> str:
    """A name or a digest, cleaned; where it is too long its middle goes, since the end says most (a tag, a file).

    >>> clip_middle("team/with/a/long/path/app:v1.2.3", 20)
    'team/wi…h/app:v1.2.3'
    """
    shown = _visible(text, enough=len(text))
    if len(shown) <= limit:
        return shown
    end = (limit - 1) * 2 // 3
    return shown[: limit - 1 - end] + ELLIPSIS + shown[len(shown) - end :]


def size(count: int) -> str:
    """Bytes for people, in decimal units as AWS bills them.

    >>> size(0), size(999), size(61_400_000_000), size(1_900_000_000_000)
    ('0 B', '999 B', '61 GB', '1.9 TB')
    """
    amount, unit = float(count), "B"
    for larger in ("kB", "MB", "GB", "TB", "PB"):
        if round(amount) < _NEXT_UNIT:
            break
        amount, unit = amount / 1000, larger
    figure = f"{amount:.1f}".removesuffix(".0") if unit != "B" and amount < _ONE_DIGIT else f"{amount:.0f}"
    return f"{figure} {unit}"


_NEXT_UNIT = 1000
_ONE_DIGIT = 9.95


def _visible(text: str, *, enough: int) -> str:
    """The text as it can be seen: all of it, or as many characters as are enough."""
    if text.isascii() and text.isprintable() and "  " not in text:
        return text
    kept: list[str] = []
    last, marks = "", 0
    for character in text:
        shown = _look(character)
        if shown == last and shown in {" ", HIDDEN}:
            continue
        marks = marks + 1 if unicodedata.category(character) in _MARKS else 0
        if shown and marks <= _MARKS_TOGETHER:
            kept.append(shown)
            last = shown
        if len(kept) == enough:
            break
    return "".join(kept)


def _look(character: str) -> str:
    if character.isspace():
        return " "
    if "\ufe00" <= character <= "\ufe0f":
        return ""  # says how the character before it is drawn, and changes nothing else
    return character if character.isprintable() and character not in _BLANK else HIDDEN
