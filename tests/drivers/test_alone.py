"""Each driver works as a library, without the packages that the service needs."""

from __future__ import annotations

import subprocess
import sys

import pytest

# Refuses everything but the standard library, the package itself and what a program names.
REFUSE = """
import sys

class Refuse:
    def find_spec(self, name, path=None, target=None):
        top = name.partition(".")[0]
        if top not in sys.stdlib_module_names | {"wintun_api", *ALLOWED}:
            raise ImportError(f"{name} is refused")

sys.meta_path.insert(0, Refuse())
"""
FIRST_LINES = """
from wintun_api.drivers.wintun import PROTOTYPES, Generation, WintunDriver, open_wintun
import wintun_api.drivers.wintun.driver

assert {row.name for row in PROTOTYPES} > {"WintunCreateAdapter", "WintunSendPacket"}
driver = open_wintun(pools=["Example"])
assert isinstance(driver, WintunDriver)
assert driver.capabilities.generation == Generation.TUNNEL_TYPE
driver.unavailable_reason()
driver.close()
"""
PACKETS = """
from wintun_api.drivers.emulated.driver import emulated_driver, open_emulated
from wintun_api.drivers.emulated.library import EmulatedLibrary

driver = emulated_driver(EmulatedLibrary())
adapter = driver.create_adapter("Demo", "Example")
session = adapter.start_session(0x20000)
assert session.send_packets([bytes([0x45]) + bytes(19)]) == 1
session.end()
adapter.delete()
driver.close()
assert open_emulated("tunnel-type").capabilities.delete_driver
"""
LINUX = """
from wintun_api.drivers.linux.driver import open_linux

driver = open_linux()
driver.unavailable_reason()
driver.close()
"""
SETTINGS = """
from wintun_api.drivers import DRIVERS, open_driver

assert list(DRIVERS) == ["wintun", "linux", "emulated"]
assert not {"pydantic", "wintun_api.settings"} & set(sys.modules)
"""


def run(program: str, *allowed: str) -> subprocess.CompletedProcess[str]:
    """Run a program in a fresh interpreter that can import these packages and no others."""
    return subprocess.run(
        [sys.executable, "-c", f"ALLOWED = {allowed!r}{REFUSE}{program}"],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
    )


@pytest.mark.parametrize("program", [FIRST_LINES, PACKETS, LINUX, SETTINGS])
def test_a_driver_needs_the_standard_library_alone(program: str) -> None:
    """It is imported and opened where nothing is installed; pyroute2 only to talk to the kernel."""
    ran = run(program)
    assert (ran.returncode, ran.stderr) == (0, "")


@pytest.mark.parametrize("package", ["pydantic", "fastapi", "pyroute2"])
def test_the_check_can_fail(package: str) -> None:
    """A package that is installed is refused in these interpreters, and found if it is named."""
    assert f"{package} is refused" in run(f"import {package}").stderr
    if package == "pydantic":
        allowed = ("pydantic", "pydantic_core", "typing_extensions", "annotated_types")
        assert run("import pydantic", *allowed, "typing_inspection").returncode == 0
