from __future__ import annotations

from ipaddress import ip_interface
from pathlib import Path
from uuid import UUID, uuid4

import pytest

from wintun_api.drivers.emulated.driver import open_emulated
from wintun_api.drivers.emulated.faults import CallFailed
from wintun_api.drivers.emulated.machine import Machine, luid_of
from wintun_api.errors import InvalidArgument


@pytest.fixture
def machine() -> Machine:
    return Machine()


def test_luid() -> None:
    """The type is 53 in bits 48..63, the index in bits 24..47, the rest is zero."""
    luid = luid_of(0x8001)
    assert (luid >> 48, luid >> 24 & 0xFFFFFF, luid & 0xFFFFFF) == (53, 0x8001, 0)


def test_evicted(machine: Machine) -> None:
    """Who has a wanted name is renamed, even a network card; numbers go on from 1."""
    ethernet = machine.add_interface("Ethernet")
    first = machine.create("ethernet", "Example", None, persistent=True)
    second = machine.create("Ethernet", "Example", None, persistent=True)
    assert (ethernet.name, first.name, second.name) == ("ethernet 1", "Ethernet 2", "Ethernet")


def test_rename_to_other_case(machine: Machine) -> None:
    """A device may change the case of its own name."""
    device = machine.create("demo", "Example", None, persistent=True)
    machine.rename(device, "Demo")
    assert device.name == "Demo"


def test_guid_in_use(machine: Machine) -> None:
    """A GUID in use is refused with 183."""
    guid = uuid4()
    machine.create("One", "Example", guid, persistent=True)
    with pytest.raises(CallFailed) as caught:
        machine.create("Two", "Example", guid, persistent=True)
    assert caught.value.code == 183


def test_identities_differ(machine: Machine) -> None:
    """LUIDs, indexes and GUIDs are not used again on one machine."""
    devices = []
    for _ in range(5):
        device = machine.create("Demo", "Example", None, persistent=True)
        machine.remove(device)
        devices.append(device)
    for attribute in ("luid", "index", "guid"):
        assert len({getattr(one, attribute) for one in devices}) == 5


def test_no_route(machine: Machine) -> None:
    """The host sends only into subnets it has."""
    machine.create("Demo", "Example", None, persistent=True)
    with pytest.raises(ValueError, match="no route"):
        machine.host_sends("Demo", "10.6.7.8")


def test_state_file(tmp_path: Path) -> None:
    """Adapters of the pool generation come back from the file as they were."""
    state = tmp_path / "deep" / "state.json"
    driver = open_emulated(state=state, pools=("Büro",))
    adapter = driver.create_adapter("Netz \U0001f30d", "Büro", UUID(int=5))
    adapter.set_addresses([ip_interface("10.6.7.7/24"), ip_interface("fd06::7/64")])
    adapter.set_mtu(1420)
    adapter.set_name("Netz 2")
    info = adapter.info()
    (again,) = open_emulated(state=state).adapters()
    assert again == info
    assert open_emulated(state=state).running_driver_version() == (0, 13)
    adapter.delete()
    assert open_emulated(state=state).adapters() == []


def test_state_file_without_persistence(tmp_path: Path) -> None:
    """Adapters of the tunnel-type generation are not kept."""
    open_emulated("tunnel-type", state=tmp_path / "state.json").create_adapter("Demo", "Example")
    assert '"adapters": []' in (tmp_path / "state.json").read_text()


@pytest.mark.parametrize("content", ["", "[]", "{}", '{"version": 2, "adapters": []}', "\xff"])
def test_bad_state_file(tmp_path: Path, content: str) -> None:
    """A file that is none of ours is refused and left alone."""
    path = tmp_path / "state.json"
    path.write_bytes(content.encode("latin-1"))
    with pytest.raises(InvalidArgument) as caught:
        open_emulated(state=path)
    assert caught.value.field == "emulated_state"
    assert path.read_bytes() == content.encode("latin-1")
