"""Define what the driver needs from the system's IP Helper: identity and settings by LUID."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol
from uuid import UUID

from wintun_api.drivers.base import IPAddress, IPInterface, LinkCounters, Route, Watcher


class IpHelper(Protocol):
    """Read and set what Wintun leaves to the system. Calls are short; management thread only.

    Every method with a LUID raises `AdapterNotFound` if the system does not have the interface.
    """

    @property
    def has_dns(self) -> bool:
        """Whether `dns` and `set_dns` work; since Windows 10 2004, or 19041."""

    @property
    def has_rename(self) -> bool:
        """Whether `rename` works."""

    def luid_of_alias(self, alias: str) -> int | None:
        """Return the LUID of the interface with this alias, ignoring case, or None."""

    def guid(self, luid: int) -> UUID:
        """Return the GUID that the system assigned."""

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
        """Return the IP versions that are bound to the interface: 4, 6."""

    def description(self, luid: int) -> str:
        """Return the description, which Wintun derives from the pool: "<pool> Tunnel"."""

    def running(self, luid: int) -> bool:
        """Return whether the interface is operational: Wintun connects it to a session."""

    def addresses(self, luid: int) -> tuple[IPInterface, ...]:
        """Return the unicast addresses with their prefix lengths."""

    def set_addresses(self, luid: int, addresses: Sequence[IPInterface]) -> None:
        """Replace the addresses with these; link-local ones of the system stay."""

    def mtu(self, luid: int) -> int | None:
        """Return the MTU in bytes; None while IP is not bound to the interface yet."""

    def set_mtu(self, luid: int, mtu: int) -> None:
        """Set the MTU in bytes for both families."""

    def metric(self, luid: int) -> int | None:
        """Return the metric; None if the system chooses it."""

    def set_metric(self, luid: int, metric: int | None) -> None:
        """Set the metric for both families; None lets the system choose."""

    def routes(self, luid: int) -> tuple[Route, ...]:
        """Return the routes that were set, without those that the system added."""

    def set_routes(self, luid: int, routes: Sequence[Route]) -> None:
        """Replace the routes with these; those that the system added stay."""

    def dns(self, luid: int) -> tuple[tuple[IPAddress, ...], tuple[str, ...]]:
        """Return DNS servers, IPv4 before IPv6, and search domains; none without `has_dns`."""

    def set_dns(self, luid: int, servers: Sequence[IPAddress], search: Sequence[str]) -> None:
        """Replace the DNS servers and search domains with these.

        Raises:
            NotSupported: `has_dns` is False.
        """

    def counters(self, luid: int) -> LinkCounters:
        """Return the link counters as seen from the application."""

    def watch(self, watcher: Watcher | None) -> None:
        """Call `watcher` on any thread after addresses, routes or interfaces have changed.

        None stops the calls. Changes of DNS settings are not reported. Never raises.
        """
