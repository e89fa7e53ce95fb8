/* A stand-in for the functions of iphlpapi.dll and nci.dll that Wine lacks, on one interface.
 *
 * It reads what it is given through the structures of mingw-w64's own netioapi.h, so that the
 * layouts of ctypes are compared with a compiler's, and records every call that changes something
 * as a line: the function, its fields by their names, the bytes. Built at test time, under a name
 * that is nobody else's.
 */
#include <winsock2.h>
#include <ws2ipdef.h>
#include <windows.h>
#include <iphlpapi.h>
#include <netioapi.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <wchar.h>

/* netioapi.h of Windows 10 2004, which mingw-w64 does not have yet. */
typedef struct {
    ULONG Version;
    ULONG64 Flags;
    PWSTR Domain;
    PWSTR NameServer;
    PWSTR SearchList;
    ULONG RegistrationEnabled;
    ULONG RegisterAdapterName;
    ULONG EnableLLMNR;
    ULONG QueryAdapterName;
    PWSTR ProfileNameServer;
} DNS_INTERFACE_SETTINGS;

#define EXPORT __declspec(dllexport)
#define SIZE(type, bytes) _Static_assert(sizeof(type) == (bytes), #type)
SIZE(SOCKADDR_INET, 28);
SIZE(MIB_UNICASTIPADDRESS_ROW, 80);
SIZE(IP_ADDRESS_PREFIX, 32);
SIZE(MIB_IPFORWARD_ROW2, 104);
SIZE(MIB_IPINTERFACE_ROW, 168);
SIZE(MIB_IF_ROW2, 1352);
SIZE(DNS_INTERFACE_SETTINGS, 64);

#define ROWS 16
static const ULONG64 LUID_OF_DEMO = 0x0035000001000000;
static const GUID GUID_OF_DEMO = {
    0xdeadbabe, 0xcafe, 0xbeef, {0x01, 0x23, 0x45, 0x67, 0x89, 0xab, 0xcd, 0xef}};
static const NET_IFINDEX INDEX_OF_DEMO = 7;

static WCHAR alias[IF_MAX_STRING_SIZE + 1] = L"Demo";
static MIB_IPINTERFACE_ROW families[2]; /* IPv4, IPv6 */
static int unbound[2];                  /* how many more readings find the family not bound */
static struct { ULONG count; MIB_UNICASTIPADDRESS_ROW rows[ROWS]; } addresses;
static struct { ULONG count; MIB_IPFORWARD_ROW2 rows[ROWS]; } routes;
static WCHAR dns[2][2][256]; /* by family: servers, search list */
static int tables;           /* that were given out and not freed */
static char text[1 << 20];
static size_t length;

BOOL WINAPI DllMain(HINSTANCE module, DWORD reason, void *reserved)
{
    (void)module, (void)reserved;
    if (reason == DLL_PROCESS_ATTACH)
        for (int one = 0; one < 2; one++) {
            families[one].Family = one ? AF_INET6 : AF_INET;
            families[one].InterfaceLuid.Value = LUID_OF_DEMO;
            families[one].InterfaceIndex = INDEX_OF_DEMO;
            families[one].NlMtu = 65535;
            families[one].UseAutomaticMetric = TRUE;
            families[one].SitePrefixLength = 255; /* what Windows reads back, and refuses */
        }
    return TRUE;
}

static void say(const char *format, ...)
{
    va_list values;
    va_start(values, format);
    length += vsnprintf(text + length, sizeof text - length, format, values);
    va_end(values);
}

static void say_address(const char *name, const SOCKADDR_INET *address)
{
    say(" %s=", name);
    if (address->si_family == AF_INET) {
        const BYTE *bytes = (const BYTE *)&address->Ipv4.sin_addr;
        say("%u.%u.%u.%u", bytes[0], bytes[1], bytes[2], bytes[3]);
    } else if (address->si_family == AF_INET6)
        for (int one = 0; one < 16; one++)
            say("%02x", address->Ipv6.sin6_addr.u.Byte[one]);
    else
        say("family-%u", address->si_family);
}

static void say_bytes(const void *memory, size_t size)
{
    say(" bytes=");
    for (size_t one = 0; one < size; one++)
        say("%02x", ((const BYTE *)memory)[one]);
    say("\n");
}

/* For the test. */

EXPORT const char *Recorded(void) { return text; }
EXPORT int TablesInUse(void) { return tables; }
EXPORT void BindLater(int readings4, int readings6) { unbound[0] = readings4, unbound[1] = readings6; }

