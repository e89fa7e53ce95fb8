"""netioapi.h as data: the structures and prototypes of iphlpapi.dll, nci.dll and cfgmgr32.dll.

The functions return their error number; the thread's last error is not used. Importable on every
system: fixed-width types only. Fields have the names of the header, which tests compare them with.
"""

from __future__ import annotations

import ctypes
from ctypes import (
    POINTER,
    c_int32,
    c_int64,
    c_size_t,
    c_uint8,
    c_uint16,
    c_uint32,
    c_uint64,
    c_void_p,
)
from ipaddress import IPv4Address, IPv6Address

from wintun_api.drivers.base import IPAddress
from wintun_api.drivers.windows.foreign import (
    DWORD,
    PCWSTR,
    PDWORD,
    PGUID,
    PLUID,
    Check,
    Guid,
    Prototype,
    WideString,
    callback_type,
)

AF_UNSPEC, AF_INET, AF_INET6 = 0, 2, 23  # ws2def.h; the last one is 10 on Linux
FAMILIES = {4: AF_INET, 6: AF_INET6}
INFINITE_LIFETIME = 0xFFFFFFFF
IF_OPER_STATUS_UP = 1  # ifdef.h
ALIAS_UNITS = 257  # ifdef.h: NDIS_IF_MAX_STRING_SIZE and the zero

IpPrefixOriginManual = 1  # nldef.h: NL_PREFIX_ORIGIN
IpDadStateInvalid, IpDadStateDuplicate, IpDadStatePreferred = 0, 2, 4  # NL_DAD_STATE
MIB_IPPROTO_LOCAL = 2  # added by Windows itself
MIB_IPPROTO_NETMGMT = 3  # NL_ROUTE_PROTOCOL: added by a person or a program
NlroManual = 0  # NL_ROUTE_ORIGIN
MibIfTableRaw = 1  # netioapi.h: MIB_IF_TABLE_LEVEL; without asking every driver of the stack

DNS_INTERFACE_SETTINGS_VERSION1 = 1  # netioapi.h
DNS_SETTING_IPV6, DNS_SETTING_NAMESERVER, DNS_SETTING_SEARCHLIST = 0x1, 0x2, 0x4


class SockaddrInet(ctypes.Structure):
    """SOCKADDR_INET: a union of both families, told by the first member."""

    _fields_ = (
        ("si_family", c_uint16),
        ("sin_port", c_uint16),
        ("sin_addr", c_uint8 * 4),  # of IPv4; the flow of IPv6
        ("sin6_addr", c_uint8 * 16),
        ("sin6_scope_id", c_uint32),
    )

    @classmethod
    def of(cls, address: IPAddress | None, version: int) -> SockaddrInet:
        """Return an address; None is the unspecified one, which as a next hop means on-link."""
        self = cls(si_family=FAMILIES[version])
        if address is not None:
            member = self.sin_addr if version == 4 else self.sin6_addr
            member[:] = tuple(address.packed)
        return self

    @property
    def address(self) -> IPAddress:
        """The address without its zone."""
        if self.si_family == AF_INET:
            return IPv4Address(bytes(self.sin_addr))
        return IPv6Address(bytes(self.sin6_addr))


class UnicastIpAddressRow(ctypes.Structure):
    """MIB_UNICASTIPADDRESS_ROW."""

    _fields_ = (
        ("Address", SockaddrInet),
        ("InterfaceLuid", c_uint64),
        ("InterfaceIndex", c_uint32),
        ("PrefixOrigin", c_int32),
        ("SuffixOrigin", c_int32),
        ("ValidLifetime", c_uint32),
        ("PreferredLifetime", c_uint32),
        ("OnLinkPrefixLength", c_uint8),
        ("SkipAsSource", c_uint8),
        ("DadState", c_int32),
        ("ScopeId", c_uint32),
        ("CreationTimeStamp", c_int64),
    )


class IpAddressPrefix(ctypes.Structure):
    """IP_ADDRESS_PREFIX."""

    _fields_ = (("Prefix", SockaddrInet), ("PrefixLength", c_uint8))


class IpForwardRow2(ctypes.Structure):
    """MIB_IPFORWARD_ROW2."""

    _fields_ = (
        ("InterfaceLuid", c_uint64),
        ("InterfaceIndex", c_uint32),
        ("DestinationPrefix", IpAddressPrefix),
        ("NextHop", SockaddrInet),
        ("SitePrefixLength", c_uint8),
        ("ValidLifetime", c_uint32),
        ("PreferredLifetime", c_uint32),
        ("Metric", c_uint32),
        ("Protocol", c_int32),
        ("Loopback", c_uint8),
        ("AutoconfigureAddress", c_uint8),
        ("Publish", c_uint8),
        ("Immortal", c_uint8),
        ("Age", c_uint32),
        ("Origin", c_int32),
    )


