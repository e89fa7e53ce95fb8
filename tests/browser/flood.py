"""How the packet view stands a flood: `python -m tests.browser.flood [rate] [seconds] [loops]`.

A real service on the emulated driver in a process of its own, a real Chromium without a screen
(software rendering), both on the same cores. A dot moves in every frame, so that each has
something to draw; frames are counted by the browser's own tracing and by requestAnimationFrame.
First comes the ceiling: an empty page with the dot, while a client that is no page reads the flood.
Then come the packets without a filter, and with a few: how long until each has looked at everything
that was there, and how old the newest row is that it shows. `loops` processes do nothing else than
take the cores away meanwhile.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import psutil
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect
from websockets.typing import Subprotocol

from tests.browser.devtools import Tab, tab
from tests.browser.screen import CHROMIUM
from tests.waiting import let_pass
from wintun_api.wire import BATCH

MOVE_A_DOT = """(() => {
  const dot = document.createElement("i");
  dot.style.cssText = "position:fixed;top:0;left:0;width:8px;height:8px;background:#888;" +
    "pointer-events:none;will-change:transform";
  document.documentElement.append(dot);
  window.drawn = window.longest = 0;
  let last = performance.now();
  const frame = (now) => {
    dot.style.transform = `translateX(${window.drawn++ % 500}px)`;
    window.longest = Math.max(window.longest, now - last);
    last = now;
    requestAnimationFrame(frame);
  };
  requestAnimationFrame(frame);
})()"""
FRAMES = ("devtools.timeline", "disabled-by-default-devtools.timeline.frame")
PARTS = ("Layout", "UpdateLayoutTree", "PrePaint", "Layerize", "Paint", "MinorGC", "MajorGC")
PATIENCE = 60  # seconds that a page may take beside busy loops
WARM_UP = 3  # seconds: the ring fills, the code gets warm
MEGABYTE = 1e6
KIND = re.compile(r"--type=(\S+)")
# By a port, by what is decoded, by text: from the cheapest to the dearest.
FILTERS = ("udp", 'dns.qry.name contains "e"', '"example"')
SETTLED = 60  # seconds
STATUS_PERIOD = 0.3  # seconds, in which the line of numbers is written anew
# Seconds since the newest row that is shown; null without one.
AGE = """(() => {
  const cells = [...document.querySelectorAll(".packet-table .rows .row:not(.hidden) .cell.time")];
  const texts = cells.map((cell) => cell.innerText).filter((text) => /^\\d+:\\d+:/.test(text));
  if (texts.length === 0) return null;
  const [hours, minutes, seconds] = texts.sort().at(-1).split(":").map(Number);
  const now = new Date();
  const midnight = new Date(now).setHours(0, 0, 0, 0);
  return (now - midnight) / 1000 - (hours * 3600 + minutes * 60 + seconds);
})()"""
BUSY = "while True: pass"


@dataclass(frozen=True)
class Demo:
    """A demo that floods its session."""

    url: str
    process: psutil.Process

    @contextmanager
    def read(self) -> Iterator[None]:
        """Read the flood as a client that is no page."""
        parts = urlsplit(self.url)
        (token,) = parse_qs(parts.query)["token"]
        headers = {"Authorization": f"Bearer {token}"}
        base = f"http://{parts.netloc}/v1/sessions"
        (session,) = httpx.get(base, headers=headers).json()
        address = f"ws://{parts.netloc}/v1/sessions/{session['id']}/packets"
        with connect(
            address,
            additional_headers=headers,
            subprotocols=[Subprotocol(BATCH)],
            compression=None,
        ) as socket:
            reader = threading.Thread(target=_read_all, args=(socket.recv,), name="reader")
            reader.start()
            yield
        reader.join()


@contextmanager
def demo(rate: float) -> Iterator[Demo]:
    """Run the demo at a rate."""
    command = [sys.executable, "-m", "wintun_api", "demo", "--no-browser", "--port", "0"]
    process = subprocess.Popen(
        [*command, "--traffic", str(rate)],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    assert process.stdout is not None
    try:
        for line in process.stdout:
            found = re.search(r"http://\S+token=\S+", line)
            if found:
                yield Demo(found[0], psutil.Process(process.pid))
                return
        raise RuntimeError("The demo printed no address.")
    finally:
        process.terminate()
        process.wait(10)


def measure(title: str, page: Tab, service: psutil.Process, seconds: float) -> None:
    """Watch a page for a while, and print what the browser measured."""
    page.evaluate(MOVE_A_DOT)
    let_pass(WARM_UP)
    page.trace(*FRAMES)
    busy, before, began = _busy(service), page.metrics(), time.monotonic()
    drawn = page.evaluate("window.longest = 0, window.drawn")
    heaps = []
    while (left := began + seconds - time.monotonic()) > 0:
        let_pass(min(5.0, left))
        heaps.append(page.metrics()["JSHeapUsedSize"] / MEGABYTE)
    drawn, longest = page.evaluate("window.drawn") - drawn, page.evaluate("window.longest")
    after, elapsed = page.metrics(), time.monotonic() - began
    busy = _busy(service) - busy
    events = page.traced()
    count = Counter(event["name"] for event in events)
    spent = Counter[str]()
    for event in events:
        spent[event["name"]] += event.get("dur", 0)

    def list_of(shares: dict[str, float]) -> str:
        return ", ".join(f"{name} {100 * value / elapsed:.1f}" for name, value in shares.items())

    names = ("Task", "Script", "Layout", "RecalcStyle")
    print(f"{title}, {elapsed:.1f} s")
    print(
        f"  frames/s: {drawn / elapsed:.1f} by requestAnimationFrame, "
        f"{count['DrawFrame'] / elapsed:.1f} drawn and {count['DroppedFrame'] / elapsed:.1f} late "
        f"by tracing; longest gap {longest:.0f} ms"
    )
    print(f"  messages/s: {count['WebSocketReceive'] / elapsed:.0f}")
    clocks = {name: after[f"{name}Duration"] - before[f"{name}Duration"] for name in names}
    print(f"  main thread, % of the time: {list_of(clocks)}")
    print(f"  of it by tracing: {list_of({name: spent[name] / 1e6 for name in PARTS})}")
    print(f"  layouts/s: {(after['LayoutCount'] - before['LayoutCount']) / elapsed:.1f}")
    print(f"  CPU, % of a core: {list_of(dict(busy.most_common()))}")
    print("  JS heap every 5 s, MB: " + " ".join(f"{heap:.1f}" for heap in heaps))
    print(f"  DOM nodes: {after['Nodes']:.0f}")


def main(rate: float = 20_000.0, seconds: float = 60.0, loops: float = 0) -> None:
    """Measure the ceiling for a third of the time, then the packet view, then filters."""
    print(f"{rate:g} packets/s beside {loops:g} busy loops")
    with busy(int(loops)):
        with demo(rate) as flood, flood.read(), tab() as page:
            measure("An empty page", page, flood.process, seconds / 3)
        with demo(rate) as flood, tab() as page:
            page.open(flood.url)
            page.wait_for("document.querySelector('nav') !== null", PATIENCE)
            page.evaluate("location.hash = '#/packets'")
            page.wait_for("document.querySelector('.stream.live') !== null", PATIENCE)
            let_pass(WARM_UP)
            arrived, began = _arrived(page), time.monotonic()
            measure("The packet view", page, flood.process, seconds)
            packets, elapsed = _arrived(page) - arrived, time.monotonic() - began
            print(f"  packets/s: {packets / elapsed:.0f} of {rate:g}")
            print(f"  {_status(page)}")
            for text in FILTERS:
                measure_filter(text, page, flood.process, seconds / 3)


@contextmanager
def busy(loops: int) -> Iterator[None]:
    """Keep that many cores busy."""
    processes = [subprocess.Popen([sys.executable, "-c", BUSY]) for _ in range(loops)]
    try:
        yield
    finally:
        for process in processes:
            process.kill()
            process.wait()


def measure_filter(text: str, page: Tab, service: psutil.Process, seconds: float) -> None:
    """Set a filter, wait until it has looked at what was there, and watch it for a while."""
    began = time.monotonic()
    page.evaluate(
        f"location.hash = '#/packets?' + new URLSearchParams({{filter: {json.dumps(text)}}})"
    )
    page.wait_for(f"document.querySelector('.filter.active input')?.value === {json.dumps(text)}")
    let_pass(STATUS_PERIOD)
    waited = time.monotonic() - began
    while _pending(page) > 0 and waited < SETTLED:
        let_pass(0.05)
        waited = time.monotonic() - began
    settled = f"{waited:.2f} s" if waited < SETTLED else f"not within {SETTLED} s"
    page.evaluate("window.longest = 0")
    drawn, busy_before, began = page.evaluate("window.drawn"), _busy(service), time.monotonic()
    ages, pending = [], []
    while time.monotonic() - began < seconds:
        let_pass(0.25)
        pending.append(_pending(page))
        if (age := page.evaluate(AGE)) is not None:
            ages.append(age)
    elapsed = time.monotonic() - began
    drawn, longest = page.evaluate("window.drawn") - drawn, page.evaluate("window.longest")
    shares = {name: 100 * one / elapsed for name, one in (_busy(service) - busy_before).items()}
    print(f"The filter {text}, {elapsed:.1f} s")
    print(f"  what was there: {settled}")
    print(f"  frames/s: {drawn / elapsed:.1f}; longest gap {longest:.0f} ms")
    if ages:
        ages.sort()
        print(
            f"  age of the newest row: median {ages[len(ages) // 2]:.2f} s, most {ages[-1]:.2f} s"
        )
    print(f"  rows to go: most {max(pending)}, at the end {pending[-1]}")
    print("  CPU, % of a core: " + ", ".join(f"{name} {one:.1f}" for name, one in shares.items()))
    print(f"  {_status(page)}")


def _pending(page: Tab) -> int:
    found = re.search(r"filtering, ([\d,]+) to go", _status(page))
    return 0 if found is None else int(found[1].replace(",", ""))


def _status(page: Tab) -> str:
    text: str = page.evaluate("document.querySelector('.status-line').innerText")
    return text.replace("\n", " | ")


def _arrived(page: Tab) -> int:
    found = re.search(r"([\d,]+) arrived", _status(page))
    assert found is not None
    return int(found[1].replace(",", ""))


def _busy(service: psutil.Process) -> Counter[str]:
    """Return the seconds of CPU that the service and each kind of browser process took."""
    total = Counter[str]()
    for process in (service, *psutil.Process().children(recursive=True)):
        try:
            times, command = process.cpu_times(), " ".join(process.cmdline())
        except psutil.NoSuchProcess:
            continue
        found = KIND.search(command)
        if process != service and not command.startswith(CHROMIUM) and found is None:
            continue  # a busy loop
        kind = "service" if process == service else found[1] if found else "browser"
        total[kind] += times.user + times.system
        if kind == "renderer":
            total["of it the worker"] += _of_workers(process)
    return total


def _of_workers(process: psutil.Process) -> Any:  # a Counter is typed for whole numbers
    """Return the seconds of CPU that the workers of a page took."""
    seconds = 0.0
    for thread in process.threads():
        try:
            name = Path(f"/proc/{process.pid}/task/{thread.id}/comm").read_text()
        except OSError:
            continue
        if name.startswith("DedicatedWorker"):
            seconds += thread.user_time + thread.system_time
    return seconds


def _read_all(receive: Callable[[], object]) -> None:
    try:
        while True:
            receive()
    except ConnectionClosed:
        return


if __name__ == "__main__":
    main(*(float(one) for one in sys.argv[1:]))
