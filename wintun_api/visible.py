"""Tell which characters of a name cannot be seen: with them, one name could pass for another."""

from __future__ import annotations

import unicodedata
from typing import Final

# Characters that steer a terminal, end a line, or turn the text around them.
UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Letters and symbols without a shape: the fillers of Hangul, the empty cell of Braille, the null
# notehead.
BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")


def first_unseen(text: str) -> str | None:
    """Return the first character that cannot be seen, as U+202E; None if all of them can."""
    for character in text:
        if unicodedata.category(character) in UNSEEN:
            return f"U+{ord(character):04X}"
    return None


def has_shape(text: str) -> bool:
    """Return whether a character of the text can be seen alone; a space or a mark cannot."""
    return any(unicodedata.category(one)[0] in "LNPSC" and one not in BLANK for one in text)
