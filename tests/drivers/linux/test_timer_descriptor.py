"""drivers.linux.timer_descriptor: the kernel tells a time by a descriptor."""

from __future__ import annotations

import os
import resource
import select
import sys
import time

import pytest

from wintun_api.drivers.linux.timer_descriptor import TimerDescriptor

assert sys.platform != "win32"  # tests/drivers/conftest.py leaves it out there


def ready(timer: TimerDescriptor, seconds: float) -> bool:
    """Return whether the descriptor becomes readable within so long."""
    descriptor = timer.fileno()
    assert descriptor is not None
    return bool(select.select([descriptor], [], [], seconds)[0])


def test_it_is_readable_from_its_time_on() -> None:
    """Not before, and until another time is set."""
    timer = TimerDescriptor()
    assert not ready(timer, 0)
    at = time.perf_counter_ns() + 20_000_000
    timer.set(at)
    assert ready(timer, 30)
    assert time.perf_counter_ns() >= at
    assert ready(timer, 0)
    timer.set(time.perf_counter_ns() + 600_000_000_000)
    assert not ready(timer, 0)
    for past in (0, 1, at):
        timer.set(past)
        assert ready(timer, 30)
        timer.set(None)
        assert not ready(timer, 0)
    timer.close()
    timer.close()


def test_the_descriptor_is_not_inherited() -> None:
    """A program that the service starts does not get it."""
    timer = TimerDescriptor()
    descriptor = timer.fileno()
    assert descriptor is not None
    assert not os.get_inheritable(descriptor)
    assert not os.get_blocking(descriptor)
    timer.close()


def test_without_descriptors() -> None:
    """The error is that of the system."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (0, hard))
    try:
        with pytest.raises(OSError, match="Too many open files"):
            TimerDescriptor()
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
