"""What strangers write: read if it is small and right, and nothing otherwise."""

from __future__ import annotations

import pytest

from wintun_api.fleet.documents import MAX_NUMBER, Document, Number, Word, document_of


class Note(Document):
    word: Word
    number: Number = 0


def test_a_document() -> None:
    """What fits is read; members that are not known are left out."""
    data = b'{"word": "one", "number": 18446744073709551615, "later": [1]}'
    assert document_of(Note, data, len(data)) == Note(word="one", number=MAX_NUMBER)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"null",
        b"[]",
        b"{}",
        b'{"word": "\xff"}',
        b'{"word": "' + b"x" * 129 + b'"}',
        b'{"word": "one", "number": -1}',
        b'{"word": "one", "number": 18446744073709551616}',
        b'{"word": "one", "number": "1"}',
        b'{"word": ' + b"[" * 900,
    ],
)
def test_what_is_not_one(data: bytes) -> None:
    """Anything else is None, and raises nothing."""
    assert document_of(Note, data, 1000) is None


def test_a_document_has_a_largest_size() -> None:
    """One byte more than the limit is not read."""
    data = b'{"word": "one"}'
    assert document_of(Note, data, len(data)) is not None
    assert document_of(Note, data, len(data) - 1) is None
