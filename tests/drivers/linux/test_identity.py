"""drivers.linux.identity: the alias that makes a device ours, and names of devices."""

from __future__ import annotations

import random
import re
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from wintun_api.drivers.limits import FORBIDDEN_CHARACTERS
from wintun_api.drivers.linux.identity import (
    MAX_ALIAS,
    Identity,
    identify,
    kernel_name,
    luid_of,
    parse_alias,
    parse_marks,
)
from wintun_api.errors import InvalidArgument

GUID = UUID("deadbabe-cafe-beef-0123-456789abcdef")
TEXTS = st.text(
    st.characters(categories=("L", "N", "P", "S", "Zs"), exclude_characters=FORBIDDEN_CHARACTERS),
    min_size=1,
    max_size=40,
).filter(lambda text: not text.isspace())


def test_alias() -> None:
    """The alias is the prefix with its version, GUID, pool and name."""
    identity = Identity(GUID, "Example", "Demo One")
    assert identity.alias() == f"wintun-api/1/{GUID}/Example/Demo One"


@given(st.uuids(), TEXTS, TEXTS)
def test_alias_round_trip(guid: UUID, pool: str, name: str) -> None:
    """What fits into an alias comes back from it."""
    identity = Identity(guid, pool, name)
    try:
        alias = identity.alias()
    except InvalidArgument:
        assert len((pool + name).encode()) > 203
        return
    assert len(alias.encode()) <= MAX_ALIAS
    assert parse_alias(alias) == identity


def test_alias_too_long() -> None:
    """The refusal says how many bytes there are and how many fit."""
    assert Identity(GUID, "p" * 100, "n" * 103).alias()
    with pytest.raises(InvalidArgument, match=r"204 bytes .* limit on Linux is 203") as refusal:
        Identity(GUID, "p" * 100, "n" * 104).alias()
    assert refusal.value.field == "name"


@pytest.mark.parametrize(
    "alias",
    [
        None,
        b"\xff",
        "",
        "uplink to the office",
        f"wintun-api/2/{GUID}/Example/Demo",
        f"wintun-api/1/{GUID}/Example",
        f"wintun-api/1/{GUID}/Example/Demo/more",
        f"wintun-api/1/{GUID}//Demo",
        f"wintun-api/1/{GUID}/Example/De:mo",
        f"wintun-api/1/{str(GUID).upper()}/Example/Demo",
        "wintun-api/1/no guid/Example/Demo",
        f"wintun-api/1/{GUID}/Example/{'n' * 197}",
    ],
)
def test_foreign_aliases(alias: object) -> None:
    """What is not ours, or not whole, is nobody's adapter."""
    assert parse_alias(alias) is None


@given(st.uuids(), TEXTS, TEXTS, st.randoms())
def test_marks_round_trip(guid: UUID, pool: str, name: str, order: random.Random) -> None:
    """What fits into an alias fits into alternative names, and comes back whatever their order."""
    identity = Identity(guid, pool, name)
    try:
        identity.alias()
    except InvalidArgument:
        return
    marks = list(identity.marks())
    assert len(marks) <= 4
    assert all(len(mark) <= 127 and re.fullmatch(r"[a-zA-Z0-9_.-]+", mark) for mark in marks)
    order.shuffle(marks)
    assert parse_marks(["theirs", *marks, "wt0"]) == identity
    for missing in marks:
        assert parse_marks([mark for mark in marks if mark != missing]) is None


@pytest.mark.parametrize(
    "altnames",
    [
        [],
        ["uplink"],
        ["wintun-api-1-"],
        [f"wintun-api-1-{GUID}"],
        [f"wintun-api-1-{GUID}-"],
        [f"wintun-api-1-{GUID}-0."],
        [f"wintun-api-1-{GUID}-0.!!!!"],
        [f"wintun-api-1-{GUID}-0.RXhhbXBsZQ"],
        [f"wintun-api-1-{GUID}-1.RXhhbXBsZS9EZW1v"],
        [f"wintun-api-1-{GUID}-0-RXhhbXBsZS9EZW1v"],
        [f"wintun-api-1-{str(GUID).upper()}-0.RXhhbXBsZS9EZW1v"],
        [f"wintun-api-1-{'x' * 36}-0.RXhhbXBsZS9EZW1v"],
    ],
)
def test_foreign_altnames(altnames: list[str]) -> None:
    """Alternative names that are not whole say nothing."""
    assert parse_marks(altnames) is None


def test_which_says_what() -> None:
    """Alternative names say which adapter it is, an alias of the same one what it is called."""
    one, renamed = Identity(GUID, "Example", "One"), Identity(GUID, "Example", "Two")
    other = Identity(UUID(int=7), "Example", "Three")
    assert identify("uplink", one.marks()) == one
    assert identify("", one.marks()) == one
    assert identify(None, one.marks()) == one
    assert identify(b"\xff", one.marks()) == one
    assert identify(other.alias(), one.marks()) == one
    assert identify(renamed.alias(), one.marks()) == renamed
    assert identify(one.alias(), ["theirs"]) == one
    assert identify("uplink", ["theirs"]) is None


@pytest.mark.parametrize("name", ["demo", "wg-office_1.2", "fifteen-bytes-x", "Büro"])
def test_name_is_the_kernel_name(name: str) -> None:
    """A name that the kernel takes is asked for."""
    assert kernel_name(name) == name


@pytest.mark.parametrize(
    "name", ["sixteen-bytes-xx", "Demo One", "a%d", ".", "..", "all", "default", "à", "a\u00a0b"]
)
def test_names_that_are_not_kernel_names(name: str) -> None:
    """Any other gets a pattern; à has a byte that the kernel takes for a space."""
    assert kernel_name(name) == "wt%d"


def test_luid() -> None:
    """A LUID is built as Windows builds it: type 53, index, reserved bits zero."""
    assert luid_of(7) == 0x0035_0000_0700_0000