/* Conversions. */

EXPORT DWORD WINAPI ConvertInterfaceAliasToLuid(const WCHAR *name, NET_LUID *luid)
{
    if (wcscmp(name, alias)) /* as if it heeded the case */
        return ERROR_INVALID_PARAMETER;
    luid->Value = LUID_OF_DEMO;
    return NO_ERROR;
}

EXPORT DWORD WINAPI ConvertInterfaceLuidToAlias(const NET_LUID *luid, PWSTR name, SIZE_T units)
{
    if (luid->Value != LUID_OF_DEMO)
        return ERROR_INVALID_PARAMETER;
    if (units < wcslen(alias) + 1)
        return ERROR_NOT_ENOUGH_MEMORY;
    wcscpy(name, alias);
    return NO_ERROR;
}

EXPORT DWORD WINAPI ConvertInterfaceLuidToGuid(const NET_LUID *luid, GUID *guid)
{
    if (luid->Value != LUID_OF_DEMO)
        return ERROR_FILE_NOT_FOUND;
    *guid = GUID_OF_DEMO;
    return NO_ERROR;
}

EXPORT DWORD WINAPI ConvertInterfaceLuidToIndex(const NET_LUID *luid, NET_IFINDEX *index)
{
    if (luid->Value != LUID_OF_DEMO)
        return ERROR_FILE_NOT_FOUND;
    *index = INDEX_OF_DEMO;
    return NO_ERROR;
}

/* Interfaces. */

static void fill(MIB_IF_ROW2 *row)
{
    memset(row, 0, sizeof *row);
    row->InterfaceLuid.Value = LUID_OF_DEMO;
    row->InterfaceIndex = INDEX_OF_DEMO;
    row->InterfaceGuid = GUID_OF_DEMO;
    wcscpy(row->Alias, alias);
    wcscpy(row->Description, L"Example Tunnel");
    row->OutUcastPkts = 5, row->OutNUcastPkts = 2, row->OutOctets = 700, row->OutDiscards = 3;
    row->InUcastPkts = 4, row->InNUcastPkts = 1, row->InOctets = 500, row->InDiscards = 6;
}

EXPORT DWORD WINAPI GetIfEntry2(MIB_IF_ROW2 *row)
{
    if (row->InterfaceLuid.Value != LUID_OF_DEMO)
        return ERROR_FILE_NOT_FOUND;
    fill(row);
    return NO_ERROR;
}

static void *table_of(ULONG count, const void *rows, size_t row)
{
    BYTE *table = HeapAlloc(GetProcessHeap(), HEAP_ZERO_MEMORY, 8 + count * row);
    *(ULONG *)table = count;
    memcpy(table + 8, rows, count * row);
    tables++;
    return table;
}

EXPORT DWORD WINAPI GetIfTable2Ex(MIB_IF_TABLE_LEVEL level, MIB_IF_TABLE2 **table)
{
    static MIB_IF_ROW2 row;
    _Static_assert(offsetof(MIB_IF_TABLE2, Table) == 8, "rows");
    if (level != MibIfTableRaw)
        return ERROR_INVALID_PARAMETER;
    fill(&row);
    *table = table_of(1, &row, sizeof row);
    return NO_ERROR;
}

EXPORT void WINAPI FreeMibTable(void *table)
{
    tables--;
    HeapFree(GetProcessHeap(), 0, table);
}

EXPORT void WINAPI InitializeIpInterfaceEntry(MIB_IPINTERFACE_ROW *row)
{
    memset(row, 0xff, sizeof *row);
    row->InterfaceLuid.Value = 0;
    row->InterfaceIndex = 0;
}

EXPORT DWORD WINAPI GetIpInterfaceEntry(MIB_IPINTERFACE_ROW *row)
{
    int six = row->Family == AF_INET6;
    if (row->InterfaceLuid.Value != LUID_OF_DEMO)
        return ERROR_FILE_NOT_FOUND;
    if (unbound[six]) {
        unbound[six] -= unbound[six] > 0;
        return ERROR_NOT_FOUND;
    }
    *row = families[six];
    return NO_ERROR;
}

