from __future__ import annotations

import pytest

from wintun_api import limits as numbers
from wintun_api.drivers import limits
from wintun_api.errors import InvalidArgument


def test_constants() -> None:
    """The numbers are those of wintun.h and ipexport.h."""
    assert (numbers.MAX_POOL, numbers.MAX_ADAPTER_NAME) == (256, 128)
    assert (numbers.MIN_RING_CAPACITY, numbers.MAX_RING_CAPACITY) == (0x20000, 0x4000000)
    assert numbers.MAX_PACKET == numbers.MAX_MTU == 0xFFFF


@pytest.mark.parametrize("power", range(17, 27))
def test_capacity(power: int) -> None:
    """Every power of two from 128 KiB to 64 MiB is a capacity."""
    assert limits.check_capacity(1 << power) == 1 << power


@pytest.mark.parametrize("capacity", [-0x20000, 0, 1, 0x10000, 0x1FFFF, 0x20004, 0x8000000])
def test_no_capacity(capacity: int) -> None:
    """Nothing else is."""
    with pytest.raises(InvalidArgument) as caught:
        limits.check_capacity(capacity)
    assert caught.value.field == "capacity"


def test_name_counts_utf16() -> None:
    """A character beyond the BMP counts as two units."""
    assert limits.check_name("\U0001f30d" * 63 + "a")
    with pytest.raises(InvalidArgument, match="128 UTF-16 units"):
        limits.check_name("\U0001f30d" * 64)


def test_pool_length() -> None:
    """A pool has up to 255 units."""
    assert limits.check_pool("p" * 255)
    with pytest.raises(InvalidArgument) as caught:
        limits.check_pool("p" * 256)
    assert caught.value.field == "pool"


@pytest.mark.parametrize("name", ["", "  ", "a\0", "a\n", "\x7f", "\x85", "\ud800", *'\\/:*?"<>|'])
def test_no_name(name: str) -> None:
    """What Windows or ctypes would not take whole is no name."""
    with pytest.raises(InvalidArgument):
        limits.check_name(name)


@pytest.mark.parametrize(
    "name",
    [
        "a\u202eb",
        "a\u200bb",
        "a\u200db",
        "\ufeffa",
        "a\u2028",
        "a\u2066b",
        "a\xad",
        "\u3164",
        "\u0301",
    ],
)
def test_no_new_name(name: str) -> None:
    """A new name has no character that cannot be seen; one that is there is found by it."""
    assert limits.check_name(name) == name
    assert limits.check_pool(name) == name
    for check in (limits.check_new_name, limits.check_new_pool):
        with pytest.raises(InvalidArgument, match="be seen"):
            check(name)


@pytest.mark.parametrize("name", ["OfficeNet", "Büro-Netz", "網路", "شبكة", "Net \U0001f30d"])
def test_new_names_of_every_script(name: str) -> None:
    """Letters of every script, and emoji, can be seen."""
    assert limits.check_new_name(name) == limits.check_new_pool(name) == name


@pytest.mark.parametrize("mtu", [576, 1280, 1420, 65535])
def test_mtu(mtu: int) -> None:
    """An MTU has 576 to 65535 bytes."""
    assert limits.check_mtu(mtu) == mtu


@pytest.mark.parametrize("mtu", [0, 575, 65536])
def test_no_mtu(mtu: int) -> None:
    """Nothing else is an MTU."""
    with pytest.raises(InvalidArgument):
        limits.check_mtu(mtu)


def test_tunnel_type_length() -> None:
    """Wintun 0.14 takes 128 units, of which a character beyond the BMP has two."""
    limit = limits.MAX_POOLS["tunnel-type"]
    assert limits.check_pool("p" * 128, limit)
    assert limits.check_pool("\U0001f30d" * 64, limit)
    for pool in ("p" * 129, "\U0001f30d" * 64 + "p"):
        with pytest.raises(
            InvalidArgument, match=r"129 UTF-16 units; 128 is .* Wintun 0\.14"
        ) as caught:
            limits.check_pool(pool, limit)
        assert "counts as two units" in caught.value.hint
