"""Changes that are made all or not at all."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wintun_api.drivers.linux.netlink import BATCH, Netlink, Refusal, Request
from wintun_api.errors import DriverError


@dataclass(frozen=True, slots=True)
class Step:
    """One change.

    Attributes:
        request: What to ask for.
        undo: What takes it back; None where nothing needs to.
        subject: What it is about, for the error message.
        forgiven: Errno numbers that mean that there was nothing to do.
    """

    request: Request
    undo: Request | None
    subject: object
    forgiven: frozenset[int] = frozenset()


class Refused(Exception):
    """Say that the kernel refused a step, and that the steps before it were taken back."""

    def __init__(self, step: Step, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.step = step
        self.refusal = refusal


def run(netlink: Netlink, function: str, steps: Sequence[Step]) -> set[int]:
    """Take the steps in their order; return the positions of those where nothing was to do.

    Raises:
        Refused: The kernel refused one. What was done is undone as far as the kernel lets it.
        DriverError: The kernel did not answer; likewise.
    """
    idle: set[int] = set()
    asked = 0
    try:
        while asked < len(steps):
            more, refusals = netlink.change(function, [one.request for one in steps[asked:]])
            serious = None
            for position, code, reason in refusals:
                idle.add(asked + position)
                if code not in steps[asked + position].forgiven and serious is None:
                    serious = Refused(steps[asked + position], Refusal(position, code, reason))
            asked += more
            if serious is not None:
                raise serious
    except (Refused, DriverError) as error:
        # Without an answer, the whole batch may have been done: to undo what was not is harmless.
        reached = asked if isinstance(error, Refused) else min(asked + BATCH, len(steps))
        done = (steps[at] for at in reversed(range(reached)) if at not in idle)
        insist(netlink, function, (one.undo for one in done if one.undo is not None))
        raise
    return idle


def insist(netlink: Netlink, function: str, requests: Iterable[Request]) -> set[int]:
    """Ask for every one of these changes, whatever becomes of the others.

    Returns the errno numbers of those that were refused.
    """
    left = list(requests)
    codes: set[int] = set()
    try:
        while left:
            asked, refusals = netlink.change(function, left)
            codes |= {one.code for one in refusals}
            left = left[asked:]
    except DriverError as error:
        codes.add(error.code)
    return codes
