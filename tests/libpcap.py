"""libpcap, which the extra `filter` brings, for tests that compile filters."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType

from tests.needs import NOT_INSTALLED, leave_out
from wintun_api.capture.filters.binding import version

Install = Callable[[ModuleType | None], None]  # makes a module, or none, the installed libpcap


def need_libpcap(*, module: bool = False) -> None:
    """Go on only where filters work; `module` leaves out the test's whole file."""
    if version() is None:
        leave_out(f"{NOT_INSTALLED}libpcap", module=module)
