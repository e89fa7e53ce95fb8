"""What people paste, pipe or write into files, without what came along with it.

White space, line ends and byte order marks around a token, a number, a GUID or a name mean nothing
to the person who gave them, and are easily picked up on the way. Quotation marks are not removed:
they may be meant.
"""

from __future__ import annotations

import codecs
from typing import Any

# What Python calls white space, and marks that are not seen: of byte order, and of no width.
_AROUND = "".join(char for char in map(chr, range(0x3001)) if char.isspace()) + "\ufeff\u200b"
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def trimmed(text: str) -> str:
    """Return the text without white space and byte order marks around it."""
    return text.strip(_AROUND)


def trimmed_values(value: Any) -> Any:
    """Return a text trimmed, and a list or an object with its texts trimmed; the rest as it is."""
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

    PowerShell writes UTF-16 with a byte order mark; without one it is UTF-8.

    Raises:
        UnicodeDecodeError: It is not text.
    """
    return trimmed(content.decode("utf-16" if content.startswith(_UTF16) else "utf-8"))
