from __future__ import annotations

import gc
import time
import weakref

from wintun_api.drivers.base import LogLevel, LogLine
from wintun_api.drivers.wintun.abi import Generation
from wintun_api.drivers.wintun.log import RECENT_LINES, Log, unix_ns


def test_filetime() -> None:
    """FILETIME counts 100 ns since 1601."""
    assert unix_ns(116_444_736_000_000_000) == 0
    assert unix_ns(133_000_000_000_000_001) == 1_655_526_400_000_000_100


def test_both_shapes() -> None:
    """Each generation's callback gives the same line."""
    lines: list[LogLine] = []
    for generation in Generation:
        log = Log(generation)
        log.logger = lines.append
        if generation is Generation.POOL:
            log.callback(1, "text\r\n")
        else:
            log.callback(1, 133_000_000_000_000_000, "text\r\n")
    assert [(line.level, line.message) for line in lines] == [(LogLevel.WARN, "text")] * 2
    assert abs(lines[0].time_ns - time.time_ns()) < 5e9
    assert lines[1].time_ns == 1_655_526_400_000_000_000


def test_unknown_level() -> None:
    """A level that wintun.h does not know counts as an error."""
    lines: list[LogLine] = []
    log = Log(Generation.POOL)
    log.logger = lines.append
    log.callback(7, "text")
    assert lines[0].level is LogLevel.ERR


def test_since() -> None:
    """The lines of a call are those after its mark; old ones are forgotten."""
    log = Log(Generation.POOL)
    log.callback(0, "before")
    mark = log.mark()
    log.callback(0, "after")
    assert log.since(mark) == ("after",)
    for _ in range(2 * RECENT_LINES):
        log.callback(0, "more")
    assert log.since(mark) == ("more",) * RECENT_LINES


def test_callback_outlives_its_log() -> None:
    """A library's thread may still call after everything else has gone."""
    reference = weakref.ref(Log(Generation.POOL).callback)
    gc.collect()
    callback = reference()
    assert callback is not None
    callback(0, "late")
