"""Read from the registry which parts of Wintun are installed, without loading or starting any.

Off Windows nothing is found.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from wintun_api.drivers.windows.image import read_image

DEVICES = r"SYSTEM\CurrentControlSet\Enum\ROOT\NET"
DRIVER = r"SYSTEM\CurrentControlSet\Services\wintun"
NET_SETUP = r"SYSTEM\CurrentControlSet\Services\NetSetupSvc"
ENVIRONMENT = r"SYSTEM\CurrentControlSet\Control\Session Manager\Environment"
SERVICE_DISABLED = 4


def older_adapters(key: str = DEVICES) -> list[str]:
    """Return the adapters of 0.8 to 0.13, which a 0.14 library deletes when it is loaded.

    They are those root-enumerated network devices whose hardware id is "Wintun" (wintun:
    AdapterCleanupLegacyDevices). Named as the Device Manager names them, with their instance.
    """
    found = []
    for instance in _subkeys(key):
        device = f"{key}\\{instance}"
        ids = _value(device, "HardwareID")
        if isinstance(ids, list) and any(str(one).lower() == "wintun" for one in ids):
            name = _value(device, "FriendlyName") or _value(device, "DeviceDesc") or "Wintun"
            # An indirect string: "@oem1.inf,%wintun%;WireGuard Tunnel".
            found.append(f"{str(name).rpartition(';')[2]} (ROOT\\NET\\{instance})")
    return found


def driver_version(key: str = DRIVER) -> str | None:
    """Return the version of the installed kernel driver; None when there is none to read."""
    image = _value(key, "ImagePath")
    if not isinstance(image, str):
        return None
    try:
        return read_image(driver_file(image, os.environ.get("SYSTEMROOT", r"C:\Windows"))).version
    except (OSError, ValueError):
        return None


def driver_file(image: str, windows: str) -> Path:
    """Return the file in a kernel driver's ImagePath, which has special forms."""
    path = image.strip('"').removeprefix("\\??\\")
    for prefix in ("\\systemroot\\", "%systemroot%\\"):
        if path.lower().startswith(prefix):
            return Path(windows + "\\" + path[len(prefix) :])
    return Path(path if path[1:2] == ":" else f"{windows}\\{path}")


def net_setup_disabled(key: str = NET_SETUP) -> bool | None:
    """Return whether NetSetupSvc, which new adapters need, is disabled; None if missing."""
    start = _value(key, "Start")
    return None if start is None else start == SERVICE_DISABLED


def native_machine(key: str = ENVIRONMENT) -> str | None:
    """Return the computer's machine type, also in an emulated process."""
    machine = _value(key, "PROCESSOR_ARCHITECTURE")
    return machine.lower() if isinstance(machine, str) else None


def _subkeys(key: str) -> list[str]:
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
                count = winreg.QueryInfoKey(opened)[0]
                return [winreg.EnumKey(opened, index) for index in range(count)]
        except OSError:
            return []
    else:
        return []


def _value(key: str, name: str) -> object:
    if sys.platform == "win32":
        import winreg

        try:
            with winreg.OpenKey(winreg.HKEY_LOCAL_MACHINE, key) as opened:
                value: object = winreg.QueryValueEx(opened, name)[0]
                return value
        except OSError:
            return None
    else:
        return None