EXPORT DWORD WINAPI SetIpInterfaceEntry(MIB_IPINTERFACE_ROW *row)
{
    int six = row->Family == AF_INET6;
    say("SetIpInterfaceEntry Family=%u InterfaceLuid=%llx SitePrefixLength=%lu NlMtu=%lu"
        " UseAutomaticMetric=%u Metric=%lu", row->Family, row->InterfaceLuid.Value,
        row->SitePrefixLength, row->NlMtu, row->UseAutomaticMetric, row->Metric);
    say_bytes(row, sizeof *row);
    if (row->SitePrefixLength > (six ? 128 : 0) || row->NlMtu < (six ? 1280 : 576))
        return ERROR_INVALID_PARAMETER;
    families[six] = *row;
    families[six].SitePrefixLength = 255;
    return NO_ERROR;
}

/* Addresses. */

static size_t octets(const SOCKADDR_INET *address)
{
    return address->si_family == AF_INET ? 8 : 24; /* up to the zone */
}

static MIB_UNICASTIPADDRESS_ROW *address_of(const MIB_UNICASTIPADDRESS_ROW *row)
{
    for (ULONG one = 0; one < addresses.count; one++)
        if (!memcmp(&addresses.rows[one].Address, &row->Address, octets(&row->Address)))
            return &addresses.rows[one];
    return NULL;
}

static void say_unicast(const char *function, const MIB_UNICASTIPADDRESS_ROW *row)
{
    say("%s InterfaceLuid=%llx", function, row->InterfaceLuid.Value);
    say_address("Address", &row->Address);
    say(" OnLinkPrefixLength=%u ValidLifetime=%lx PreferredLifetime=%lx DadState=%d",
        row->OnLinkPrefixLength, row->ValidLifetime, row->PreferredLifetime, row->DadState);
    say_bytes(row, sizeof *row);
}

EXPORT void WINAPI InitializeUnicastIpAddressEntry(MIB_UNICASTIPADDRESS_ROW *row)
{
    memset(row, 0, sizeof *row);
    row->OnLinkPrefixLength = 255;
    row->PrefixOrigin = IpPrefixOriginManual;
}

EXPORT DWORD WINAPI CreateUnicastIpAddressEntry(const MIB_UNICASTIPADDRESS_ROW *row)
{
    say_unicast("CreateUnicastIpAddressEntry", row);
    if (row->InterfaceLuid.Value != LUID_OF_DEMO)
        return ERROR_FILE_NOT_FOUND;
    if (address_of(row))
        return ERROR_OBJECT_ALREADY_EXISTS;
    addresses.rows[addresses.count++] = *row;
    return NO_ERROR;
}

EXPORT DWORD WINAPI SetUnicastIpAddressEntry(const MIB_UNICASTIPADDRESS_ROW *row)
{
    MIB_UNICASTIPADDRESS_ROW *known = address_of(row);
    say_unicast("SetUnicastIpAddressEntry", row);
    if (!known)
        return ERROR_NOT_FOUND;
    *known = *row;
    return NO_ERROR;
}

EXPORT DWORD WINAPI DeleteUnicastIpAddressEntry(const MIB_UNICASTIPADDRESS_ROW *row)
{
    MIB_UNICASTIPADDRESS_ROW *known = address_of(row);
    say_unicast("DeleteUnicastIpAddressEntry", row);
    if (!known)
        return ERROR_NOT_FOUND;
    *known = addresses.rows[--addresses.count];
    return NO_ERROR;
}

EXPORT DWORD WINAPI GetUnicastIpAddressTable(ADDRESS_FAMILY family, MIB_UNICASTIPADDRESS_TABLE **table)
{
    _Static_assert(offsetof(MIB_UNICASTIPADDRESS_TABLE, Table) == 8, "rows");
    if (family != AF_UNSPEC)
        return ERROR_INVALID_PARAMETER;
    if (!addresses.count)
        return ERROR_NOT_FOUND;
    *table = table_of(addresses.count, addresses.rows, sizeof addresses.rows[0]);
    return NO_ERROR;
}

/* Routes. */

static MIB_IPFORWARD_ROW2 *route_of(const MIB_IPFORWARD_ROW2 *row)
{
    for (ULONG one = 0; one < routes.count; one++)
        if (!memcmp(&routes.rows[one].DestinationPrefix, &row->DestinationPrefix, 29) &&
            !memcmp(&routes.rows[one].NextHop, &row->NextHop, octets(&row->NextHop)))
            return &routes.rows[one];
    return NULL;
}

