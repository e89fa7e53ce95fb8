from __future__ import annotations

import time
from uuid import UUID, uuid4

import pytest

from wintun_api.drivers.base import LogLevel, LogLine
from wintun_api.drivers.emulated.devices import EmulatedDevices
from wintun_api.drivers.emulated.driver import emulated_driver
from wintun_api.drivers.emulated.ip_helper import EmulatedIpHelper
from wintun_api.drivers.emulated.library import EmulatedLibrary
from wintun_api.drivers.emulated.machine import Machine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.adapter import WintunAdapter
from wintun_api.drivers.wintun.driver import WintunDriver
from wintun_api.errors import (
    AccessDenied,
    AdapterExists,
    AdapterNotFound,
    DriverError,
    DriverInUse,
    NotSupported,
    SessionEnded,
)

pool_only = pytest.mark.parametrize("generation", [Generation.POOL], indirect=True)
tunnel_type_only = pytest.mark.parametrize("generation", [Generation.TUNNEL_TYPE], indirect=True)


def test_importing_and_opening_calls_nothing(library: EmulatedLibrary) -> None:
    """A new driver has not touched its library."""
    library.fail_next("WintunGetRunningDriverVersion", 5)
    driver = emulated_driver(library)
    driver.close()
    assert driver.capabilities.generation == library.generation
    assert library.open_handles() == (0, 0)
    with pytest.raises(AccessDenied):
        driver.running_driver_version()


