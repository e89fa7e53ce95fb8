"""A capture takes over the signals of its process, which is that of the tests here."""

from __future__ import annotations

import signal
from collections.abc import Iterator

import pytest

from wintun_api.extcap.stopping import STOPS


@pytest.fixture(autouse=True)
def signals_are_put_back() -> Iterator[None]:
    """Leave the tests that follow, and the programs that they start, the usual signals."""
    numbers = [getattr(signal, name) for name in STOPS if hasattr(signal, name)]
    handlers = [signal.getsignal(number) for number in numbers]
    yield
    for number, handler in zip(numbers, handlers, strict=True):
        signal.signal(number, handler)
