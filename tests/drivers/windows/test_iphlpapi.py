"""The layouts of netioapi.h: every size and every offset, wherever this runs."""

from __future__ import annotations

import ctypes
from ipaddress import ip_address
from typing import Any

import pytest

from wintun_api.drivers.windows import iphlpapi as nt
from wintun_api.drivers.windows.foreign import Check, Guid

ADDRESS_OFFSETS = """
Address 0 InterfaceLuid 32 InterfaceIndex 40 PrefixOrigin 44 SuffixOrigin 48 ValidLifetime 52
PreferredLifetime 56 OnLinkPrefixLength 60 SkipAsSource 61 DadState 64 ScopeId 68
CreationTimeStamp 72
"""
FORWARD_OFFSETS = """
InterfaceLuid 0 InterfaceIndex 8 DestinationPrefix 12 NextHop 44 SitePrefixLength 72
ValidLifetime 76 PreferredLifetime 80 Metric 84 Protocol 88 Loopback 92 AutoconfigureAddress 93
Publish 94 Immortal 95 Age 96 Origin 100
"""
INTERFACE_OFFSETS = """
Family 0 InterfaceLuid 8 InterfaceIndex 16 MaxReassemblySize 20 InterfaceIdentifier 24
MinRouterAdvertisementInterval 32 MaxRouterAdvertisementInterval 36 AdvertisingEnabled 40
ForwardingEnabled 41 WeakHostSend 42 WeakHostReceive 43 UseAutomaticMetric 44
UseNeighborUnreachabilityDetection 45 ManagedAddressConfigurationSupported 46
OtherStatefulConfigurationSupported 47 AdvertiseDefaultRoute 48 RouterDiscoveryBehavior 52
DadTransmits 56 BaseReachableTime 60 RetransmitTime 64 PathMtuDiscoveryTimeout 68
LinkLocalAddressBehavior 72 LinkLocalAddressTimeout 76 ZoneIndices 80 SitePrefixLength 144
Metric 148 NlMtu 152 Connected 156 SupportsWakeUpPatterns 157 SupportsNeighborDiscovery 158
SupportsRouterDiscovery 159 ReachableTime 160 TransmitOffload 164 ReceiveOffload 165
DisableDefaultRoutes 166
"""
IF_OFFSETS = """
InterfaceLuid 0 InterfaceIndex 8 InterfaceGuid 12 Alias 28 Description 542
PhysicalAddressLength 1056 PhysicalAddress 1060 PermanentPhysicalAddress 1092 Mtu 1124 Type 1128
TunnelType 1132 MediaType 1136 PhysicalMediumType 1140 AccessType 1144 DirectionType 1148
InterfaceAndOperStatusFlags 1152 OperStatus 1156 AdminStatus 1160 MediaConnectState 1164
NetworkGuid 1168 ConnectionType 1184 TransmitLinkSpeed 1192 ReceiveLinkSpeed 1200 InOctets 1208
InUcastPkts 1216 InNUcastPkts 1224 InDiscards 1232 InErrors 1240 InUnknownProtos 1248
InUcastOctets 1256 InMulticastOctets 1264 InBroadcastOctets 1272 OutOctets 1280 OutUcastPkts 1288
OutNUcastPkts 1296 OutDiscards 1304 OutErrors 1312 OutUcastOctets 1320 OutMulticastOctets 1328
OutBroadcastOctets 1336 OutQLen 1344
"""
DNS_OFFSETS = """
Version 0 Flags 8 Domain 16 NameServer 24 SearchList 32 RegistrationEnabled 40
RegisterAdapterName 44 EnableLLMNR 48 QueryAdapterName 52 ProfileNameServer 56
"""


@pytest.mark.parametrize(
    ("structure", "size", "offsets"),
    [
        (nt.SockaddrInet, 28, "si_family 0 sin_port 2 sin_addr 4 sin6_addr 8 sin6_scope_id 24"),
        (nt.UnicastIpAddressRow, 80, ADDRESS_OFFSETS),
        (nt.IpAddressPrefix, 32, "Prefix 0 PrefixLength 28"),
        (nt.IpForwardRow2, 104, FORWARD_OFFSETS),
        (nt.IpInterfaceRow, 168, INTERFACE_OFFSETS),
        (nt.IfRow2, 1352, IF_OFFSETS),
        (nt.DnsInterfaceSettings, 64, DNS_OFFSETS),
    ],
)
def test_layout(structure: Any, size: int, offsets: str) -> None:
    """A structure has the header's size, and its fields, all of them, their places."""
    if structure is nt.DnsInterfaceSettings and ctypes.sizeof(ctypes.c_void_p) != 8:
        pytest.skip("It has pointers.")
    words = offsets.split()
    expected = dict(zip(words[::2], map(int, words[1::2]), strict=True))
    found = {name: getattr(structure, name).offset for name, _ in structure._fields_}
    assert found == expected
    assert ctypes.sizeof(structure) == size


@pytest.mark.parametrize("text", ["10.6.7.7", "255.255.255.255", "fd06:7::7", "::1"])
def test_addresses(text: str) -> None:
    """An address comes back from its structure, and its bytes are in the order of the network."""
    address = ip_address(text)
    structure = nt.SockaddrInet.of(address, address.version)
    assert structure.address == address
    start = 4 if address.version == 4 else 8
    assert bytes(structure)[start : start + len(address.packed)] == address.packed
    assert bytes(structure)[:2] == (2 if address.version == 4 else 23).to_bytes(2, "little")


def test_no_next_hop() -> None:
    """No next hop is the unspecified address of the destination's family: on-link."""
    assert nt.SockaddrInet.of(None, 4).address == ip_address("0.0.0.0")
    assert nt.SockaddrInet.of(None, 6).address == ip_address("::")


def test_guid_by_value() -> None:
    """The GUID of the DNS functions is the structure itself, for every calling convention."""
    rows = {row.name: row for row in nt.IPHLPAPI_DNS}
    for name in ("SetInterfaceDnsSettings", "GetInterfaceDnsSettings"):
        assert rows[name].argtypes[0] is Guid


def test_errors_are_returned() -> None:
    """No function is checked by the last error; those without a result cannot fail."""
    for row in (*nt.IPHLPAPI, *nt.IPHLPAPI_DNS, *nt.NCI):
        assert row.check is (Check.NONE if row.restype is None else Check.CALLER)
        assert not row.packet_path