class IpInterfaceRow(ctypes.Structure):
    """MIB_IPINTERFACE_ROW: one family of an interface."""

    _fields_ = (
        ("Family", c_uint16),
        ("InterfaceLuid", c_uint64),
        ("InterfaceIndex", c_uint32),
        ("MaxReassemblySize", c_uint32),
        ("InterfaceIdentifier", c_uint64),
        ("MinRouterAdvertisementInterval", c_uint32),
        ("MaxRouterAdvertisementInterval", c_uint32),
        ("AdvertisingEnabled", c_uint8),
        ("ForwardingEnabled", c_uint8),
        ("WeakHostSend", c_uint8),
        ("WeakHostReceive", c_uint8),
        ("UseAutomaticMetric", c_uint8),
        ("UseNeighborUnreachabilityDetection", c_uint8),
        ("ManagedAddressConfigurationSupported", c_uint8),
        ("OtherStatefulConfigurationSupported", c_uint8),
        ("AdvertiseDefaultRoute", c_uint8),
        ("RouterDiscoveryBehavior", c_int32),
        ("DadTransmits", c_uint32),
        ("BaseReachableTime", c_uint32),
        ("RetransmitTime", c_uint32),
        ("PathMtuDiscoveryTimeout", c_uint32),
        ("LinkLocalAddressBehavior", c_int32),
        ("LinkLocalAddressTimeout", c_uint32),
        ("ZoneIndices", c_uint32 * 16),
        ("SitePrefixLength", c_uint32),
        ("Metric", c_uint32),
        ("NlMtu", c_uint32),
        ("Connected", c_uint8),
        ("SupportsWakeUpPatterns", c_uint8),
        ("SupportsNeighborDiscovery", c_uint8),
        ("SupportsRouterDiscovery", c_uint8),
        ("ReachableTime", c_uint32),
        ("TransmitOffload", c_uint8),  # bits, in one byte each
        ("ReceiveOffload", c_uint8),
        ("DisableDefaultRoutes", c_uint8),
    )


class IfRow2(ctypes.Structure):
    """MIB_IF_ROW2. In and out are the host's: what it sends goes to the application."""

    _fields_ = (
        ("InterfaceLuid", c_uint64),
        ("InterfaceIndex", c_uint32),
        ("InterfaceGuid", Guid),
        ("Alias", c_uint16 * ALIAS_UNITS),
        ("Description", c_uint16 * ALIAS_UNITS),
        ("PhysicalAddressLength", c_uint32),
        ("PhysicalAddress", c_uint8 * 32),
        ("PermanentPhysicalAddress", c_uint8 * 32),
        ("Mtu", c_uint32),
        ("Type", c_uint32),
        ("TunnelType", c_int32),
        ("MediaType", c_int32),
        ("PhysicalMediumType", c_int32),
        ("AccessType", c_int32),
        ("DirectionType", c_int32),
        ("InterfaceAndOperStatusFlags", c_uint8),
        ("OperStatus", c_int32),
        ("AdminStatus", c_int32),
        ("MediaConnectState", c_int32),
        ("NetworkGuid", Guid),
        ("ConnectionType", c_int32),
        ("TransmitLinkSpeed", c_uint64),
        ("ReceiveLinkSpeed", c_uint64),
        ("InOctets", c_uint64),
        ("InUcastPkts", c_uint64),
        ("InNUcastPkts", c_uint64),
        ("InDiscards", c_uint64),
        ("InErrors", c_uint64),
        ("InUnknownProtos", c_uint64),
        ("InUcastOctets", c_uint64),
        ("InMulticastOctets", c_uint64),
        ("InBroadcastOctets", c_uint64),
        ("OutOctets", c_uint64),
        ("OutUcastPkts", c_uint64),
        ("OutNUcastPkts", c_uint64),
        ("OutDiscards", c_uint64),
        ("OutErrors", c_uint64),
        ("OutUcastOctets", c_uint64),
        ("OutMulticastOctets", c_uint64),
        ("OutBroadcastOctets", c_uint64),
        ("OutQLen", c_uint64),
    )


class DnsInterfaceSettings(ctypes.Structure):
    """DNS_INTERFACE_SETTINGS, version 1."""

    _fields_ = (
        ("Version", c_uint32),
        ("Flags", c_uint64),
        ("Domain", WideString),
        ("NameServer", WideString),
        ("SearchList", WideString),
        ("RegistrationEnabled", c_uint32),
        ("RegisterAdapterName", c_uint32),
        ("EnableLLMNR", c_uint32),
        ("QueryAdapterName", c_uint32),
        ("ProfileNameServer", WideString),
    )


