"""A compiled filter, as instructions of BPF."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Final

INSTRUCTION: Final = struct.Struct("=HBBI")  # bpf.h: struct bpf_insn, in the machine's byte order


@dataclass(frozen=True, slots=True)
class Program:
    """Hold a filter that libpcap has compiled for bare IP packets (LINKTYPE_RAW).

    Attributes:
        expression: The filter as it was written.
        code: Its instructions, 8 bytes each.
    """

    expression: str
    code: bytes

    def __len__(self) -> int:
        return len(self.code) // INSTRUCTION.size
