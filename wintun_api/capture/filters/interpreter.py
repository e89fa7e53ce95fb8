"""Run a program in Python.

Source: bpf_filter.c of libpcap (pcap_filter, pcap_validate_filter). The names are those of bpf.h.
A program that reads beyond a packet, or divides by zero, does not match it.
"""

from __future__ import annotations

import struct
from array import array
from collections.abc import Sequence
from functools import lru_cache
from typing import Final, TypeAlias

from wintun_api.capture.filters.program import INSTRUCTION, Program

Instruction: TypeAlias = tuple[int, int, int, int]

MEMORY_WORDS: Final = 16  # BPF_MEMWORDS
WORD: Final = 0xFFFFFFFF

# Jumps back in one packet. libpcap makes loops for `protochain` alone, and each turn of one steps
# over at least 8 bytes of the packet.
MAX_LOOPS: Final = 8192

# BPF_LD and BPF_LDX
LD_W_ABS, LD_H_ABS, LD_B_ABS = 0x20, 0x28, 0x30
LD_W_IND, LD_H_IND, LD_B_IND = 0x40, 0x48, 0x50
LD_LEN, LD_IMM, LD_MEM = 0x80, 0x00, 0x60
LDX_LEN, LDX_IMM, LDX_MEM, LDX_MSH = 0x81, 0x01, 0x61, 0xB1
# BPF_ST and BPF_STX, BPF_MISC, BPF_RET
ST, STX, TAX, TXA, RET_K, RET_A = 0x02, 0x03, 0x07, 0x87, 0x06, 0x16
# BPF_JMP; with BPF_X, X takes the place of the operand
JA, JEQ, JGT, JGE, JSET, X = 0x05, 0x15, 0x25, 0x35, 0x45, 0x08
# BPF_ALU
ADD, SUB, MUL, DIV, OR, AND = 0x04, 0x14, 0x24, 0x34, 0x44, 0x54
LSH, RSH, NEG, MOD, XOR = 0x64, 0x74, 0x84, 0x94, 0xA4

ABSOLUTE: Final = {
    LD_W_ABS: struct.Struct(">I"),
    LD_H_ABS: struct.Struct(">H"),
    LD_B_ABS: struct.Struct("B"),
}
INDIRECT: Final = {
    LD_W_IND: struct.Struct(">I"),
    LD_H_IND: struct.Struct(">H"),
    LD_B_IND: struct.Struct("B"),
}
CONDITIONS: Final = frozenset({JEQ, JGT, JGE, JSET})
CALCULATIONS: Final = frozenset({ADD, SUB, MUL, DIV, OR, AND, LSH, RSH, MOD, XOR})
WITH_MEMORY: Final = frozenset({LD_MEM, LDX_MEM, ST, STX})
OTHERS: Final = frozenset({LD_LEN, LD_IMM, LDX_LEN, LDX_IMM, LDX_MSH, TAX, TXA, RET_K, RET_A, NEG})


def match(
    program: Program, packets: Sequence[bytes], originals: Sequence[int] | None
) -> array[int]:
    """Return the indexes of the packets that match; see `matcher.Match`."""
    instructions = checked(program.code)
    lengths = map(len, packets) if originals is None else originals
    return array(
        "I",
        (
            index
            for index, (packet, length) in enumerate(zip(packets, lengths, strict=True))
            if run(instructions, packet, length)
        ),
    )


@lru_cache(maxsize=32)
def checked(code: bytes) -> tuple[Instruction, ...]:
    """Return the instructions of a program.

    Raises:
        ValueError: One of them is unknown, or leads out of the program.
    """
    if not code or len(code) % INSTRUCTION.size:
        raise ValueError("The program is not made of whole instructions.")
    instructions: tuple[Instruction, ...] = tuple(INSTRUCTION.iter_unpack(code))
    last = len(instructions) - 1
    for at, (operation, if_true, if_false, operand) in enumerate(instructions):
        if operation == JA:
            right = 0 <= at + 1 + _signed(operand) <= last
        elif operation & ~X in CONDITIONS:
            right = at + 1 + max(if_true, if_false) <= last
        elif operation & ~X in CALCULATIONS:
            right = operand != 0 or operation not in {DIV, MOD}
        elif operation in WITH_MEMORY:
            right = operand < MEMORY_WORDS
        else:
            right = operation in OTHERS or operation in ABSOLUTE or operation in INDIRECT
        if not right:
            raise ValueError(f"Instruction {at} of the program is wrong.")
    if instructions[last][0] not in {RET_K, RET_A}:
        raise ValueError("The program does not end with a return.")
    return instructions


def run(instructions: Sequence[Instruction], packet: bytes, length: int) -> int:
    """Return what a program says of a packet; 0 if it does not match.

    Args:
        instructions: The program, as `checked` returned it.
        packet: The bytes that are there.
        length: The bytes that the packet had before it was cut.
    """
    a = x = at = loops = 0
    memory = [0] * MEMORY_WORDS
    have = len(packet)
    while True:
        operation, if_true, if_false, k = instructions[at]
        at += 1
        kind = operation & 7
        if kind == 0:
            if (form := ABSOLUTE.get(operation)) is not None:
                if k + form.size > have:
                    return 0
                (a,) = form.unpack_from(packet, k)
            elif (form := INDIRECT.get(operation)) is not None:
                if x + k + form.size > have:
                    return 0
                (a,) = form.unpack_from(packet, x + k)
            elif operation == LD_IMM:
                a = k
            else:
                a = length if operation == LD_LEN else memory[k]
        elif kind == 5:
            if operation == JA:
                step = _signed(k)
                at += step
                if step < 0 and (loops := loops + 1) > MAX_LOOPS:
                    return 0
            else:
                at += if_true if _holds(operation & ~X, a, x if operation & X else k) else if_false
        elif kind == 4:
            if operation == NEG:
                a = -a & WORD
            else:
                value = x if operation & X else k
                if value == 0 and operation & ~X in {DIV, MOD}:
                    return 0
                a = _calculated(operation & ~X, a, value)
        elif kind == 6:
            return a if operation == RET_A else k
        elif kind == 1:
            if operation == LDX_MSH:
                if k >= have:
                    return 0
                x = (packet[k] & 15) << 2
            elif operation == LDX_IMM:
                x = k
            else:
                x = length if operation == LDX_LEN else memory[k]
        elif operation == TAX:
            x = a
        elif operation == TXA:
            a = x
        else:
            memory[k] = a if operation == ST else x


def _signed(operand: int) -> int:
    return operand - 2**32 if operand >= 2**31 else operand


def _holds(condition: int, a: int, value: int) -> bool:
    if condition == JEQ:
        return a == value
    if condition == JGT:
        return a > value
    return a >= value if condition == JGE else bool(a & value)


def _calculated(operation: int, a: int, value: int) -> int:
    if operation == AND:
        return a & value
    if operation == ADD:
        return (a + value) & WORD
    if operation == SUB:
        return (a - value) & WORD
    if operation == MUL:
        return (a * value) & WORD
    if operation == DIV:
        return a // value
    if operation == MOD:
        return a % value
    if operation == OR:
        return a | value
    if operation == XOR:
        return a ^ value
    if value >= 32:
        return 0
    return (a << value) & WORD if operation == LSH else a >> value
