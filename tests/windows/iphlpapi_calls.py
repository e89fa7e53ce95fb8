"""What a Windows process does through the IP Helper: a program for the rig's interpreter.

`python -m tests.windows.iphlpapi_calls STANDIN.dll` calls every function of `WindowsIpHelper` on
the stand-in and writes what came back, and what the stand-in recorded, as one line of JSON.
"""

from __future__ import annotations

import ctypes
import json
import sys
from ipaddress import ip_address, ip_interface, ip_network
from typing import Any

from wintun_api.drivers.base import Route
from wintun_api.drivers.windows.system_calls import SystemCalls, find_in_system
from wintun_api.drivers.windows.system_ip_helper import WindowsIpHelper, windows_ip_helper
from wintun_api.errors import DriverError

LUID = 0x0035000001000000
ADDRESSES = [ip_interface("10.6.7.7/24"), ip_interface("fd06:7::7/64")]
ROUTES = [
    Route(destination=ip_network("10.60.0.0/16")),
    Route(destination=ip_network("::/0"), next_hop=ip_address("fd06:7::1"), metric=7),
]

assert sys.platform == "win32"


def failure(call: Any, *arguments: Any) -> list[Any]:
    """Return class, function and code of the exception that a call raises."""
    try:
        call(*arguments)
    except DriverError as error:
        return [type(error).__name__, error.function, error.code]
    raise AssertionError("It did not fail.")


def main(path: str) -> dict[str, Any]:
    """Make the calls and return what became of them."""
    library = ctypes.WinDLL(path)
    library.Recorded.restype = ctypes.c_char_p
    calls = SystemCalls(lambda _, row: (row.name, library))
    helper = WindowsIpHelper(calls, (1.0, 0.3))
    found: dict[str, Any] = {
        "complete": [calls.complete, SystemCalls(find_in_system).complete],
        "system": windows_ip_helper() is not None,
        "has": [helper.has_dns, helper.has_rename],
        "luid": [helper.luid_of_alias(name) for name in ("Demo", "DEMO", "Nobody")],
        "identity": [str(helper.guid(LUID)), helper.interface_index(LUID), helper.alias(LUID)],
        "interfaces": helper.interfaces(),
        "description": helper.description(LUID),
        "gone": [failure(helper.guid, 1), failure(helper.alias, 1), failure(helper.mtu, 1)],
    }
    counters = helper.counters(LUID)
    found["counters"] = [getattr(counters, name) for name in counters.__slots__]
    library.BindLater(2, 2)
    helper.set_mtu(LUID, 1420)
    helper.set_metric(LUID, 25)
    found["mtu"] = [helper.mtu(LUID), helper.metric(LUID)]
    helper.set_metric(LUID, None)
    found["families"] = [list(helper.families(LUID)), helper.metric(LUID)]
    helper.set_addresses(LUID, ADDRESSES)
    found["addresses"] = [str(one) for one in helper.addresses(LUID)]
    helper.set_addresses(LUID, [ip_interface("10.6.7.7/16")])
    found["changed"] = [str(one) for one in helper.addresses(LUID)]
    helper.set_routes(LUID, ROUTES)
    found["routes"] = set(helper.routes(LUID)) == set(ROUTES)
    helper.set_routes(LUID, [Route(destination=ip_network("10.60.0.0/16"), metric=9)])
    found["route"] = [one.metric for one in helper.routes(LUID)]
    helper.set_dns(LUID, [ip_address("10.6.7.1"), ip_address("fd06:7::1")], ["example.com"])
    servers, search = helper.dns(LUID)
    found["dns"] = [[str(server) for server in servers], list(search)]
    found["taken"] = failure(helper.rename, LUID, "Ethernet")
    helper.rename(LUID, "Büro \U0001f30d")
    found["renamed"] = helper.alias(LUID)
    library.BindLater(0, -1)
    found["without_ipv6"] = [
        list(helper.families(LUID)),
        failure(helper.set_addresses, LUID, ADDRESSES),
    ]
    found["tables"] = library.TablesInUse()
    found["recorded"] = library.Recorded().decode("utf-8", "replace").splitlines()
    return found


if __name__ == "__main__":
    print(json.dumps(main(sys.argv[1])))
