"""What the heap keeps between bursts."""

from __future__ import annotations

import subprocess
import sys

import pytest

BURSTS = """
import os, resource
from wintun_api.drivers.linux.heap import keep_heap
assert keep_heap()
zero = os.open("/dev/zero", os.O_RDONLY)
def faults(bursts):
    before = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(bursts):
        packets = [os.read(zero, 1420) for _ in range(64)]
        b"".join(packets)
    return resource.getrusage(resource.RUSAGE_SELF).ru_minflt - before
faults(50)
print(faults(1000))
"""


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux'.")
def test_bursts_cost_no_page_faults() -> None:
    """A thousand bursts of one size reuse the memory of the first ones."""
    done = subprocess.run(
        [sys.executable, "-c", BURSTS], capture_output=True, text=True, check=True, timeout=60
    )
    assert int(done.stdout) < 1000
