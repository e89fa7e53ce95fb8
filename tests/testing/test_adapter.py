"""An adapter for one test: its network, its host, and its end."""

from __future__ import annotations

import asyncio
import os
import subprocess
from contextlib import ExitStack
from ipaddress import ip_interface

import pytest

from tests.testing.namespaces import needs_namespaces
from wintun_api.client import Burst, ProblemError
from wintun_api.testing import NotPossible, TunAdapter, TunService


def answers(adapter: TunAdapter, request: bytes, payload: bytes) -> bool:
    """Return whether the host answers a packet with this at its end."""
    with adapter.session() as session, session.packets() as stream:
        assert stream.send([request]).accepted == 1
        bursts = (item for item in stream if isinstance(item, Burst))
        return any(packet.endswith(payload) for burst in bursts for packet in burst.packets)


def test_its_network(tun_adapter: TunAdapter) -> None:
    """Host and peer are in the subnets that the adapter has, in both versions of IP."""
    info = tun_adapter.info
    addresses = [ip_interface(one) for one in info.addresses]
    networks = [one.network for one in addresses]
    assert [one.ip for one in addresses] == [tun_adapter.host, tun_adapter.host_v6]
    assert tun_adapter.peer in networks[0]
    assert tun_adapter.peer_v6 in networks[1]
    assert tun_adapter.peer != tun_adapter.host
    assert info.name == tun_adapter.name
    assert info.pool == tun_adapter.service.pool
    assert str(os.getpid()) in tun_adapter.name


@pytest.mark.parametrize("v6", [False, True])
def test_the_host_answers(tun_adapter: TunAdapter, v6: bool) -> None:
    """The emulated host answers pings and datagrams of both versions of IP."""
    assert answers(tun_adapter, tun_adapter.echo_request(b"ping", v6=v6), b"ping")
    assert answers(tun_adapter, tun_adapter.datagram(b"echo", v6=v6), b"echo")


def test_it_is_deleted(tun_service: TunService) -> None:
    """It is gone after its block, also with an error, and when it was deleted before."""
    with tun_service.adapter() as adapter:
        assert tun_service.client.get_adapter(adapter.guid).name == adapter.name
    with pytest.raises(ProblemError, match="No adapter has the GUID"):
        tun_service.client.get_adapter(adapter.guid)
    with pytest.raises(ZeroDivisionError), tun_service.adapter() as adapter:
        _ = 1 // 0
    with tun_service.adapter() as again:
        again.handle.delete()
    names = [one.name for one in tun_service.client.list_adapters(pool=tun_service.pool)]
    assert not {adapter.name, again.name} & set(names)


def test_many_at_once(tun_service: TunService) -> None:
    """Several adapters at a time have names and subnets of their own."""
    with ExitStack() as stack:
        found = [stack.enter_context(tun_service.adapter()) for _ in range(8)]
        assert len({one.name for one in found}) == 8
        assert len({one.host for one in found}) == 8


def test_settings_are_passed_on(tun_service: TunService) -> None:
    """Further settings reach the adapter, and a refused one leaves nothing behind."""
    with tun_service.adapter(mtu=1280) as adapter:
        assert adapter.info.mtu == 1280
    before = len(tun_service.client.list_adapters())
    with pytest.raises(ProblemError), tun_service.adapter(mtu=7):
        pass
    assert len(tun_service.client.list_adapters()) == before


def test_from_an_event_loop(tun_adapter: TunAdapter) -> None:
    """The asynchronous handle is of the same adapter, and leaves it to the fixture."""

    async def main() -> None:
        async with tun_adapter.asynchronous() as adapter:
            assert adapter.guid == tun_adapter.guid
            async with adapter.session() as session:
                report = await session.inject([tun_adapter.echo_request()])
                assert report.accepted == 1
        async with tun_adapter.service.asynchronous() as client:
            assert (await client.get_driver()).name == "emulated"

    asyncio.run(main())
    assert tun_adapter.handle.refresh().guid == tun_adapter.guid


