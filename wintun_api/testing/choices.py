"""The drivers that tests choose from."""

from __future__ import annotations

from enum import StrEnum


class TunDriver(StrEnum):
    """Name what the fixtures run on.

    `emulated`: a machine in memory with hosts that answer; it needs no rights. `linux`: TUN devices
    of this machine; it needs root or CAP_NET_ADMIN. `rootless`: TUN devices in a user and network
    namespace, which need no rights on the machine. `wintun`: adapters of Windows; it needs an
    elevated process and wintun.dll.
    """

    EMULATED = "emulated"
    LINUX = "linux"
    ROOTLESS = "rootless"
    WINTUN = "wintun"

    @property
    def has_programs(self) -> bool:
        """Whether programs can run on the hosts' side."""
        return self is not TunDriver.EMULATED

    @property
    def is_machine_wide(self) -> bool:
        """Whether adapters belong to the machine, and can be left on it."""
        return self in (TunDriver.LINUX, TunDriver.WINTUN)
