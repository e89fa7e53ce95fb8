"""The lines that Wireshark reads: a word, and fields in braces."""

from __future__ import annotations

from typing import Final

# No field can have these: braces end fields, and ends of lines end sentences.
_UNWRITABLE: Final = {ord("{"): "(", ord("}"): ")"}
# On Windows the name of an interface is in a command line, in which these mean something. Others
# that do cannot be in the name of an adapter.
_SPECIAL: Final = frozenset("%!^&")


def sentence(word: str, **fields: object) -> str:
    """Return one line, such as `dlt {number=101}{name=RAW}`."""
    return f"{word} " + "".join(f"{{{name}={_text(value)}}}" for name, value in fields.items())


def can_name(text: str) -> bool:
    """Return whether a text can name an interface: it reaches Wireshark and returns unchanged."""
    plain = bool(text) and text == text.strip() and _SPECIAL.isdisjoint(text)
    return plain and _text(text) == text


def _text(value: object) -> str:
    text = str(value).translate(_UNWRITABLE)
    return "".join(one if one.isprintable() else " " for one in text)
