"""What the driver needs of the system's IP Helper: an adapter's identity and settings by LUID."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from wintun_api.drivers.base import IPInterface, LinkCounters


class IpHelper(Protocol):
    """Reads and sets what Wintun leaves to the system. Calls are short; the management thread's.

    Everything by LUID raises `AdapterNotFound` when the system has no such interface.
    """

    def luid_of_alias(self, alias: str) -> int | None:
        """Return the LUID of the interface of this alias, whatever the case, or None."""

    def guid(self, luid: int) -> UUID:
        """Return the GUID that the system gave in the end."""

    def interface_index(self, luid: int) -> int:
        """Return the interface's index."""

    def alias(self, luid: int) -> str:
        """Return the name that the system's own tools show."""

    def description(self, luid: int) -> str:
        """Return the description, which Wintun makes of the pool: "<pool> Tunnel"."""

    def addresses(self, luid: int) -> tuple[IPInterface, ...]:
        """Return the unicast addresses with their prefix lengths."""

    def set_addresses(self, luid: int, addresses: Sequence[IPInterface]) -> None:
        """Make exactly these the addresses; link-local ones of the system stay."""

    def mtu(self, luid: int) -> int:
        """Return the MTU in bytes."""

    def set_mtu(self, luid: int, mtu: int) -> None:
        """Set the MTU in bytes for both families."""

    def counters(self, luid: int) -> LinkCounters:
        """Return the link counters, turned to the application's view."""
