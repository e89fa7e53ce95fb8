"""Make several changes, all or none."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wintun_api.drivers.linux.netlink import BATCH, Netlink, Refusal, Request
from wintun_api.errors import DriverError


@dataclass(frozen=True, slots=True)
class Step:
    """Hold one change.

    Attributes:
        request: The request for the change.
        undo: The request that reverts it; None if it need not be reverted.
        subject: What it is about, for the error message.
        forgiven: Errno numbers which mean that there was nothing to do.
    """

    request: Request
    undo: Request | None
    subject: object
    forgiven: frozenset[int] = frozenset()


class Refused(Exception):
    """Report that the kernel refused a step, and that the steps before it were reverted."""

    def __init__(self, step: Step, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.step = step
        self.refusal = refusal


def run(netlink: Netlink, function: str, steps: Sequence[Step]) -> set[int]:
    """Make the steps in order; return the positions of those for which nothing had to be done.

    Raises:
        Refused: The kernel refused one. Earlier steps are reverted as far as the kernel allows.
        DriverError: The kernel did not answer. Steps are reverted in the same way.
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
        # Without an answer, the whole batch may have been done. Undoing what was not is harmless.
        reached = asked if isinstance(error, Refused) else min(asked + BATCH, len(steps))
        done = (steps[at] for at in reversed(range(reached)) if at not in idle)
        insist(netlink, function, (one.undo for one in done if one.undo is not None))
        raise
    return idle


def insist(netlink: Netlink, function: str, requests: Iterable[Request]) -> set[int]:
    """Request all of these changes, even if some are refused.

    Return the errno numbers of those that were refused.
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