@pytest.mark.parametrize("which", [pytest.param("kernels", marks=needs_namespaces)])
def test_a_program_that_fails(request: pytest.FixtureRequest, which: str) -> None:
    """The error of a program shows what it wrote, also if it took too long."""
    service: TunService = request.getfixturevalue(which)[0]
    with pytest.raises(subprocess.CalledProcessError) as failed:
        service.run(["sh", "-c", "echo out; echo wrong >&2; exit 3"])
    assert "".join(failed.value.__notes__).count("wrong") == 1
    with pytest.raises(subprocess.TimeoutExpired) as late:
        service.run(["sh", "-c", "echo begun; exec sleep 60"], timeout=2)
    assert "begun" in "".join(late.value.__notes__)


@pytest.mark.parametrize("which", [pytest.param("kernels", marks=needs_namespaces)])
def test_without_ipv6(request: pytest.FixtureRequest, which: str) -> None:
    """Where the kernel has no IPv6, the adapter has IPv4 alone, and says so."""
    service: TunService = request.getfixturevalue(which)[0]

    def disable(value: int) -> None:
        for name in ("all", "default"):
            path = f"/proc/sys/net/ipv6/conf/{name}/disable_ipv6"
            service.run(["sh", "-c", f"echo {value} > {path}"])

    disable(1)
    try:
        with service.adapter() as adapter:
            assert adapter.host_v6 is None
            assert adapter.peer_v6 is None
            assert [ip_interface(one).ip for one in adapter.info.addresses] == [adapter.host]
            with pytest.raises(Exception, match="no address of IPv6"):
                adapter.echo_request(v6=True)
    finally:
        disable(0)


@pytest.mark.parametrize(
    ("address", "peer"),
    [("10.9.0.1/24", "10.9.0.2"), ("10.9.0.254/24", "10.9.0.253"), ("10.9.0.1/31", "10.9.0.0")],
)
def test_addresses_that_the_test_chose(tun_service: TunService, address: str, peer: str) -> None:
    """Host, peer and subnet are those of the adapter, and its host answers there."""
    with tun_service.adapter(addresses=[address, "fd09::1/64"]) as adapter:
        assert str(adapter.subnet.v4) == address
        assert str(adapter.subnet.v6) == "fd09::1/64"
        assert str(adapter.host) == address.partition("/")[0]
        assert str(adapter.peer) == peer
        assert (str(adapter.host_v6), str(adapter.peer_v6)) == ("fd09::1", "fd09::2")
        assert answers(adapter, adapter.echo_request(b"ping"), b"ping")
        assert answers(adapter, adapter.echo_request(b"ping", v6=True), b"ping")


def test_addresses_of_one_version(tun_service: TunService) -> None:
    """What the adapter does not have is None or refused, not an address of another subnet."""
    with tun_service.adapter(addresses=["10.9.0.1/24"]) as adapter:
        assert (adapter.host_v6, adapter.peer_v6) == (None, None)
        with pytest.raises(NotPossible, match="no address of IPv6"):
            adapter.datagram(v6=True)
    with tun_service.adapter(addresses=["fd09::1/64"]) as adapter:
        assert str(adapter.peer_v6) == "fd09::2"
        with pytest.raises(NotPossible, match="no address of IPv4"):
            _ = adapter.host
    with (
        tun_service.adapter(addresses=["10.9.0.1/32"]) as adapter,
        pytest.raises(NotPossible, match="no address beside"),
    ):
        _ = adapter.peer


def test_addresses_that_are_changed(tun_adapter: TunAdapter) -> None:
    """After a change through the handle, the fixture shows the new addresses."""
    tun_adapter.handle.update(addresses=["10.9.7.1/24"])
    assert (str(tun_adapter.host), str(tun_adapter.peer)) == ("10.9.7.1", "10.9.7.2")
