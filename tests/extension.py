"""The C extension, for tests that compare it with its Python twins."""

from __future__ import annotations

from tests.needs import leave_out
from wintun_api import native
from wintun_api.choices import Native
from wintun_api.native import Speedups


def extension() -> Speedups:
    """Return the extension; the test is left out where it was not built."""
    speedups = native.speedups(Native.AUTO)
    if speedups is None:
        absence = native.absence()
        leave_out(absence.reason if absence else "")
    assert speedups is not None
    return speedups
