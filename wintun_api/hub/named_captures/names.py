"""Name the files of a capture, as a client saves them."""

from __future__ import annotations

import re
import time
import unicodedata
from typing import Final

from wintun_api.hub.named_captures.view import CaptureView, FileView
from wintun_api.moments import NS_PER_SECOND

LONGEST: Final = 200  # bytes of the name of a capture in the name of a file; a file may have 255


def stem(name: str) -> str:
    """Return what the names of all files of a capture begin with; `end` is the rest.

    It has the letters and digits of every script, and the signs that every file system takes.
    """
    words = unicodedata.normalize("NFC", name)
    kept = "".join(one if _stays(one) else "_" for one in words)
    return _cut(_trimmed(kept)) or "capture"


def end(file: FileView) -> str:
    """Return what the name of a file ends with: its number and when it was begun."""
    begun = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(file.begun_ns // NS_PER_SECOND))
    return f"-{file.number:05}-{begun}.pcapng"


def plain_name(view: CaptureView, file: FileView) -> str:
    """Return a name of ASCII for a client that takes no other, which has the id of the capture."""
    letters = unicodedata.normalize("NFKD", view.definition.name)  # of an umlaut, its letter
    bare = "".join(one for one in letters if not unicodedata.combining(one))
    kept = re.sub(r"[^A-Za-z0-9.-]+", "_", bare)
    return f"{_trimmed(kept) or 'capture'}-{view.id}{end(file)}"


def _stays(character: str) -> bool:
    """Return whether it is a letter, a digit, or a mark, such as a vowel of an Indian script."""
    return character in ".-" or unicodedata.category(character)[0] in "LNM"


def _trimmed(words: str) -> str:
    return re.sub(r"_+", "_", words).strip("._-")


def _cut(words: str) -> str:
    return words.encode()[:LONGEST].decode(errors="ignore")
