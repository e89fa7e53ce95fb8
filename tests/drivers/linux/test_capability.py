"""drivers.linux.capability: one right of one thread."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.drivers.linux.kernel import needs_kernel
from wintun_api.drivers.linux.availability import has_net_admin
from wintun_api.drivers.linux.capability import put_into_effect
from wintun_api.drivers.linux.driver import LinuxDriver

pytestmark = needs_kernel

STATUS = Path("/proc/thread-self/status")


def test_out_of_effect_and_back() -> None:
    """What is permitted can be put into effect again; other threads keep what they have."""

    def there_and_back() -> list[bool]:
        found = [put_into_effect(False), has_net_admin(STATUS)]
        return [*found, put_into_effect(), has_net_admin(STATUS)]

    with ThreadPoolExecutor(1) as other:
        assert other.submit(there_and_back).result() == [True, False, True, True]
    assert has_net_admin(STATUS)


def test_elevated() -> None:
    """The driver says whether this thread has the right, whatever else is missing."""
    driver = LinuxDriver()

    def without() -> bool:
        put_into_effect(False)
        return driver.elevated()

    with ThreadPoolExecutor(1) as other:
        assert not other.submit(without).result()
    assert driver.elevated()
    assert driver.lasting
    driver.close()
