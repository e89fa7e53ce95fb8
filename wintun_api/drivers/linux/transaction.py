"""Make several changes over netlink, all or none, many in one system call."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from wintun_api.drivers.difference import Outcome, Reverted, apply, tell
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
        settled: Errno numbers which mean that there was nothing to revert.
    """

    request: Request
    undo: Request | None
    subject: object
    forgiven: frozenset[int] = frozenset()
    settled: frozenset[int] = frozenset()


class Refused(Exception):
    """Report that the kernel refused a step, and that the steps before it were reverted.

    Attributes:
        step: The step.
        refusal: The kernel's answer.
        left: What could not be reverted, one sentence each.
    """

    def __init__(self, step: Step, refusal: Refusal) -> None:
        super().__init__(refusal.reason)
        self.step = step
        self.refusal = refusal
        self.left: tuple[str, ...] = ()


def run(netlink: Netlink, function: str, steps: Sequence[Step]) -> set[int]:
    """Make the steps in order; return the positions of those for which nothing had to be done.

    Raises:
        Refused: The kernel refused one. Earlier steps are reverted as far as the kernel allows.
        DriverError: The kernel did not answer. Steps are reverted in the same way.
    """
    idle: set[int] = set()

    def make(left: Sequence[Step]) -> Outcome[Step]:
        first, batch = len(steps) - len(left), left[:BATCH]
        try:
            asked, refusals = netlink.change(function, [one.request for one in batch])
        except DriverError as error:
            # Without an answer, the batch may have been done. Undoing what was not is harmless.
            return Outcome(len(batch), batch, error)
        failure = None
        for refusal in refusals:
            idle.add(first + refusal.position)
            step = batch[refusal.position]
            if failure is None and refusal.code not in step.forgiven:
                failure = Refused(step, refusal)
        made = [step for at, step in enumerate(batch[:asked]) if first + at not in idle]
        return Outcome(asked, made, failure)

    def revert(made: Sequence[Step]) -> list[str]:
        undone = [one for one in made if one.undo is not None]
        refusals = _insist(netlink, function, [one.undo for one in undone if one.undo is not None])
        return [
            f"{undone[one.position].subject}: {one.reason or os.strerror(one.code)}"
            for one in refusals
            if one.code not in undone[one.position].settled
        ]

    try:
        apply(steps, make, revert)
    except Reverted as reverted:
        if isinstance(reverted.cause, Refused):
            reverted.cause.left = reverted.left
        elif isinstance(reverted.cause, DriverError):
            tell(reverted.cause, reverted.left)
        raise reverted.cause from None
    return idle


def insist(netlink: Netlink, function: str, requests: Iterable[Request]) -> set[int]:
    """Request all of these changes, even if some are refused.

    Return the errno numbers of those that were refused.
    """
    return {one.code for one in _insist(netlink, function, list(requests))}


def _insist(netlink: Netlink, function: str, requests: Sequence[Request]) -> list[Refusal]:
    refused: list[Refusal] = []
    asked = 0
    try:
        while asked < len(requests):
            more, refusals = netlink.change(function, requests[asked:])
            refused += [one._replace(position=asked + one.position) for one in refusals]
            asked += more
    except DriverError as error:
        refused += [Refusal(at, error.code, "") for at in range(asked, len(requests))]
    return refused
