"""The state file of the emulated driver: private, believed only when it is ours, or as it was."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Callable
from ipaddress import ip_interface, ip_network
from pathlib import Path
from uuid import UUID

import pytest

from tests.disk import fill, mounts, remount
from tests.posix import chown, mkfifo
from wintun_api.drivers.base import Adapter, Route
from wintun_api.drivers.emulated.driver import open_emulated
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.errors import DriverError, InvalidArgument

pytestmark = mounts
ONE = {
    "guid": str(UUID(int=5)),
    "name": "One",
    "pool": "Example",
    "mtu": 1420,
    "addresses": ["10.6.7.7/24"],
}


def content(*adapters: object) -> str:
    return json.dumps({"version": 1, "adapters": adapters})


def foreign(path: Path) -> None:
    path.write_text(content(ONE))
    chown(path, 65534, 65534)


def writable(path: Path) -> None:
    path.write_text(content(ONE))
    path.chmod(0o666)


def link(path: Path) -> None:
    (path.parent / "target").write_text(content(ONE))
    path.symlink_to("target")


def dangling(path: Path) -> None:
    path.symlink_to("nowhere")


def fifo(path: Path) -> None:
    mkfifo(path)


def directory(path: Path) -> None:
    path.mkdir()


def large(path: Path) -> None:
    with path.open("wb") as file:
        file.truncate(1 << 40)


def open_directory(path: Path) -> None:
    path.write_text(content(ONE))
    path.parent.chmod(0o777)


@pytest.mark.parametrize(
    "spoil", [foreign, writable, link, dangling, fifo, directory, large, open_directory]
)
def test_refused(tmp_path: Path, spoil: Callable[[Path], None]) -> None:
    """What another user may have written, or what is not a file, is a sentence at the start."""
    path = tmp_path / "state.json"
    spoil(path)
    with pytest.raises(InvalidArgument) as refused:
        open_emulated(state=path)
    assert str(tmp_path) in str(refused.value)
    assert refused.value.hint


@pytest.mark.parametrize(
    "change",
    [
        {"mtu": "1420"},
        {"mtu": True},
        {"mtu": 1},
        {"mtu": 1.5},
        {"mtu": None},
        {"name": 5},
        {"name": "\ud800"},
        {"pool": ""},
        {"pool": "a/b"},
        {"guid": "x"},
        {"guid": 5},
        {"metric": -1},
        {"addresses": [1]},
        {"addresses": 5},
        {"routes": [["10.0.0.0/8", None]]},
        {"routes": [["10.0.0.0/8", None, "1"]]},
        {"dns": ["nowhere"]},
        {"dns_search": [1]},
    ],
)
def test_values_that_no_adapter_has(tmp_path: Path, change: dict[str, object]) -> None:
    """A file that this driver did not write is refused, whatever is wrong in it."""
    path = tmp_path / "state.json"
    path.write_text(content({**ONE, **change}))
    with pytest.raises(InvalidArgument, match="is not a state file of the emulated driver"):
        open_emulated(state=path)


@pytest.mark.parametrize("text", ["[" * 100_000, content(ONE, ONE), content([]), content(5)])
def test_shapes(tmp_path: Path, text: str) -> None:
    """So are too deep a file, the same adapter twice and other shapes."""
    path = tmp_path / "state.json"
    path.write_text(text)
    with pytest.raises(InvalidArgument):
        open_emulated(state=path)


def test_private(tmp_path: Path) -> None:
    """File and directory are their owner's alone, and a link put beside them leads nowhere."""
    path, victim = tmp_path / "deep" / "state.json", tmp_path / "victim"
    path.parent.mkdir(mode=0o700)
    victim.write_text("mine")
    (path.parent / "state.json.new").symlink_to(victim)
    before = os.umask(0)
    try:
        open_emulated(state=path).create_adapter("One", "Example")
        open_emulated(state=tmp_path / "made" / "state.json").create_adapter("One", "Example")
    finally:
        os.umask(before)
    assert victim.read_text() == "mine"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE((tmp_path / "made").stat().st_mode) == 0o700


def test_an_evicted_long_name_can_be_read_again(tmp_path: Path) -> None:
    """The longest name, of which another adapter took the place, is read with its number."""
    path = tmp_path / "state.json"
    driver = open_emulated(state=path, pools=("Example",))
    driver.create_adapter("n" * 127, "Example")
    assert isinstance(driver.library, EmulatedLibrary)
    driver.library.machine.create("n" * 127, "Example", None, persistent=True)
    names = [one.name for one in open_emulated(state=path).adapters()]
    assert sorted(names) == ["n" * 125 + " 1", "n" * 127]


CHANGES: dict[str, Callable[[Adapter], object]] = {
    "WintunSetAdapterName": lambda one: one.set_name("Two"),
    "SetIpInterfaceEntry": lambda one: one.set_mtu(1300),
    "CreateUnicastIpAddressEntry": lambda one: one.set_addresses([ip_interface("10.9.9.9/24")]),
    "CreateIpForwardEntry2": lambda one: one.set_routes(
        [Route(destination=ip_network("10.0.0.0/8"), next_hop=None, metric=1)]
    ),
    "SetInterfaceDnsSettings": lambda one: one.set_dns([], ["example.com"]),
    "WintunDeleteAdapter": lambda one: one.delete(),
}


@pytest.mark.parametrize("function", CHANGES)
@pytest.mark.parametrize("code", [112, 19])
def test_a_change_that_cannot_be_written(small_disk: Path, function: str, code: int) -> None:
    """It fails by Windows' number for the cause, is not made, and can be made later."""
    path = small_disk / "state.json"
    driver = open_emulated(state=path, pools=("Example",))
    adapter = driver.create_adapter("One", "Example")
    before = adapter.info()
    filler = fill(small_disk)
    if code == 19:
        remount(small_disk, "ro")
    with pytest.raises(DriverError) as failed:
        CHANGES[function](adapter)
    assert (failed.value.function, failed.value.code) == (function, code)
    assert adapter.info() == before
    assert open_emulated(state=path).adapters() == [before]
    remount(small_disk, "rw")
    filler.unlink()
    assert sorted(one.name for one in small_disk.iterdir()) == ["state.json"]
    CHANGES[function](adapter)
    assert open_emulated(state=path).adapters() == driver.adapters() != [before]


def test_a_pool_goes_whole_or_not_at_all(small_disk: Path) -> None:
    """A full disk keeps every adapter of a pool, and the name that a new one would have taken."""
    path = small_disk / "state.json"
    driver = open_emulated(state=path, pools=("Example",))
    for name in ("One", "Two"):
        driver.create_adapter(name, "Example")
    fill(small_disk)
    with pytest.raises(DriverError, match="The disk is full"):
        driver.delete_pool("Example")
    with pytest.raises(DriverError, match="The disk is full"):
        driver.create_adapter("Three", "Example")
    assert {one.name for one in driver.adapters()} == {"One", "Two"}


def test_a_directory_that_became_a_file(tmp_path: Path) -> None:
    """Where the directory of the file was, a change is refused, and is not "no such adapter"."""
    path = tmp_path / "deep" / "state.json"
    adapter = open_emulated(state=path).create_adapter("One", "Example")
    path.unlink()
    path.parent.rmdir()
    path.parent.write_text("")
    with pytest.raises(DriverError) as failed:
        adapter.set_name("Two")
    assert failed.value.code == 267
    assert adapter.info().name == "One"
