"""Load the libpcap that the package `libpcap` carries.

The package is a binding with its own copy of libpcap for Linux, macOS and 64-bit Windows, so that
neither the system's libpcap nor Npcap has to be installed. Its calls leave other threads running,
which matters because libpcap waits for the resolver of the system when a filter has a name.
"""

from __future__ import annotations

import importlib
import sys
from functools import cache
from types import ModuleType
from typing import Any, Final, Protocol, cast

from wintun_api.errors import FilterUnavailable

PACKAGE: Final = "libpcap"
SETTINGS: Final = "libpcap.__config__"  # the module that says which library the package loads
CARRIED: Final = "tcpdump"  # its name for the copy that it carries
NO_NETMASK: Final = 0xFFFFFFFF  # pcap.h: PCAP_NETMASK_UNKNOWN
RAW: Final = 12  # pcap/dlt.h: DLT_RAW, which is LINKTYPE_RAW (101) in files
INSTALL: Final = (
    'Install it in the environment of the service with: pip install "wintun-api[filter]" - then '
    "start the service again."
)
AGAIN: Final = (
    "Install it again with: pip install --force-reinstall libpcap - then start the service again."
)


class Library(Protocol):
    """List the functions of libpcap that compile a filter, as the binding has them."""

    def open_dead(self, linktype: int, snaplen: int, /) -> Any:
        """See pcap_open_dead(3PCAP)."""

    def close(self, handle: Any, /) -> None:
        """See pcap_close(3PCAP)."""

    def bpf_program(self) -> Any:
        """Return an empty `struct bpf_program`."""

    def compile(
        self, handle: Any, program: Any, expression: bytes, optimize: int, netmask: int, /
    ) -> int:
        """See pcap_compile(3PCAP)."""

    def freecode(self, program: Any, /) -> None:
        """See pcap_freecode(3PCAP)."""

    def geterr(self, handle: Any, /) -> bytes:
        """See pcap_geterr(3PCAP)."""

    def lib_version(self) -> bytes:
        """See pcap_lib_version(3PCAP)."""


def library() -> Library:
    """Return libpcap.

    Raises:
        FilterUnavailable: It is not installed, or cannot be used here.
    """
    found = loaded()
    if isinstance(found, FilterUnavailable):
        raise FilterUnavailable(str(found), hint=found.hint or INSTALL)
    return found


def version() -> str | None:
    """Return what libpcap calls its version, such as `1.10.6`; None if filters do not work."""
    try:
        text = library().lib_version().decode("ascii", "replace")
    except FilterUnavailable:
        return None
    return text.removeprefix("libpcap version ").partition(" ")[0]


@cache
def loaded() -> Library | FilterUnavailable:
    """Load libpcap once; return it, or why it cannot be used."""
    # The package chooses the library when it is imported, and chooses the system's unless it is
    # told otherwise by then: two libraries in one process would use each other's functions.
    settings = ModuleType(SETTINGS)
    vars(settings).update(config={"LIBPCAP": CARRIED}, set_config=None)
    sys.modules.setdefault(SETTINGS, settings)
    try:
        module = importlib.import_module(PACKAGE)
        module.lib_version()
    except ModuleNotFoundError as error:
        if (error.name or "").partition(".")[0] == PACKAGE:
            return FilterUnavailable("Filters need libpcap, which is not installed.", hint=INSTALL)
        return _unusable(error)
    except Exception as error:  # noqa: BLE001 - a damaged package raises what it likes
        return _unusable(error)
    return cast(Library, module)


def _unusable(error: Exception) -> FilterUnavailable:
    reason = f"{type(error).__name__}: {error}".rstrip(".")
    return FilterUnavailable(f"The installed libpcap cannot be used: {reason}.", hint=AGAIN)
