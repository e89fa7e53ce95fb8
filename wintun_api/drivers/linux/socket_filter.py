"""Build programs that select which messages a netlink socket receives (linux/filter.h).

The kernel keeps a limited number of messages for a socket. A program prevents irrelevant messages
from using up the room for relevant ones.
"""

from __future__ import annotations

import ctypes
import socket
import struct
from collections.abc import Sequence
from typing import NamedTuple

SO_ATTACH_FILTER = 26

# Code, jump if true, jump if false, operand.
INSTRUCTION = struct.Struct("=HBBI")
LOAD_HALF, LOAD_WORD, LOAD_WORD_AT, LOAD_NUMBER = 0x28, 0x20, 0x40, 0x00
LOAD_INDEX, TO_INDEX, JUMP_IF_EQUAL, RETURN = 0x01, 0x07, 0x15, 0x06
LOAD_BYTE, JUMP_IF_SET = 0x30, 0x45
FIND_ATTRIBUTE = 0xFFFFF000 + 12  # SKF_AD_NLATTR
ALL, NOTHING = 0xFFFFFFFF, 0

KIND, FLAGS = 4, 6  # where these are in a message
BODY = 16  # where the message's own header begins
LINK_INDEX = BODY + 4  # rtnetlink.h: ifi_index of ifinfomsg


class Step(NamedTuple):
    """Hold one instruction. A jump is the number of instructions to skip."""

    code: int
    operand: int
    if_true: int = 0
    if_false: int = 0


Program = Sequence[Step]


def attach(to: socket.socket, program: Program) -> None:
    """Make the socket receive only what the program passes; it replaces an earlier program.

    Raises:
        OSError: The kernel refuses the program.
    """
    code = b"".join(
        INSTRUCTION.pack(step.code, step.if_true, step.if_false, step.operand) for step in program
    )
    room = ctypes.create_string_buffer(code, len(code))
    pointer = struct.pack("@HP", len(program), ctypes.addressof(room))
    to.setsockopt(socket.SOL_SOCKET, SO_ATTACH_FILTER, pointer)


def of_kind(kind: int) -> list[Step]:
    """Return a program for messages of one kind."""
    return [
        Step(LOAD_HALF, KIND),
        Step(JUMP_IF_EQUAL, socket.htons(kind), 0, 1),
        Step(RETURN, ALL),
        Step(RETURN, NOTHING),
    ]


def of_link(kind: int, attribute: int, start: bytes, index: int) -> list[Step]:
    """Return a program for messages of a kind about a link with this index or attribute.

    The attribute must begin with `start`, of which only whole words of four bytes are compared.
    """
    words = [int.from_bytes(start[at : at + 4], "big") for at in range(0, len(start) // 4 * 4, 4)]
    by_attribute = [
        Step(LOAD_NUMBER, BODY + 16),
        Step(LOAD_INDEX, attribute),
        Step(LOAD_WORD, FIND_ATTRIBUTE),
        Step(JUMP_IF_EQUAL, 0, 0, 1),
        Step(RETURN, NOTHING),
        Step(TO_INDEX, 0),
    ]
    for number, word in enumerate(words):
        by_attribute += [
            Step(LOAD_WORD_AT, 4 + 4 * number),
            Step(JUMP_IF_EQUAL, word, 1, 0),
            Step(RETURN, NOTHING),
        ]
    return [
        Step(LOAD_HALF, KIND),
        Step(JUMP_IF_EQUAL, socket.htons(kind), 1, 0),
        Step(RETURN, NOTHING),
        Step(LOAD_WORD, LINK_INDEX),
        Step(JUMP_IF_EQUAL, socket.htonl(index), 0, 1),
        Step(RETURN, ALL),
        *by_attribute,
        Step(RETURN, ALL),
    ]
