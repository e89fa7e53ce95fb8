"""Send numbered datagrams at a steady pace, or count those that come: a program of its own.

    python datagrams.py send ADDRESS PORT PER_SECOND SIZE
    python datagrams.py receive ADDRESS PORT

Both run until SIGTERM, and write what they have counted as JSON then. The receiver writes a line
when it is ready.
"""

from __future__ import annotations

import json
import signal
import socket
import sys
import time
from threading import Event

NUMBER = 8  # bytes
PACE = 0.005  # seconds between two bursts
RECEIVE_BUFFER = 64 * 1024 * 1024
SO_RCVBUFFORCE = 33


def send(to: tuple[str, int], per_second: int, size: int, ended: Event) -> None:
    """Send until the end; what the system refuses is counted, and not sent again."""
    number = refused = 0
    padding = bytes(size - NUMBER)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        began = time.monotonic()
        while not ended.wait(PACE):
            due = int((time.monotonic() - began) * per_second)
            while number < due:
                try:
                    channel.sendto(number.to_bytes(NUMBER, "big") + padding, to)
                except OSError:
                    refused += 1
                number += 1
    print(json.dumps({"sent": number - refused, "refused": refused}))


def receive(at: tuple[str, int], ended: Event) -> None:
    """Count what comes until the end, and find the longest time in which nothing came."""
    seen = bytearray()  # one byte for each number
    received = disordered = last = 0
    silence, silent_from, before, began = 0.0, 0.0, 0.0, 0.0
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as channel:
        channel.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, RECEIVE_BUFFER)
        channel.bind(at)
        channel.settimeout(0.05)
        print("ready", flush=True)
        while True:
            try:
                data = channel.recv(65536)
            except TimeoutError:
                if ended.is_set():
                    break
                continue
            now = time.monotonic()
            began = began or now
            if before and now - before > silence:
                silence, silent_from = now - before, before - began
            before = now
            number = int.from_bytes(data[:NUMBER], "big")
            if number >= len(seen):
                seen.extend(bytes(number + 100_000 - len(seen)))
            seen[number] = min(2, seen[number] + 1)
            received += 1
            disordered += number < last
            last = max(last, number)
    counts = {"received": received, "twice": seen.count(2), "disordered": disordered}
    print(json.dumps({**counts, "silence": silence, "silent_from": silent_from}))


def _main(what: str, address: str, port: str, *more: str) -> None:
    ended = Event()
    signal.signal(signal.SIGTERM, lambda _number, _frame: ended.set())
    if what == "send":
        per_second, size = map(int, more)
        send((address, int(port)), per_second, size, ended)
    else:
        receive((address, int(port)), ended)


if __name__ == "__main__":
    _main(*sys.argv[1:])
