"""hub.named_captures.names: how the files of a capture are called when they are downloaded."""

from __future__ import annotations

import pytest

from wintun_api.choices import CaptureState
from wintun_api.hub.named_captures.definition import Definition
from wintun_api.hub.named_captures.names import end, plain_name, stem
from wintun_api.hub.named_captures.view import CaptureView, FileView

FILE = FileView(number=7, begun_ns=1_700_000_000_000_000_000)
END = "-00007-20231114T221320Z.pcapng"


@pytest.mark.parametrize(
    ("name", "saved"),
    [
        ("office", "office"),
        ("of the  office/2", "of_the_office_2"),
        ("会議室", "会議室"),
        ("हिन्दी", "हिन्दी"),
        ("u\u0308ber", "\u00fcber"),
        ("..\\..", "capture"),
        ("🙂", "capture"),
        ("a" * 64, "a" * 64),
    ],
)
def test_letters_stay(name: str, saved: str) -> None:
    """Letters and digits of every script stay; of other signs there is a line in their place."""
    assert stem(name) + end(FILE) == saved + END


@pytest.mark.parametrize("letter", ["\u00fc", "会", "𐍈"])
def test_a_name_that_a_disk_takes(letter: str) -> None:
    """It has at most 255 bytes, without half a letter at the end."""
    begins = stem(letter * 64)
    assert len((begins + end(FILE)).encode()) <= 255
    assert set(begins) == {letter}


@pytest.mark.parametrize(
    ("name", "saved"), [("会議室", "capture"), ("\u00fcber 会", "uber"), ("office", "office")]
)
def test_a_name_of_ascii(name: str, saved: str) -> None:
    """For programs that take nothing else, it has the id, so that two captures differ."""
    view = CaptureView(
        id="c0ffee12ab34",
        definition=Definition(name=name),
        created_by="test",
        created_ns=0,
        state=CaptureState.STOPPED,
    )
    assert plain_name(view, FILE) == f"{saved}-c0ffee12ab34{END}"
