"""An adapter for one test, with the addresses of both ends of its network."""

from __future__ import annotations

import os
import subprocess
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager
from ipaddress import IPv4Address, IPv4Interface, IPv6Address, IPv6Interface, ip_interface
from typing import TYPE_CHECKING, Any, overload
from uuid import UUID

from wintun_api.client import ProblemError
from wintun_api.packet import build
from wintun_api.testing.process import NotPossible, ServiceProcess
from wintun_api.testing.subnets import Subnet, neighbour

if TYPE_CHECKING:
    from wintun_api.client import AdapterHandle, AsyncAdapterHandle, SessionHandle
    from wintun_api.schemas.adapters import Adapter

ECHO = 7  # the port of the echo protocol (RFC 862)


class AdapterSubnet:
    """The subnets of an adapter, by the first address that it has of each version of IP."""

    def __init__(self, v4: IPv4Interface | None, v6: IPv6Interface | None) -> None:
        self._v4 = v4
        self._v6 = v6

    @property
    def v4(self) -> IPv4Interface:
        """The address of IPv4, with the prefix length.

        Raises:
            NotPossible: The adapter has none.
        """
        if self._v4 is None:
            raise NotPossible("The adapter has no address of IPv4. Give it one in `addresses`.")
        return self._v4

    @property
    def v6(self) -> IPv6Interface:
        """The address of IPv6, with the prefix length. Link-local ones do not count.

        Raises:
            NotPossible: The adapter has none, as on a system without IPv6.
        """
        if self._v6 is None:
            raise NotPossible(
                "The adapter has no address of IPv6. Either it was not given one in `addresses`, "
                "or this system does not have IPv6."
            )
        return self._v6

    @property
    def has_v6(self) -> bool:
        """Whether there is an address of IPv6."""
        return self._v6 is not None