TABLE_ROWS = 8  # where the rows of a table begin, behind NumEntries


# Short names of these tables: a pointer to each structure, and how a function fails.
PADDRESS, PROUTE, PINTERFACE, PIF, PDNS = (
    POINTER(row)
    for row in (UnicastIpAddressRow, IpForwardRow2, IpInterfaceRow, IfRow2, DnsInterfaceSettings)
)
FAMILY, PALIAS, PPOINTER = c_uint16, POINTER(c_uint16 * ALIAS_UNITS), POINTER(c_void_p)
CODE, VOID = Check.CALLER, Check.NONE

# In the order of netioapi.h. Since Windows Vista but for those of DNS, which are 10 2004's (19041).
IPHLPAPI: tuple[Prototype, ...] = (
    Prototype("GetIfEntry2", DWORD, (PIF,), CODE),
    Prototype("GetIfTable2Ex", DWORD, (c_int32, PPOINTER), CODE),
    Prototype("GetIpInterfaceEntry", DWORD, (PINTERFACE,), CODE),
    Prototype("InitializeIpInterfaceEntry", None, (PINTERFACE,), VOID),
    Prototype("SetIpInterfaceEntry", DWORD, (PINTERFACE,), CODE),
    Prototype("CreateUnicastIpAddressEntry", DWORD, (PADDRESS,), CODE),
    Prototype("DeleteUnicastIpAddressEntry", DWORD, (PADDRESS,), CODE),
    Prototype("GetUnicastIpAddressTable", DWORD, (FAMILY, PPOINTER), CODE),
    Prototype("InitializeUnicastIpAddressEntry", None, (PADDRESS,), VOID),
    Prototype("SetUnicastIpAddressEntry", DWORD, (PADDRESS,), CODE),
    Prototype("CreateIpForwardEntry2", DWORD, (PROUTE,), CODE),
    Prototype("DeleteIpForwardEntry2", DWORD, (PROUTE,), CODE),
    Prototype("GetIpForwardTable2", DWORD, (FAMILY, PPOINTER), CODE),
    Prototype("InitializeIpForwardEntry", None, (PROUTE,), VOID),
    Prototype("SetIpForwardEntry2", DWORD, (PROUTE,), CODE),
    Prototype("FreeMibTable", None, (c_void_p,), VOID),
    Prototype("ConvertInterfaceAliasToLuid", DWORD, (PCWSTR, PLUID), CODE),
    Prototype("ConvertInterfaceLuidToAlias", DWORD, (PLUID, PALIAS, c_size_t), CODE),
    Prototype("ConvertInterfaceLuidToGuid", DWORD, (PLUID, PGUID), CODE),
    Prototype("ConvertInterfaceLuidToIndex", DWORD, (PLUID, PDWORD), CODE),
)
# What a notification calls: the caller's context, the row with its keys alone, what became of it.
ChangeCallback = callback_type(None, c_void_p, c_void_p, c_int32)
_WHEN = (FAMILY, ChangeCallback, c_void_p, c_uint8, PPOINTER)
IPHLPAPI_NOTIFY: tuple[Prototype, ...] = (
    Prototype("NotifyIpInterfaceChange", DWORD, _WHEN, CODE),
    Prototype("NotifyUnicastIpAddressChange", DWORD, _WHEN, CODE),
    Prototype("NotifyRouteChange2", DWORD, _WHEN, CODE),
    Prototype("CancelMibChangeNotify2", DWORD, (c_void_p,), CODE),
)
# The GUID is passed by value. Every calling convention passes such a structure differently; ctypes
# handles them if the structure itself is given here.
IPHLPAPI_DNS: tuple[Prototype, ...] = (
    Prototype("GetInterfaceDnsSettings", DWORD, (Guid, PDNS), CODE),
    Prototype("SetInterfaceDnsSettings", DWORD, (Guid, PDNS), CODE),
    Prototype("FreeInterfaceDnsSettings", None, (PDNS,), VOID),
)
# Undocumented, but what wintun.dll itself calls (api/nci.h), and it says when a name is in use.
NCI: tuple[Prototype, ...] = (Prototype("NciSetConnectionName", DWORD, (PGUID, PCWSTR), CODE),)
# The answer is a CONFIGRET (cfgmgr32.h).
CFGMGR32: tuple[Prototype, ...] = (
    Prototype("CM_Locate_DevNodeW", DWORD, (PDWORD, PCWSTR, DWORD), CODE),
    Prototype("CM_Get_DevNode_Status", DWORD, (PDWORD, PDWORD, DWORD, DWORD), CODE),
)
