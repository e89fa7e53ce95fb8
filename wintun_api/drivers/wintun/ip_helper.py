"""What the driver needs of the system's IP Helper: an adapter's identity and settings by LUID."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from wintun_api.drivers.base import IPAddress, IPInterface, LinkCounters, Route, Watcher


class IpHelper(Protocol):
    """Reads and sets what Wintun leaves to the system. Calls are short; the management thread's.

    Everything by LUID raises `AdapterNotFound` when the system has no such interface.
    """

    @property
    def has_dns(self) -> bool:
        """Whether `dns` and `set_dns` work; since Windows 10 2004, or 19041."""

    @property
    def has_rename(self) -> bool:
        """Whether `rename` works."""

    def luid_of_alias(self, alias: str) -> int | None:
        """Return the LUID of the interface of this alias, whatever the case, or None."""

    def guid(self, luid: int) -> UUID:
        """Return the GUID that the system gave in the end."""

    def interface_index(self, luid: int) -> int:
        """Return the interface's index."""

    def alias(self, luid: int) -> str:
        """Return the name that the system's own tools show."""

    def rename(self, luid: int, alias: str) -> None:
        """Give the interface another alias.

        Raises:
            AdapterExists: Another interface has it.
            NotSupported: `has_rename` is False.
        """

    def interfaces(self) -> list[tuple[int, str]]:
        """Return LUID and description of every interface of the machine."""

    def families(self, luid: int) -> tuple[int, ...]:
        """Return the versions of IP that are bound to the interface: 4, 6."""

    def description(self, luid: int) -> str:
        """Return the description, which Wintun makes of the pool: "<pool> Tunnel"."""

    def addresses(self, luid: int) -> tuple[IPInterface, ...]:
        """Return the unicast addresses with their prefix lengths."""

    def set_addresses(self, luid: int, addresses: Sequence[IPInterface]) -> None:
        """Make exactly these the addresses; link-local ones of the system stay."""

    def mtu(self, luid: int) -> int | None:
        """Return the MTU in bytes; None while IP is not bound to the interface yet."""

    def set_mtu(self, luid: int, mtu: int) -> None:
        """Set the MTU in bytes for both families."""

    def metric(self, luid: int) -> int | None:
        """Return the metric, None where the system chooses it."""

    def set_metric(self, luid: int, metric: int | None) -> None:
        """Set the metric for both families; None lets the system choose."""

    def routes(self, luid: int) -> tuple[Route, ...]:
        """Return the routes that somebody set; none that the system made."""

    def set_routes(self, luid: int, routes: Sequence[Route]) -> None:
        """Make exactly these the routes; those that the system made stay."""

    def dns(self, luid: int) -> tuple[tuple[IPAddress, ...], tuple[str, ...]]:
        """Return DNS servers, IPv4 before IPv6, and search domains; none without `has_dns`."""

    def set_dns(self, luid: int, servers: Sequence[IPAddress], search: Sequence[str]) -> None:
        """Make exactly these the DNS servers and search domains.

        Raises:
            NotSupported: `has_dns` is False.
        """

    def counters(self, luid: int) -> LinkCounters:
        """Return the link counters, turned to the application's view."""

    def watch(self, watcher: Watcher | None) -> None:
        """Call `watcher` on any thread after addresses, routes or interfaces have changed.

        None calls nobody any more. Changes of DNS settings are not told. Never raises.
        """
