"""Fuzzers: inputs changed at random, from a seed, each for a given time.

    streams   bytes: requests before anybody is known, frames behind a handshake
    bodies    JSON for every operation, shaped by the contract and against it; queries; headers
    codecs    batches, captures and packets, for the decoders in this process

An answer with 500, an answer that the contract lacks, a malformed answer, silence, an exception in
a decoder, or a way in without a token is a finding; the seed and the bytes are printed with it.
"""

from __future__ import annotations

import time

from tests.attack import bodies, codecs, streams
from tests.attack.attack import Attack

PART = "fuzz"
LOG = 4 * 2**20
AUDIT = 200_000  # bytes a second at most: a line for each change, as many as the attack makes


def run(attack: Attack) -> None:
    """Run every fuzzer, one after the other."""
    for name, fuzzer in (
        ("requests", streams.requests),
        ("frames", streams.frames),
        ("bodies", bodies.bodies),
        ("headers", bodies.headers),
    ):
        with attack.target(PART, f"{PART}-{name}", TRAFFIC="100") as target:
            until = min(3.0, attack.fuzz_seconds / 4)
            fuzzer(attack, target, f"{name} warm-up", until)
            target.delete_adapters()
            log = LOG + int(AUDIT * attack.fuzz_seconds)
            with attack.watch(PART, target, name, patience=30, log=log):
                began = time.monotonic()
                count = fuzzer(attack, target, name, attack.fuzz_seconds)
                seconds = time.monotonic() - began
                target.delete_adapters()
            attack.figure(PART, **{name: f"{count} in {seconds:.0f} s, {count / seconds:.0f}/s"})
    for name, decoder in codecs.FUZZERS.items():
        began = time.monotonic()
        count = codecs.fuzz(attack, name, decoder, attack.fuzz_seconds / len(codecs.FUZZERS))
        seconds = time.monotonic() - began
        attack.figure(PART, **{name: f"{count} in {seconds:.0f} s, {count / seconds:.0f}/s"})