static void say_route(const char *function, const MIB_IPFORWARD_ROW2 *row)
{
    say("%s InterfaceLuid=%llx", function, row->InterfaceLuid.Value);
    say_address("DestinationPrefix", &row->DestinationPrefix.Prefix);
    say("/%u", row->DestinationPrefix.PrefixLength);
    say_address("NextHop", &row->NextHop);
    say(" ValidLifetime=%lx PreferredLifetime=%lx Metric=%lu Protocol=%d Immortal=%u",
        row->ValidLifetime, row->PreferredLifetime, row->Metric, row->Protocol, row->Immortal);
    say_bytes(row, sizeof *row);
}

EXPORT void WINAPI InitializeIpForwardEntry(MIB_IPFORWARD_ROW2 *row)
{
    memset(row, 0, sizeof *row);
    row->ValidLifetime = row->PreferredLifetime = 0xffffffff;
    row->Loopback = row->AutoconfigureAddress = row->Publish = row->Immortal = TRUE;
}

EXPORT DWORD WINAPI CreateIpForwardEntry2(const MIB_IPFORWARD_ROW2 *row)
{
    say_route("CreateIpForwardEntry2", row);
    if (route_of(row))
        return ERROR_OBJECT_ALREADY_EXISTS;
    routes.rows[routes.count++] = *row;
    return NO_ERROR;
}

EXPORT DWORD WINAPI SetIpForwardEntry2(const MIB_IPFORWARD_ROW2 *row)
{
    MIB_IPFORWARD_ROW2 *known = route_of(row);
    say_route("SetIpForwardEntry2", row);
    if (!known)
        return ERROR_NOT_FOUND;
    *known = *row;
    return NO_ERROR;
}

EXPORT DWORD WINAPI DeleteIpForwardEntry2(const MIB_IPFORWARD_ROW2 *row)
{
    MIB_IPFORWARD_ROW2 *known = route_of(row);
    say_route("DeleteIpForwardEntry2", row);
    if (!known)
        return ERROR_NOT_FOUND;
    *known = routes.rows[--routes.count];
    return NO_ERROR;
}

EXPORT DWORD WINAPI GetIpForwardTable2(ADDRESS_FAMILY family, MIB_IPFORWARD_TABLE2 **table)
{
    _Static_assert(offsetof(MIB_IPFORWARD_TABLE2, Table) == 8, "rows");
    if (family != AF_UNSPEC)
        return ERROR_INVALID_PARAMETER;
    *table = table_of(routes.count, routes.rows, sizeof routes.rows[0]);
    return NO_ERROR;
}

/* DNS and names: the GUID comes by value, by pointer in the last one. */

EXPORT DWORD WINAPI SetInterfaceDnsSettings(GUID guid, const DNS_INTERFACE_SETTINGS *settings)
{
    int six = settings->Flags & 1;
    say("SetInterfaceDnsSettings Interface=%08lx-%04x-%04x Version=%lu Flags=%llx NameServer=%ls"
        " SearchList=%ls", guid.Data1, guid.Data2, guid.Data3, settings->Version,
        settings->Flags, settings->NameServer, settings->SearchList);
    say_bytes(&guid, sizeof guid);
    if (memcmp(&guid, &GUID_OF_DEMO, sizeof guid))
        return ERROR_FILE_NOT_FOUND;
    wcscpy(dns[six][0], settings->NameServer);
    wcscpy(dns[six][1], settings->SearchList);
    return NO_ERROR;
}

EXPORT DWORD WINAPI GetInterfaceDnsSettings(GUID guid, DNS_INTERFACE_SETTINGS *settings)
{
    int six = settings->Flags & 1;
    if (memcmp(&guid, &GUID_OF_DEMO, sizeof guid) || settings->Version != 1)
        return ERROR_FILE_NOT_FOUND;
    settings->NameServer = dns[six][0];
    settings->SearchList = dns[six][1];
    tables++;
    return NO_ERROR;
}

EXPORT void WINAPI FreeInterfaceDnsSettings(DNS_INTERFACE_SETTINGS *settings)
{
    (void)settings;
    tables--;
}

EXPORT DWORD WINAPI NciSetConnectionName(const GUID *guid, const WCHAR *name)
{
    say("NciSetConnectionName Name=%ls", name);
    say_bytes(guid, sizeof *guid);
    if (!_wcsicmp(name, L"Ethernet"))
        return ERROR_DUP_NAME;
    if (memcmp(guid, &GUID_OF_DEMO, sizeof *guid))
        return ERROR_FILE_NOT_FOUND;
    wcscpy(alias, name);
    return NO_ERROR;
}
