"""How the packet view stands a flood: `python -m tests.browser.flood [rate] [seconds]`.

A real service on the emulated driver in a process of its own, a real Chromium without a screen
(software rendering). Measured by the browser: frames by its own tracing and by
requestAnimationFrame, heap and where the main thread's time goes by Performance.getMetrics.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tests.browser.screen import chromium

COUNT_FRAMES = """
window.frames_drawn = 0;
window.longest_gap = 0;
let last = performance.now();
const frame = (now) => {
  window.frames_drawn++;
  window.longest_gap = Math.max(window.longest_gap, now - last);
  last = now;
  requestAnimationFrame(frame);
};
requestAnimationFrame(frame);
"""
TRACED = "devtools.timeline,disabled-by-default-devtools.timeline.frame"
MEGABYTE = 1e6


@contextmanager
def demo(rate: float) -> Iterator[str]:
    """Run the demo at a rate and yield the address of its dashboard."""
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
                yield found[0]
                return
        raise RuntimeError("The demo printed no address.")
    finally:
        process.terminate()
        process.wait(10)


def measure(rate: float, seconds: float) -> None:
    """Flood the page, and print what the browser measured."""
    with demo(rate) as url, chromium() as browser:
        page = browser.new_page(viewport={"width": 1280, "height": 800})
        page.goto(url)
        page.get_by_role("link", name="Packets").click()
        page.locator(".stream.live").wait_for()
        page.wait_for_timeout(3000)  # the ring fills, the code gets warm
        session = page.context.new_cdp_session(page)
        session.send("Performance.enable")
        traced: Counter[str] = Counter()
        tracing = browser.new_browser_cdp_session()
        tracing.on(
            "Tracing.dataCollected",
            lambda data: traced.update(event.get("name", "") for event in data["value"]),
        )
        done: list[Any] = []
        tracing.on("Tracing.tracingComplete", lambda data: done.extend([data]))

        def metrics() -> dict[str, float]:
            answer = session.send("Performance.getMetrics")
            return {one["name"]: one["value"] for one in answer["metrics"]}

        page.evaluate(COUNT_FRAMES)
        arrived = _arrived(page)
        tracing.send("Tracing.start", {"categories": TRACED})
        before, began = metrics(), time.monotonic()
        heaps = []
        while time.monotonic() - began < seconds:
            page.wait_for_timeout(5000)
            heaps.append(metrics()["JSHeapUsedSize"] / MEGABYTE)
        elapsed = time.monotonic() - began
        after = metrics()
        frames, gap = page.evaluate("[window.frames_drawn, window.longest_gap]")
        packets = _arrived(page) - arrived
        tracing.send("Tracing.end")
        while not done:
            page.wait_for_timeout(100)
        share = {
            name: 100 * (after[f"{name}Duration"] - before[f"{name}Duration"]) / elapsed
            for name in ("Task", "Script", "Layout", "RecalcStyle")
        }
        print(f"{elapsed:.1f} s, {packets} packets came, {packets / elapsed:.0f}/s of {rate:g}/s")
        print(
            f"frames: {frames / elapsed:.1f}/s by requestAnimationFrame, longest gap {gap:.0f} ms"
        )
        fired, drawn = (traced[name] / elapsed for name in ("FireAnimationFrame", "DrawFrame"))
        print(f"traced: {fired:.1f} animation frames/s, {drawn:.1f}/s of them changed the screen")
        print("main thread, % of the time: " + ", ".join(f"{k} {v:.1f}" for k, v in share.items()))
        print("JS heap every 5 s, MB: " + " ".join(f"{heap:.1f}" for heap in heaps))
        print(f"DOM nodes: {after['Nodes']:.0f}; {page.locator('.status-line').inner_text()!r}")


def _arrived(page: Any) -> int:
    text = page.locator(".status-line").inner_text()
    found = re.search(r"([\d,]+) arrived", text)
    assert found is not None
    return int(found[1].replace(",", ""))


if __name__ == "__main__":
    arguments = [float(one) for one in sys.argv[1:]]
    measure(*(arguments + [20_000.0, 60.0][len(arguments) :]))
