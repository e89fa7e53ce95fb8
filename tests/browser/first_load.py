"""What it costs a browser to open the page: `python -m tests.browser.first_load [times]`.

Script is counted by the CPU time of the page's thread, so that other load on the machine does not
count; bytes are those that came over the wire, with nothing in the browser's cache.
"""

from __future__ import annotations

import sys
from collections import defaultdict

from tests.browser.devtools import Event, Tab, tab
from tests.browser.flood import demo

LIVE = "document.querySelector('.state[data-state=live]') !== null"
PLACES = {"#/overview": LIVE, "#/packets": f"{LIVE} && document.querySelector('.packet-table')"}
SCRIPT = {
    "v8.compileModule",
    "v8.evaluateModule",
    "v8.callFunction",
    "EvaluateScript",
    "FunctionCall",
    "RunMicrotasks",
    "TimerFire",
    "EventDispatch",
    "FireAnimationFrame",
    "MinorGC",
    "MajorGC",
}
PATIENCE = 60  # seconds


def main(times: int = 5) -> None:
    """Open each place a few times, each in a new browser, and print what it took."""
    with demo(100) as flood:
        url = flood.url.partition("?")[0]
        for place, shown in PLACES.items():
            costs = []
            for _ in range(times):
                with tab() as page:
                    page.open(flood.url)
                    page.wait_for(LIVE, PATIENCE)
                    costs.append(cost(page, url + place, shown))
            script = sorted(one for one, _ in costs)
            print(f"{place}: script {script} ms of CPU time, {costs[-1][1] / 1024:.1f} KiB sent")


def cost(page: Tab, url: str, shown: str) -> tuple[int, float]:
    """Return the milliseconds of script and the bytes that opening an address costs."""
    page.call("Network.enable")
    page.call("Network.setCacheDisabled", cacheDisabled=True)
    page.open("about:blank")
    page.wait_for("location.href === 'about:blank'")
    page.trace("devtools.timeline", "v8")
    page.open(url)
    page.wait_for(shown, PATIENCE)
    sent = page.evaluate(
        "['navigation', 'resource'].flatMap((type) => performance.getEntriesByType(type))"
        ".filter((one) => !one.name.includes('/v1/'))"
        ".reduce((sum, one) => sum + one.encodedBodySize, 0)"
    )
    return round(max(map(script_of, by_thread(page.traced())), default=0)), sent


def by_thread(events: list[Event]) -> list[list[Event]]:
    """Return the events of script, by the thread that ran it."""
    found: dict[tuple[int, int], list[Event]] = defaultdict(list)
    for event in events:
        if event.get("ph") == "X" and event["name"] in SCRIPT and "tdur" in event:
            found[event["pid"], event["tid"]].append(event)
    return list(found.values())


def script_of(events: list[Event]) -> float:
    """Return the milliseconds of CPU time of a thread's script, none of them twice."""
    total, end = 0.0, 0.0
    for event in sorted(events, key=lambda one: (one["ts"], -one["dur"])):
        if event["ts"] >= end:
            total += event["tdur"] / 1000
            end = event["ts"] + event["dur"]
    return total


if __name__ == "__main__":
    main(*(int(one) for one in sys.argv[1:]))