def test_running_driver_version(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """Before the first adapter no driver is loaded; then it is the library's, 16 bits each."""
    assert wintun.running_driver_version() is None
    wintun.create_adapter("Demo", "Example")
    minor = 13 if library.generation is Generation.POOL else 14
    assert wintun.running_driver_version() == (0, minor)


def test_unknown_driver_version(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """A driver without a version (777) is none that can be told."""
    library.fail_next("WintunGetRunningDriverVersion", 777)
    assert wintun.running_driver_version() is None


def test_newer_driver_stays(library: EmulatedLibrary, wintun: WintunDriver) -> None:
    """The version is the driver's, not the library's: a newer one is kept."""
    library.machine.driver_version = (0, 15)
    wintun.create_adapter("Demo", "Example")
    assert wintun.running_driver_version() == (0, 15)


@pytest.mark.parametrize("code", [0, 5, 87, 4319, 0x80070005])
def test_create_fails(wintun: WintunDriver, library: EmulatedLibrary, code: int) -> None:
    """NULL is a failure whatever the last error says, and carries the log of the call."""
    library.log_next("WintunOpenAdapter", "an older line")
    with pytest.raises(AdapterNotFound):
        wintun.open_adapter("Nothing", "Example")
    library.fail_next("WintunCreateAdapter", code)
    with pytest.raises(DriverError) as caught:
        wintun.create_adapter("Demo", "Example")
    assert caught.value.code == code
    (line,) = caught.value.log
    assert f"0x{code:08X}" in line
    assert wintun.adapters() == []


@pool_only
def test_pool_lines_begin_with_the_function(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """The pool generation's lines begin with the function's name."""
    library.fail_next("WintunCreateAdapter", 5)
    with pytest.raises(AccessDenied) as caught:
        wintun.create_adapter("Demo", "Example")
    assert caught.value.log[0].startswith("WintunCreateAdapter: ")


@pool_only
def test_reboot_required(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """The reboot flags of creating, deleting and deleting a pool are passed on."""
    library.machine.reboot_required = True
    adapter = wintun.create_adapter("Demo", "Example")
    assert adapter.reboot_required
    assert adapter.delete()
    assert wintun.delete_pool("Example")


def test_name_of_another_interface(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """A name that no Wintun adapter has is refused too: Wintun would rename its owner."""
    ethernet = library.machine.add_interface("Ethernet")
    with pytest.raises(AdapterExists) as caught:
        wintun.create_adapter("ETHERNET", "Example")
    assert (caught.value.name, caught.value.failed) == ("ETHERNET", None)
    assert ethernet.name == "Ethernet"


def test_name_taken_without_ip_helper(library: EmulatedLibrary) -> None:
    """Without an IP Helper the own adapters and the known pools are looked at."""
    driver = WintunDriver(library)
    adapter = driver.create_adapter("Demo", "Example")
    with pytest.raises(AdapterExists):
        driver.create_adapter("demo", "Other")
    adapter.delete()
    driver.close()


@pool_only
def test_enumeration_denied(library: EmulatedLibrary) -> None:
    """Old releases let no administrator enumerate; creating works all the same."""
    driver = WintunDriver(library)
    library.fail_next("WintunEnumAdapters", 5)
    driver.create_adapter("Demo", "Example").delete()
    driver.close()


def test_guid_without_ip_helper(library: EmulatedLibrary) -> None:
    """Without an IP Helper the driver requests a GUID itself, so that it is known."""
    driver = WintunDriver(library)
    adapter = driver.create_adapter("Demo", "Example")
    assert library.machine.device("Demo").guid == adapter.info().guid
    assert not driver.capabilities.network_settings
    with pytest.raises(NotSupported):
        adapter.set_mtu(1420)
    with pytest.raises(NotSupported):
        adapter.set_addresses([])
    assert adapter.info().mtu is None
    assert adapter.counters().sent_packets == 0
    adapter.delete()
    driver.close()


def test_guid_is_read_back(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """A GUID is a request: what the system gave in the end is what counts."""
    adapter = wintun.create_adapter("Demo", "Example", uuid4())
    given = UUID(int=7)
    library.machine.device("Demo").guid = given
    assert adapter.info().guid == given


@pool_only
def test_longer_name_is_not_taken(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """0.9 to 0.12 open "Net 10" when asked for "Net"; the driver does not."""
    library.machine.loose_open = True
    wintun.create_adapter("Net 10", "Example")
    with pytest.raises(AdapterNotFound):
        wintun.open_adapter("Net", "Example")
    assert library.open_handles() == (1, 0)


@pool_only
def test_other_programs_pool(library: EmulatedLibrary, wintun: WintunDriver) -> None:
    """A pool is seen once it has been used, with the adapters of every program."""
    other = emulated_driver(EmulatedLibrary(Generation.POOL, library.machine))
    info = other.create_adapter("Theirs", "WireGuard").info()
    assert wintun.adapters() == []
    assert wintun.adapters("WireGuard") == [info]
    assert wintun.adapters() == [info]


@pool_only
def test_pools_from_settings(library: EmulatedLibrary) -> None:
    """Pools named beforehand are listed from the start."""
    WintunDriver(library).create_adapter("Demo", "Example")
    driver = emulated_driver(library, pools=("Example",))
    assert [info.name for info in driver.adapters()] == ["Demo"]


@pool_only
def test_service_restart_persistent(library: EmulatedLibrary, adapter: WintunAdapter) -> None:
    """A persistent adapter outlives its program, with its addresses."""
    info = adapter.info()
    library.exit_process()
    again = emulated_driver(EmulatedLibrary(Generation.POOL, library.machine))
    assert again.adapters("Example") == [info]
    again.open_adapter("Demo", "Example").delete()


@tunnel_type_only
def test_service_restart_tunnel_type(library: EmulatedLibrary, adapter: WintunAdapter) -> None:
    """In the tunnel-type generation an adapter goes with the program that created it."""
    library.exit_process()
    again = emulated_driver(EmulatedLibrary(Generation.TUNNEL_TYPE, library.machine))
    with pytest.raises(AdapterNotFound):
        again.open_adapter("Demo", "Example")


@tunnel_type_only
def test_an_alias_that_another_program_changed(wintun: WintunDriver) -> None:
    """Every handle has the alias that was read last; Wintun's own name is kept beside it."""
    adapter = wintun.create_adapter("Demo", "Example")
    adapter.set_name("Home")
    assert wintun.ip_helper is not None
    wintun.ip_helper.rename(adapter.luid, "Office")
    opened = wintun.open_adapter("Office", "Example")
    assert opened.name() == adapter.name() == "Office"
    assert opened.info().wintun_name == "Demo"
    with pytest.raises(AdapterNotFound):
        wintun.open_adapter("Home", "Example")
    opened.close()
    adapter.set_name("Demo")
    adapter.delete()
    again = wintun.create_adapter("Demo", "Example")
    assert (again.name(), again.info().wintun_name) == ("Demo", "")


@tunnel_type_only
def test_opener_cannot_delete(wintun: WintunDriver, adapter: WintunAdapter) -> None:
    """Only the creating handle removes the adapter; another one keeps its handle and says so."""
    opened = wintun.open_adapter("Demo", "Example")
    with pytest.raises(NotSupported):
        opened.delete()
    opened.close()
    assert adapter.info().name == "Demo"


@tunnel_type_only
def test_delete_driver_in_use(wintun: WintunDriver, adapter: WintunAdapter) -> None:
    """The driver stays while an adapter uses it; the SetupAPI number is kept unsigned."""
    with pytest.raises(DriverInUse) as caught:
        wintun.delete_driver()
    assert caught.value.code == 0xE000023D
    adapter.delete()
    assert wintun.delete_driver() is False


@pool_only
def test_delete_pool_removes_the_driver(wintun: WintunDriver) -> None:
    """With the last pool the driver goes."""
    wintun.create_adapter("Demo", "Example")
    wintun.delete_pool("Example")
    assert wintun.running_driver_version() is None


def test_removed_by_another_program(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """An adapter that somebody else removed is not found, and its handle can be closed."""
    adapter = wintun.create_adapter("Demo", "Example")
    session = adapter.start_session(0x20000)
    library.machine.remove("Demo")
    with pytest.raises(AdapterNotFound):
        adapter.info()
    with pytest.raises(AdapterNotFound):
        adapter.start_session(0x20000)
    with pytest.raises(SessionEnded):
        session.receive_packets(1)
    assert wintun.adapters() == []
    session.end()
    adapter.delete()
    assert library.open_handles() == (0, 0)


@pool_only
def test_removed_during_enumeration(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """An adapter that goes while the list is made is left out of it."""
    wintun.create_adapter("One", "Example")
    wintun.create_adapter("Two", "Example")
    library.fail_next("WintunGetAdapterName", 2)
    assert [info.name for info in wintun.adapters()] == ["Two"]


@pool_only
def test_failure_during_enumeration(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """Another failure in the callback is raised by the call that enumerates."""
    wintun.create_adapter("One", "Example")
    library.fail_next("WintunGetAdapterName", 31)
    with pytest.raises(DriverError) as caught:
        wintun.adapters()
    assert caught.value.code == 31


@pool_only
def test_failed_deletion_keeps_the_handle(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """A deletion that failed can be tried again."""
    adapter = wintun.create_adapter("Demo", "Example")
    library.fail_next("WintunDeleteAdapter", 5)
    with pytest.raises(AccessDenied):
        adapter.delete()
    assert adapter.delete() is False


@pool_only
@pytest.mark.parametrize("force", [False, True])
def test_force(wintun: WintunDriver, library: EmulatedLibrary, force: bool) -> None:
    """A session of another program delays the removal until a reboot unless it is forced."""
    adapter = wintun.create_adapter("Demo", "Example")
    theirs = emulated_driver(EmulatedLibrary(Generation.POOL, library.machine))
    other = theirs.open_adapter("Demo", "Example")
    session = other.start_session(0x20000)
    assert adapter.delete(force=force) is not force
    if force:
        with pytest.raises(SessionEnded):
            session.receive_packets(1)
    else:
        assert session.receive_packets(1) == []
    session.end()
    with pytest.raises(AdapterNotFound):
        other.info()


def test_handles_are_given_back(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """Creating, opening, listing and failing leave no handle behind."""
    adapter = wintun.create_adapter("Demo", "Example")
    for _ in range(3):
        wintun.open_adapter("Demo", "Example").close()
        with pytest.raises(AdapterNotFound):
            wintun.open_adapter("Demo", "Other")
        wintun.adapters()
    assert library.open_handles() == (1, 0)
    adapter.close()
    assert library.open_handles() == (0, 0)


def test_logger_lines(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """Lines arrive with level, time and text, also between calls, until the logger is unset."""
    lines: list[LogLine] = []
    wintun.set_logger(lines.append)
    library.log_next("WintunCreateAdapter", "installing \U0001f30d", LogLevel.WARN)
    wintun.create_adapter("Demo", "Example")
    library.log("later, on a thread of its own")
    assert [line.level for line in lines] == [LogLevel.WARN, LogLevel.INFO]
    assert lines[0].message.endswith("installing \U0001f30d")
    assert abs(lines[0].time_ns - time.time_ns()) < 5e9
    wintun.set_logger(None)
    library.log("nobody listens")
    assert len(lines) == 2


def test_closed_driver_unsets_the_logger(library: EmulatedLibrary) -> None:
    """After `close` the library has no callback any more, whatever is called later."""
    driver = emulated_driver(library)
    lines: list[LogLine] = []
    driver.set_logger(lines.append)
    adapter = driver.create_adapter("Demo", "Example")
    driver.close()
    library.log("after the end")
    adapter.delete()
    library.log("after the end")
    assert lines == []


def test_adapter_names_in_two_machines() -> None:
    """Two machines know nothing of each other."""
    for machine in (Machine(), Machine()):
        driver = emulated_driver(EmulatedLibrary(Generation.POOL, machine))
        assert driver.create_adapter("Demo", "Example").info().name == "Demo"


def test_failure_without_a_number(library: EmulatedLibrary, wintun: WintunDriver) -> None:
    """A call that fails without an error number does not get that of an earlier one."""
    library.fail_next("WintunGetRunningDriverVersion", 2)
    assert wintun.running_driver_version() is None
    assert library.last_error() == 2
    library.fail_next("WintunCreateAdapter", 0)
    with pytest.raises(DriverError) as caught:
        wintun.create_adapter("Demo", "Example")
    assert caught.value.code == 0


@pytest.mark.parametrize("code", [2, 777, 0x80070002, 0x80070309])
def test_no_driver_in_whatever_form(
    wintun: WintunDriver, library: EmulatedLibrary, code: int
) -> None:
    """A driver that is not loaded is no failure, as a code or as an HRESULT."""
    library.fail_next("WintunGetRunningDriverVersion", code)
    assert wintun.running_driver_version() is None


class Forgetful(EmulatedIpHelper):
    """An IP Helper that does not know some interface for a while."""

    forgets = False

    def guid(self, luid: int) -> UUID:
        if self.forgets:
            raise AdapterNotFound.from_call("ConvertInterfaceLuidToGuid", 2)
        return super().guid(luid)


@pytest.mark.parametrize("known", ["no device manager", "device manager"])
def test_an_interface_that_is_not_known(library: EmulatedLibrary, known: str) -> None:
    """It is listed as unavailable, with or without a device manager, and its handle is kept."""
    helper = Forgetful(library.machine)
    devices = EmulatedDevices(library.machine) if known == "device manager" else None
    driver = WintunDriver(library, helper, devices=devices)
    adapter = driver.create_adapter("Demo", "Example")
    before = adapter.info()
    helper.forgets = True
    (listed,) = driver.adapters()
    assert (listed.guid, listed.name, listed.pool) == (before.guid, "Demo", "Example")
    assert listed.unavailable
    assert adapter.info() == listed
    assert "does not show the adapter" in adapter.end_reason()
    helper.forgets = False
    assert driver.adapters() == [before]
    assert library.open_handles() == (1, 0)
    adapter.delete()
    assert driver.adapters() == []
    driver.close()


@pool_only
def test_a_disabled_adapter_of_another_program(
    library: EmulatedLibrary, wintun: WintunDriver
) -> None:
    """One that no handle is held of stays in the list too, once it has been seen."""
    theirs = emulated_driver(EmulatedLibrary(Generation.POOL, library.machine))
    theirs.create_adapter("Theirs", "Example")
    assert [one.unavailable for one in wintun.adapters("Example")] == [""]
    library.machine.disable("Theirs")
    assert [bool(one.unavailable) for one in wintun.adapters("Example")] == [True]
    library.machine.remove("Theirs")
    assert wintun.adapters("Example") == []


def test_readings_are_forgotten(wintun: WintunDriver, library: EmulatedLibrary) -> None:
    """Adapters that come and go leave nothing behind."""
    for number in range(20):
        adapter = wintun.create_adapter(f"A{number}", "Example")
        adapter.info()
        wintun.adapters()
        adapter.delete()
    wintun.adapters()
    assert len(wintun.readings) == 0
