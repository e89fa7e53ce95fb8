"""drivers.linux.rtnetlink and failure: what the kernel refuses, as our exceptions."""

from __future__ import annotations

import errno
from collections.abc import Callable

import pytest

from tests.drivers.linux import kernel
from wintun_api.drivers.linux.failure import EBADFD, driver_error
from wintun_api.drivers.linux.rtnetlink import RouteSocket
from wintun_api.errors import AccessDenied, AdapterNotFound, DriverError, SessionEnded

NOWHERE = 999_999


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        (errno.EPERM, AccessDenied),
        (errno.EACCES, AccessDenied),
        (errno.ENODEV, AdapterNotFound),
        (EBADFD, SessionEnded),
        (errno.EINVAL, DriverError),
    ],
)
def test_errno(code: int, kind: type[DriverError]) -> None:
    """Each errno has its exception, with the call's name and the number."""
    error = driver_error("RTM_NEWLINK", code)
    assert type(error) is kind
    assert (error.function, error.code, error.domain) == ("RTM_NEWLINK", code, "errno")
    assert "RTM_NEWLINK: errno error" in str(error)


@pytest.mark.usefixtures("namespace")
class TestRouteSocket:
    """In a namespace without adapters."""

    pytestmark = kernel.needs_kernel

    def test_nothing_there(self) -> None:
        """No adapters is an empty list, no link of this index None."""
        with RouteSocket() as route:
            assert route.links() == []
            assert route.link(NOWHERE) is None

    def test_no_such_link(self) -> None:
        """Every change of a link that is gone says so, under its message's name."""
        with RouteSocket() as route:
            calls: dict[str, Callable[[], object]] = {
                "RTM_GETLINK": lambda: route.index_of("nowhere"),
                "RTM_NEWLINK": lambda: route.set_link(NOWHERE, mtu=1420),
                "RTM_DELLINK": lambda: route.delete_link(NOWHERE),
            }
            for function, call in calls.items():
                with pytest.raises(AdapterNotFound) as refusal:
                    call()
                assert refusal.value.function == function

    def test_other_refusals(self) -> None:
        """What has no class of its own keeps its number and the system's sentence."""
        kernel.ip("tuntap", "add", "dev", "other", "mode", "tun")
        with RouteSocket() as route, pytest.raises(DriverError, match="File exists") as refusal:
            route.set_link(route.index_of("other"), ifname="lo")
        assert refusal.value.code == errno.EEXIST
