"""Compile a filter with libpcap itself."""

from __future__ import annotations

import re
from typing import Final

from wintun_api.capture.filters.binding import NO_NETMASK, RAW, Library, library
from wintun_api.capture.filters.fault import find_fault
from wintun_api.capture.filters.names import WORD, place_of, without_names
from wintun_api.capture.filters.program import INSTRUCTION, Program
from wintun_api.errors import InvalidFilter
from wintun_api.limits import MAX_FILTER, MAX_PACKET

# The time that libpcap takes grows faster than the filter, to minutes: `or 1-2` alone can be a
# hundred instructions before they are improved. With these limits it takes a few seconds at most.
MAX_WORDS: Final = 512
MAX_UNIMPROVED: Final = 8192
MAX_INSTRUCTIONS: Final = 4096  # bpf.h: BPF_MAXINSNS, what kernels accept
SYNTAX: Final = "syntax error"  # what libpcap says of words in a wrong order
WHITESPACE: Final = frozenset("\t\n\r")

# The kernel of Linux keeps what it knows of a packet behind these offsets (linux/filter.h:
# SKF_LL_OFF and SKF_AD_OFF); libpcap compiles `inbound` to a look at it. No packet has them.
KERNEL_ONLY: Final = 0xFFE00000
DIRECTED: Final = re.compile(r"\b(inbound|outbound)\b")
LOADS: Final = frozenset({0x20, 0x28, 0x30})  # bpf.h: BPF_LD | BPF_ABS of 4, 2 and 1 bytes


def check_syntax(expression: str) -> None:
    """Check the parts of a filter that do not depend on its names; none of them is looked up.

    Raises:
        InvalidFilter: It is wrong, whatever the names mean.
        FilterUnavailable: No libpcap is installed.
    """
    pcap = library()
    _check_text(expression)
    text = without_names(expression)
    code, message = compiled(pcap, text, improve=False)
    if code is None and SYNTAX in message:
        offset = place_of(expression, _fault(pcap, text, message))
        raise InvalidFilter(expression, message, offset)


def compile_filter(expression: str) -> Program:
    """Compile a filter for bare IP packets; may block, because libpcap looks names up.

    Raises:
        InvalidFilter: libpcap does not accept it.
        FilterUnavailable: No libpcap is installed.
    """
    pcap = library()
    _check_text(expression)
    raw, message = compiled(pcap, expression, improve=False)
    if raw is None:
        raise InvalidFilter(expression, message, _fault(pcap, expression, message))
    if len(raw) > MAX_UNIMPROVED * INSTRUCTION.size:
        raise InvalidFilter(expression, "it is too large; leave out some of its conditions", 0)
    code, message = compiled(pcap, expression, improve=True)
    if code is None:  # the improvement alone found that it has no meaning
        raise InvalidFilter(expression, message, 0)
    if len(code) > MAX_INSTRUCTIONS * INSTRUCTION.size:
        raise InvalidFilter(expression, "it is too large; leave out some of its conditions", 0)
    _check_loads(expression, code)
    return Program(expression, code)


def _fault(pcap: Library, expression: str, message: str) -> int:
    def compiles(text: str) -> bool:
        return compiled(pcap, text, improve=False)[0] is not None

    return find_fault(expression, message, compiles)


def compiled(pcap: Library, expression: str, *, improve: bool) -> tuple[bytes | None, str]:
    """Return the instructions of a filter, or None and what libpcap says of it."""
    handle = pcap.open_dead(RAW, MAX_PACKET)
    program = pcap.bpf_program()
    try:
        if pcap.compile(handle, program, expression.encode(), int(improve), NO_NETMASK):
            return None, _cleaned(pcap.geterr(handle).decode("utf-8", "replace"))
        instructions = program.bf_insns[: program.bf_len]
        code = b"".join(INSTRUCTION.pack(one.code, one.jt, one.jf, one.k) for one in instructions)
        pcap.freecode(program)
        return code, ""
    finally:
        pcap.close(handle)


def _check_text(expression: str) -> None:
    if len(expression) > MAX_FILTER:
        reason = f"it is longer than {MAX_FILTER:,} characters"
        raise InvalidFilter(expression, reason, MAX_FILTER)
    for offset, character in enumerate(expression):
        if not (character.isprintable() or character in WHITESPACE):
            reason = f"a filter cannot contain the character U+{ord(character):04X}"
            raise InvalidFilter(expression, reason, offset)
    for number, word in enumerate(WORD.finditer(expression)):
        if number == MAX_WORDS:
            reason = f"it has more than {MAX_WORDS} words; leave out some of its conditions"
            raise InvalidFilter(expression, reason, word.start())


def _check_loads(expression: str, code: bytes) -> None:
    loads = (one for one in INSTRUCTION.iter_unpack(code) if one[0] in LOADS)
    if not any(operand >= KERNEL_ONLY for _, _, _, operand in loads):
        return
    if (found := DIRECTED.search(expression)) is not None:
        reason = (
            "libpcap leaves part of it to the kernel, such as `inbound`; choose the direction with "
            "the parameter `direction`"
        )
        raise InvalidFilter(expression, reason, found.start())
    reason = "it looks at a byte that no packet has, such as one before the first"
    raise InvalidFilter(expression, reason, expression.find("[") + 1)


def _cleaned(message: str) -> str:
    """Return a message as part of a sentence."""
    return " ".join(message.split()).rstrip(".") or "libpcap does not say why"
