"""The IP Helper from a Windows process in Wine, over a compiled stand-in that records the bytes.

Wine lacks most of these functions. The stand-in is built with mingw-w64's own netioapi.h, so the
structures that ctypes fills are read here as a C compiler lays them out. What Windows does with
them is not shown.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.windows.rig import HERE, PROJECT, compile_c
from tests.windows.wine import windows_path, windows_python

GUID = "deadbabe-cafe-beef-0123-456789abcdef"
LUID = "35000001000000"


@pytest.fixture(scope="module")
def shown(rig: Path, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Any]:
    """What the program of `iphlpapi_calls` wrote."""
    library = tmp_path_factory.mktemp("standin") / "iphlpapi-standin.dll"
    compile_c(HERE / "iphlpapi_standin.c", library, "-shared")
    program = ("-m", "tests.windows.iphlpapi_calls", windows_path(library))
    with windows_python(rig, *program, cwd=PROJECT) as python:
        code = python.wait()
        assert code == 0, python.output
        found: dict[str, Any] = json.loads(python.output)
        return found


def recorded(shown: dict[str, Any], function: str) -> list[dict[str, str]]:
    """The calls of a function: its fields by name, as the compiler finds them."""
    lines = [line for line in shown["recorded"] if line.startswith(f"{function} ")]
    return [dict(re.findall(r"(\w+)=(\S*)", line)) for line in lines]


def test_which_functions(shown: dict[str, Any]) -> None:
    """The stand-in has them all; Wine has not, so that the driver goes without an IP Helper."""
    assert shown["complete"] == [True, False]
    assert shown["system"] is False
    assert shown["has"] == [True, True]


def test_identity(shown: dict[str, Any]) -> None:
    """LUID, GUID, index, alias, description and counters cross in both directions."""
    luid = int(LUID, 16)
    assert shown["luid"] == [luid, luid, None]
    assert shown["identity"] == [GUID, 7, "Demo"]
    assert shown["interfaces"] == [[luid, "Example Tunnel"]]
    assert shown["description"] == "Example Tunnel"
    assert shown["counters"] == [7, 700, 3, 5, 500, 6]
    assert [kind for kind, *_ in shown["gone"]] == ["AdapterNotFound"] * 3


def test_mtu_and_metric(shown: dict[str, Any]) -> None:
    """Both families get both, after they were bound, with a site prefix that Windows takes."""
    assert shown["mtu"] == [1420, 25]
    assert shown["families"] == [[4, 6], None]
    rows = recorded(shown, "SetIpInterfaceEntry")
    assert [row["Family"] for row in rows] == ["2", "23"] * 3
    assert [row["SitePrefixLength"] for row in rows] == ["0", "128"] * 3
    assert {row["NlMtu"] for row in rows} == {"1420"}
    assert [(row["UseAutomaticMetric"], row["Metric"]) for row in rows[::2]] == [
        ("1", "0"),
        ("0", "25"),
        ("1", "25"),
    ]
    assert {row["InterfaceLuid"] for row in rows} == {LUID}
    assert {len(row["bytes"]) for row in rows} == {2 * 168}


def test_addresses(shown: dict[str, Any]) -> None:
    """Addresses, prefix lengths, lifetimes and DadState are where the compiler looks for them."""
    assert shown["addresses"] == ["10.6.7.7/24", "fd06:7::7/64"]
    assert shown["changed"] == ["10.6.7.7/16"]
    four, six = recorded(shown, "CreateUnicastIpAddressEntry")
    assert (four["Address"], four["OnLinkPrefixLength"]) == ("10.6.7.7", "24")
    assert six["Address"] == "fd060007000000000000000000000007"
    assert six["OnLinkPrefixLength"] == "64"
    for row in (four, six):
        assert row["InterfaceLuid"] == LUID
        assert (row["ValidLifetime"], row["PreferredLifetime"]) == ("ffffffff", "ffffffff")
        assert row["DadState"] == "4"
        assert len(row["bytes"]) == 2 * 80
    assert four["bytes"].startswith("020000000a060707")
    (changed,) = recorded(shown, "SetUnicastIpAddressEntry")
    assert changed["OnLinkPrefixLength"] == "16"
    (deleted,) = recorded(shown, "DeleteUnicastIpAddressEntry")
    assert deleted["Address"] == six["Address"]


def test_routes(shown: dict[str, Any]) -> None:
    """Destination, next hop, metric and protocol are where the compiler looks for them."""
    assert shown["routes"] is True
    assert shown["route"] == [9]
    four, six = recorded(shown, "CreateIpForwardEntry2")
    assert (four["DestinationPrefix"], four["NextHop"]) == ("10.60.0.0/16", "0.0.0.0")
    assert six["DestinationPrefix"] == f"{'0' * 32}/0"
    assert six["NextHop"] == "fd060007000000000000000000000001"
    assert (four["Metric"], six["Metric"]) == ("0", "7")
    for row in (four, six):
        assert (row["Protocol"], row["Immortal"]) == ("3", "1")
        assert row["ValidLifetime"] == "ffffffff"
        assert len(row["bytes"]) == 2 * 104
    assert [row["Metric"] for row in recorded(shown, "SetIpForwardEntry2")] == ["9"]
    assert [row["NextHop"] for row in recorded(shown, "DeleteIpForwardEntry2")] == [six["NextHop"]]


def test_dns(shown: dict[str, Any]) -> None:
    """The GUID arrives by value, the texts as UTF-16, in the list of each family."""
    assert shown["dns"] == [["10.6.7.1", "fd06:7::1"], ["example.com"]]
    four, six = recorded(shown, "SetInterfaceDnsSettings")
    assert (four["Flags"], six["Flags"]) == ("6", "7")
    assert (four["NameServer"], six["NameServer"]) == ("10.6.7.1", "fd06:7::1")
    for row in (four, six):
        assert row["Interface"] == GUID[:18]
        assert row["bytes"] == "bebaaddefecaefbe0123456789abcdef"
        assert (row["Version"], row["SearchList"]) == ("1", "example.com")


def test_rename(shown: dict[str, Any]) -> None:
    """A name beyond ASCII arrives, and one in use is refused by its number."""
    assert shown["taken"] == ["AdapterExists", "NciSetConnectionName", 52]
    assert shown["renamed"] == "Büro \U0001f30d"


def test_without_ipv6(shown: dict[str, Any]) -> None:
    """A family that is never bound is told after a bounded time."""
    families, failure = shown["without_ipv6"]
    assert families == [4]
    assert failure == ["SettingRefused", "GetIpInterfaceEntry", 1168]


def test_everything_is_freed(shown: dict[str, Any]) -> None:
    """Every table and string that Windows gave out was given back."""
    assert shown["tables"] == 0