class TunAdapter:
    """An adapter, its subnet, and both ends of it. The fixture `tun_adapter` gives it.

    The host has the adapter and the address `host`. A program that has the session of the adapter
    is the network behind it, and answers for the other addresses of the subnet; `peer` is one.

    Attributes:
        service: The service that has it.
        handle: Its handle, which can change it and start its session.
        guid: Its GUID.
    """

    def __init__(self, service: ServiceProcess, handle: AdapterHandle) -> None:
        self.service = service
        self.handle = handle
        self.guid: UUID = handle.guid

    def __repr__(self) -> str:
        return f"<TunAdapter {self.name} {' '.join(self.info.addresses)}>"

    @property
    def subnet(self) -> AdapterSubnet:
        """Its subnets of IPv4 (`v4`) and IPv6 (`v6`).

        No other test process has them, unless the test itself has chosen the addresses.
        """
        found = [ip_interface(one) for one in self.info.addresses]
        return AdapterSubnet(
            next((one for one in found if isinstance(one, IPv4Interface)), None),
            # The kernel adds link-local addresses by itself.
            next(
                (one for one in found if isinstance(one, IPv6Interface) and not one.is_link_local),
                None,
            ),
        )

    @property
    def host(self) -> IPv4Address:
        """The address of the host, which is the first one of the adapter in IPv4.

        Raises:
            NotPossible: The adapter has no address of IPv4.
        """
        return self.subnet.v4.ip

    @property
    def peer(self) -> IPv4Address:
        """An address of the same subnet, for the test.

        Raises:
            NotPossible: The adapter has no address of IPv4, or its subnet has no other address.
        """
        return _beside(self.subnet.v4)

    @property
    def host_v6(self) -> IPv6Address | None:
        """The address of the host in IPv6; None without one, as on a system without IPv6."""
        subnet = self.subnet
        return subnet.v6.ip if subnet.has_v6 else None

    @property
    def peer_v6(self) -> IPv6Address | None:
        """An address of the same subnet of IPv6, for the test; None as above.

        Raises:
            NotPossible: The subnet has no other address.
        """
        subnet = self.subnet
        return _beside(subnet.v6) if subnet.has_v6 else None

    @property
    def name(self) -> str:
        """The name."""
        return self.handle.name

    @property
    def info(self) -> Adapter:
        """What the service said last about it; `handle.refresh()` asks again."""
        return self.handle.info

    def session(self, **options: Any) -> SessionHandle:
        """Return its session, which is a context manager that starts and ends it.

        Args:
            options: What `AdapterHandle.session` takes.
        """
        return self.handle.session(**options)

    def echo_request(
        self, data: bytes = b"", *, identifier: int = 1, sequence: int = 1, v6: bool = False
    ) -> bytes:
        """Build a ping from `peer` to `host`, to be injected.

        Args:
            data: What the host sends back.
            identifier: The identifier, from 0 to 65535; the reply repeats it.
            sequence: The sequence number, from 0 to 65535; the reply repeats it.
            v6: Whether to use IPv6.
        """
        source, destination = self._ends(v6)
        return build.icmp_echo(
            source, destination, identifier=identifier, sequence=sequence, data=data
        )

    def datagram(
        self, payload: bytes = b"", *, port: int = ECHO, source_port: int = 49152, v6: bool = False
    ) -> bytes:
        """Build a UDP datagram from `peer` to a port of `host`, to be injected.

        Args:
            payload: What it carries; the emulated host sends it back.
            port: The port of the host.
            source_port: The port of the peer.
            v6: Whether to use IPv6.
        """
        source, destination = self._ends(v6)
        return build.udp(source, destination, source_port, port, payload)

    def run(
        self, arguments: Sequence[str | os.PathLike[str]], **options: Any
    ) -> subprocess.CompletedProcess[str]:
        """Run a program on the host's side, as that of the service does."""
        return self.service.run(arguments, **options)

    def routes_to(self, other: TunAdapter) -> list[dict[str, str]]:
        """Return routes to the subnets of another adapter, as requests have them."""
        networks = [str(other.subnet.v4.network)]
        if self.subnet.has_v6 and other.subnet.has_v6:
            networks.append(str(other.subnet.v6.network))
        return [{"destination": network} for network in networks]

    @asynccontextmanager
    async def asynchronous(self) -> AsyncIterator[AsyncAdapterHandle]:
        """Give an asynchronous handle of this adapter for the running event loop."""
        async with (
            self.service.asynchronous() as client,
            client.adapter(self.guid) as handle,
        ):
            yield handle

    def _ends(self, v6: bool) -> tuple[IPv4Address | IPv6Address, IPv4Address | IPv6Address]:
        own = self.subnet.v6 if v6 else self.subnet.v4
        return _beside(own), own.ip


@overload
def _beside(address: IPv4Interface) -> IPv4Address: ...
@overload
def _beside(address: IPv6Interface) -> IPv6Address: ...
def _beside(address: IPv4Interface | IPv6Interface) -> IPv4Address | IPv6Address:
    found = neighbour(address)
    if found is None:
        raise NotPossible(f"The subnet {address.network} has no address beside {address.ip}.")
    return found


@contextmanager
def make_adapter(service: ServiceProcess, subnet: Subnet, **settings: Any) -> Iterator[TunAdapter]:
    """Give an adapter with the addresses of a subnet, and delete it afterwards.

    Without IPv6 on this system, it has the address of IPv4 alone. Addresses in `settings` take the
    place of those of the subnet.
    """
    given = {"name": service.next_name(), "pool": service.pool, **settings}
    name = given.pop("name")
    choices: list[Any] = [[str(subnet.v4), str(subnet.v6)], [str(subnet.v4)]]
    if "addresses" in given:
        choices = [given.pop("addresses")]
    for addresses in choices:
        handle = service.client.adapter(name, addresses=addresses, **given)
        with ExitStack() as open_handle:
            try:
                open_handle.enter_context(handle)
            except ProblemError as problem:
                if problem.kind == "setting-refused" and addresses is not choices[-1]:
                    continue
                raise
            yield TunAdapter(service, handle)
            return
