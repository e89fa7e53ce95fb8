"""Clean text that people paste, pipe or write into files.

White space, line ends and byte order marks around a token, a number, a GUID or a name are easily
copied along and have no meaning, so they are removed. Quotation marks are kept, because they may
be intended.
"""

from __future__ import annotations

import codecs
from typing import Any

# White space as Python defines it, and invisible marks: byte order marks and zero-width characters.
_AROUND = "".join(char for char in map(chr, range(0x3001)) if char.isspace()) + "\ufeff\u200b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def trimmed(text: str) -> str:
    """Return the text without white space and byte order marks around it."""
    return text.strip(_AROUND)


def trimmed_values(value: Any) -> Any:
    """Return a value with every text in it trimmed, also in lists and objects."""
    match value:
        case str():
            return trimmed(value)
        case list():
            return [trimmed(one) if isinstance(one, str) else one for one in value]
        case dict():
            return {name: trimmed_values(one) for name, one in value.items()}
        case _:
            return value


def text_of(content: bytes) -> str:
    """Return the text of a small file, trimmed.

    PowerShell writes UTF-16 with a byte order mark; text without one is read as UTF-8.

    Raises:
        UnicodeDecodeError: The content is not text.
    """
    return trimmed(content.decode("utf-16" if content.startswith(_UTF16) else "utf-8"))
