"""Programs of BPF do the same in C, in Python, and in libpcap itself."""

from __future__ import annotations

from array import array
from ctypes import c_ubyte
from random import Random
from typing import Any

import pytest

from tests.extension import extension
from tests.libpcap import need_libpcap
from tests.speedups.arguments import Scene, instructions
from wintun_api.capture.filters.binding import library
from wintun_api.capture.filters.interpreter import MAX_LOOPS, MEMORY_WORDS, checked, run
from wintun_api.capture.filters.matcher import Match, matcher_with, taker_with
from wintun_api.capture.filters.program import INSTRUCTION, Program
from wintun_api.packet.block import Block

LD_B_ABS, LD_LEN, RET_K, RET_A, JA, JEQ, ADD, DIV_X, DIV_K = (
    *(0x30, 0x80, 0x06, 0x16, 0x05, 0x15, 0x04, 0x3C, 0x34),
)
LSH_K, RSH_K, ST = 0x64, 0x74, 0x02
SEEDS = range(400)


@pytest.fixture(params=["python", "native"])
def match(request: pytest.FixtureRequest) -> Match:
    """Both ways to run a program."""
    return matcher_with(None if request.param == "python" else extension())


def program(*lines: tuple[int, int, int, int]) -> Program:
    """Return a program of these instructions."""
    return Program("", b"".join(INSTRUCTION.pack(*line) for line in lines))


def case(seed: int) -> tuple[Program, list[bytes], array[int] | None]:
    """Return a program, packets, and for half of the seeds longer lengths that they had."""
    chance = Random(seed)
    scene = Scene(chance)
    scene.close()
    originals = array("H", (min(65535, len(one) + chance.randrange(9)) for one in scene.packets))
    return Program("", instructions(chance)), scene.packets, originals if seed % 2 else None


def test_c_and_python_agree() -> None:
    """The extension and Python choose the same packets with programs that chance made."""
    native, python = matcher_with(extension()), matcher_with(None)
    chosen = 0
    for seed in SEEDS:
        made, packets, originals = case(seed)
        expected = python(made, packets, originals)
        assert native(made, packets, originals) == expected, seed
        assert native(made, Block.of(packets), originals) == expected, seed
        chosen += len(expected)
    assert chosen > len(SEEDS)


def test_libpcap_agrees() -> None:
    """`bpf_filter` of libpcap returns what Python returns, to the bit."""
    need_libpcap()
    pcap: Any = library()
    instruction = pcap.bpf_insn
    compared = 0
    for seed in SEEDS:
        made, packets, originals = case(seed)
        lines = checked(_defined(made.code))
        if any(code == JA and k >= 2**31 for code, _, _, k in lines):
            continue  # libpcap has no bound for loops
        native = (instruction * len(lines))(*(instruction(*line) for line in lines))
        lengths = list(map(len, packets)) if originals is None else originals
        for one, length in zip(packets, lengths, strict=True):
            memory = (c_ubyte * max(1, len(one)))(*one)
            assert pcap.bpf_filter(native, memory, length, len(one)) == run(lines, one, length)
            compared += 1
    assert compared > len(SEEDS)


def _defined(code: bytes) -> bytes:
    """Return a program without what libpcap leaves open: memory not written, and far shifts."""
    made = b"".join(INSTRUCTION.pack(ST, 0, 0, word) for word in range(MEMORY_WORDS))
    for operation, yes, no, k in INSTRUCTION.iter_unpack(code):
        made += INSTRUCTION.pack(operation, yes, no, k % 32 if operation in {LSH_K, RSH_K} else k)
    return made


def test_beyond_a_packet_is_no_match(match: Match) -> None:
    """A program that reads behind the last byte ends there."""
    last = program((LD_B_ABS, 0, 0, 3), (RET_K, 0, 0, 1))
    assert list(match(last, [b"123", b"1234", b""], None)) == [1]


def test_the_length_is_that_before_the_cut(match: Match) -> None:
    """`len` asks for what a packet was, not for what is there of it."""
    long = program((LD_LEN, 0, 0, 0), (JEQ, 0, 1, 1400), (RET_K, 0, 0, 1), (RET_K, 0, 0, 0))
    for kind in (list, Block.of):
        assert list(match(long, kind([b"E" * 20] * 3), [1400, 20, 1400])) == [0, 2]
        assert list(match(long, kind([b"E" * 20] * 3), None)) == []


def test_division_by_zero_is_no_match(match: Match) -> None:
    """X is 0 at the beginning."""
    assert list(match(program((DIV_X, 0, 0, 0), (RET_K, 0, 0, 1)), [b"E"], None)) == []


def test_a_loop_ends(match: Match) -> None:
    """A program that never ends by itself does not match, and the thread goes on."""
    turns = program(
        (ADD, 0, 0, 1), (JEQ, 1, 0, MAX_LOOPS + 1), (JA, 0, 0, 2**32 - 3), (RET_A, 0, 0, 0)
    )
    assert list(match(turns, [b"E"], None)) == [0]
    never = program((JA, 0, 0, 2**32 - 1), (RET_K, 0, 0, 1))
    assert list(match(never, [b"E"], None)) == []


@pytest.mark.parametrize(
    "wrong",
    [
        b"",
        b"1234567",
        INSTRUCTION.pack(LD_B_ABS, 0, 0, 0),
        INSTRUCTION.pack(0xFF, 0, 0, 0) + INSTRUCTION.pack(RET_K, 0, 0, 1),
        INSTRUCTION.pack(JEQ, 1, 0, 0) + INSTRUCTION.pack(RET_K, 0, 0, 1),
        INSTRUCTION.pack(JA, 0, 0, 1) + INSTRUCTION.pack(RET_K, 0, 0, 1),
        INSTRUCTION.pack(JA, 0, 0, 2**32 - 2) + INSTRUCTION.pack(RET_K, 0, 0, 1),
        INSTRUCTION.pack(DIV_K, 0, 0, 0) + INSTRUCTION.pack(RET_K, 0, 0, 1),
        INSTRUCTION.pack(0x60, 0, 0, 16) + INSTRUCTION.pack(RET_K, 0, 0, 1),
    ],
    ids=[
        *("empty", "half", "no return", "unknown", "jump", "far jump", "back", "zero", "memory"),
    ],
)
def test_what_cannot_run_is_refused(match: Match, wrong: bytes) -> None:
    """A program that leads out of itself is not begun."""
    with pytest.raises(ValueError, match="program"):
        match(Program("", wrong), [b"E" * 40], None)


def test_taken_packets_agree() -> None:
    """The extension copies the packets that Python copies."""
    native, python = taker_with(extension()), taker_with(None)
    for seed in SEEDS:
        chance = Random(seed)
        scene = Scene(chance)
        scene.close()
        count = len(scene.packets)
        places = array("I", sorted(chance.sample(range(count), chance.randrange(count + 1))))
        before = bytes(scene.start)
        lengths = array("H", map(len, scene.packets))
        block = Block(before + b"".join(scene.packets), lengths, sum(lengths), len(before))
        expected = [scene.packets[place] for place in places]
        assert list(native(block, places)) == list(python(block, places)) == expected
        assert native(scene.packets, places) == expected
