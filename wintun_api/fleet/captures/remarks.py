"""What a reader is to know of merged captures besides the file, in sentences."""

from __future__ import annotations

from collections.abc import Iterator

from wintun_api.fleet.captures.merging import Merging


def remarks(merging: Merging, *, failed: bool = False) -> Iterator[str]:
    """Yield what is to be known of the order of the packets, and of messages of strangers.

    Args:
        merging: What has come.
        failed: Whether an error has ended the capture, which tells why no packets have come.
    """
    if merging.nothing_came and not failed:
        yield (
            "No captured packets of this time have come. A host brings them where it was joined "
            "with --capture."
        )
    for name, ids in merging.namesakes.items():
        if len(ids) > 1:
            yield (
                f"{len(ids)} hosts call themselves {name}: {', '.join(sorted(ids))}. The file has "
                "the packets of all; for one of them, give its id with --host."
            )
    if count := merging.late:
        came = "packet came too late for its" if count == 1 else "packets came too late for their"
        yield f"{count} {came} place in the order of time."
    if count := merging.rejected:
        were = "message was" if count == 1 else "messages were"
        yield f"{count} {were} not read: no agent of this version writes such."
    if merging.forgotten:
        times = "once" if merging.forgotten == 1 else f"{merging.forgotten} times"
        yield (
            f"There were too many captures to follow all of them ({times}): the "
            "number of lost packets in the file may be too small. Read fewer hosts with: "
            "wintun-api capture --network NETWORK --host NAME"
        )
