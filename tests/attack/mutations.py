"""How bytes and values are changed: seeded, so that a run can be repeated."""

from __future__ import annotations

import random
from collections.abc import Sequence
from itertools import pairwise
from typing import Any, Literal

NUMBERS = (
    0, 1, -1, 2, 7, 31, 32, 125, 126, 127, 128, 255, 256, 0x7FFF, 0x8000, 0xFFFF, 0x10000,
    2**31 - 1, 2**31, 2**32 - 1, 2**32, 2**53, 2**63 - 1, 2**63, 2**64 - 1, 2**64, -(2**63),
)  # fmt: skip
TEXTS = (
    "", " ", "\x00", "a\x00b", "\n", "\r\n", "\t", "a" * 127, "a" * 128, "a" * 300, "a" * 70_000,
    "ä", "\u202e", "\ufeff", "\ud800", "\udfff", "😀" * 40, "../../etc/passwd", "%s%n", "{}", "[]",
    "null", "true", "0", "-0", "1e400", "NaN", "::1", "0.0.0.0/0", "10.0.0.1/33", "fe80::1%eth0",
    "1.1.1.1/24", "ff02::1/128", "00000000-0000-0000-0000-000000000000", "CON", "a/b", "a\\b",
    "٣٣", "\uff11\uff12", "<script>", "'; --", "İ", "ß", "K",
)  # fmt: skip


def changed(
    random_: random.Random, data: bytes, tokens: Sequence[bytes], others: Sequence[bytes]
) -> bytes:
    """Return the bytes with some changes: bits, runs, words of the language, parts of others."""
    made = bytearray(data)
    for _ in range(1 + min(8, int(random_.expovariate(0.6)))):
        at = random_.randrange(len(made) + 1)
        match random_.randrange(10):
            case 0 if made:  # a bit
                made[at % len(made)] ^= 1 << random_.randrange(8)
            case 1 if made:  # a byte
                made[at % len(made)] = random_.randrange(256)
            case 2:  # a run goes
                del made[at : at + 1 + int(random_.expovariate(0.1))]
            case 3:  # a run comes twice
                size = 1 + int(random_.expovariate(0.05))
                made[at:at] = made[at : at + size]
            case 4 | 5:  # a word comes in
                made[at:at] = random_.choice(tokens)
            case 6:  # a word takes the place of what is there
                word = random_.choice(tokens)
                made[at : at + len(word)] = word
            case 7:  # the end is another's
                other = random_.choice(others)
                made[at:] = other[random_.randrange(len(other) + 1) :]
            case 8:  # a number
                number = random_.choice(NUMBERS)
                size = random_.choice((1, 2, 4, 8))
                order: Literal["little", "big"] = random_.choice(("little", "big"))
                made[at : at + size] = (number % 2 ** (8 * size)).to_bytes(size, order)
            case _:  # it is cut
                if random_.random() < 0.3:
                    del made[at:]
        if len(made) > 300_000:
            del made[300_000:]
    return bytes(made)


def pieces(random_: random.Random, data: bytes) -> list[bytes]:
    """Cut bytes at random places, as a network may."""
    cuts = sorted(random_.randrange(len(data) + 1) for _ in range(random_.choice((0, 0, 1, 2, 5))))
    edges = [0, *cuts, len(data)]
    return [data[a:b] for a, b in pairwise(edges) if b > a]


def value(random_: random.Random, depth: int = 0) -> Any:
    """Return any JSON value."""
    match random_.randrange(9 if depth < 4 else 6):
        case 0:
            return None
        case 1:
            return random_.random() < 0.5
        case 2:
            return random_.choice(NUMBERS)
        case 3:
            return random_.choice((0.5, -0.0, 1e308, float("inf"), float("nan"), 1e-320))
        case 4 | 5:
            return random_.choice(TEXTS)
        case 6 | 7:
            return [value(random_, depth + 1) for _ in range(random_.randrange(4))]
        case _:
            return {
                random_.choice(TEXTS): value(random_, depth + 1)
                for _ in range(random_.randrange(4))
            }
