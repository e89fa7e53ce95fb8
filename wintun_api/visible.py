"""Tell which characters of a name cannot be seen: with them, one name could pass for another."""

from __future__ import annotations

import re
import unicodedata
from typing import Final

# Characters that steer a terminal, end a line, or turn the text around them.
UNSEEN: Final = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
# Letters and symbols without a shape: the fillers of Hangul, the empty cell of Braille, the null
# notehead.
BLANK: Final = frozenset("\u115f\u1160\u3164\uffa0\u2800\U0001d159")

# U+200C and U+200D are seen by what they do to the letters around them (RFC 5892, appendix A.1 and
# A.2): after a virama of an Indic script, and between Arabic letters that would join.
VIRAMA: Final = "\u094d\u09cd\u0a4d\u0acd\u0b4d\u0bcd\u0c4d\u0ccd\u0d4d\u0dca\u1039\u17d2"
JOINS_NEXT: Final = (
    "\u0620\u0626\u0628\u062a-\u062e\u0633-\u063f\u0641-\u0647\u0649\u064a\u066e\u066f\u0678-\u0687"
    "\u069a-\u06bf\u06c1\u06c2\u06cc\u06ce\u06d0\u06d1\u06fa-\u06fc\u06ff"
)
JOINS_PREVIOUS: Final = (
    "\u0620\u0622-\u063f\u0641-\u064a\u066e\u066f\u0671-\u0673\u0675-\u06d3\u06d5\u06ee\u06ef"
    "\u06fa-\u06fc\u06ff"
)
VOWEL: Final = "\u064b-\u065f\u0670"
JOINERS: Final = (
    re.compile(f"[{VIRAMA}][\u200c\u200d](?=[^\\W\\d_])"),
    re.compile(f"[{JOINS_NEXT}][{VOWEL}]*\u200c(?=[{VOWEL}]*[{JOINS_PREVIOUS}])"),
)


def first_unseen(text: str) -> str | None:
    """Return the first character that cannot be seen, as U+202E; None if all of them can."""
    joiners = {match.end() - 1 for rule in JOINERS for match in rule.finditer(text)}
    for index, character in enumerate(text):
        if unicodedata.category(character) in UNSEEN and index not in joiners:
            return f"U+{ord(character):04X}"
    return None


def has_shape(text: str) -> bool:
    """Return whether a character of the text can be seen alone; a space or a mark cannot."""
    return any(unicodedata.category(one)[0] in "LNPSC" and one not in BLANK for one in text)


def visible(text: str) -> str:
    """Return a text that is empty or can be seen, all of it.

    Raises:
        ValueError: A character of it cannot be seen, or none has a shape of its own.
    """
    unseen = first_unseen(text)
    if unseen is not None:
        raise ValueError(f"{unseen} is a character that cannot be seen")
    if text and not has_shape(text):
        raise ValueError("it has no character that can be seen")
    return text
