"""Describe a capture and its files at one moment; the index keeps the same across restarts."""

from __future__ import annotations

from dataclasses import dataclass

from wintun_api.choices import CaptureState, StopReason
from wintun_api.hub.named_captures.definition import Definition

VIEW_SIZE, FILE_SIZE = 2048, 160  # bytes of memory, measured with tracemalloc, rounded up


@dataclass(frozen=True, slots=True, kw_only=True)
class FileView:
    """Describe one file.

    Attributes:
        number: Its number, from 1.
        begun_ns: When it was begun, in nanoseconds since 1970.
        packets: Packets in it.
        lost: Packets that were lost before one of those in it.
        bytes: Bytes that are on the disk; all of them are whole blocks.
        first_ns: The time of its first packet; None if it has none.
        last_ns: The time of its last packet; None if it has none.
        complete: Whether nothing more is added to it.
    """

    number: int
    begun_ns: int
    packets: int = 0
    lost: int = 0
    bytes: int = 0
    first_ns: int | None = None
    last_ns: int | None = None
    complete: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class CaptureView:
    """Describe one capture.

    Attributes:
        id: Its id, which is also the name of its directory.
        definition: What it was asked for.
        created_by: What the token is for with which it was started.
        created_ns: When it was started, in nanoseconds since 1970.
        state: Its state.
        reason: Why it has ended; None until then.
        detail: The same as a sentence; None until then.
        triggered_ns: When its trigger came; None before that.
        ended_ns: When it ended; None until then.
        interfaces: Sessions that it has had packets of.
        packets: Packets that it has written, also into files that were deleted.
        lost: Packets that are missing, for whatever reason.
        unwritten: Those of them that came to the capture, but the disk was too slow or failed.
        deleted_files: Files that were deleted to stay within its limits.
        files: The files that are kept, oldest first.
    """

    id: str
    definition: Definition
    created_by: str
    created_ns: int
    state: CaptureState
    reason: StopReason | None = None
    detail: str | None = None
    triggered_ns: int | None = None
    ended_ns: int | None = None
    interfaces: int = 0
    packets: int = 0
    lost: int = 0
    unwritten: int = 0
    deleted_files: int = 0
    files: tuple[FileView, ...] = ()

    @property
    def bytes(self) -> int:
        """Bytes of all files that are kept."""
        return sum(file.bytes for file in self.files)

    @property
    def memory(self) -> int:
        """Approximate bytes of memory that an event with this value uses."""
        return VIEW_SIZE + FILE_SIZE * len(self.files)
