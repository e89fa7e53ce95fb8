"""Lose packets in bursts, as a channel does that is in a good or in a bad state."""

from __future__ import annotations

from wintun_api.hub.impairment.chance import Stream
from wintun_api.hub.impairment.parameters import GilbertElliott


class Channel:
    """Say of each packet whether a channel of Gilbert and Elliott loses it.

    As in the kernel's sch_netem, a channel begins in the good state, and a packet is judged by the
    state in which it finds the channel; then the channel may change for the next one.
    """

    __slots__ = ("_bad", "_changes", "_draw", "_draw_change", "_loses", "_loss", "_state")

    def __init__(self, key: str, number: int) -> None:
        self._loss = Stream(f"{key}/loss", number)
        self._state = Stream(f"{key}/state", number)
        self._draw = self._loss.draw
        self._draw_change = self._state.draw
        self._bad = False
        self._loses = (0.0, 0.0)
        self._changes = (0.0, 0.0)

    def change(self, model: GilbertElliott) -> None:
        """Follow this model from the next packet on; the state stays."""
        self._loses = (1 - model.k, 1 - model.h)
        self._changes = (model.p, model.r)

    def happens(self) -> bool:
        """Say whether the next packet is lost."""
        bad = self._bad
        if self._draw_change() < self._changes[bad]:
            self._bad = not bad
        return self._draw() < self._loses[bad]

    def seek(self, number: int) -> None:
        """Go to the packet of this number, which is the next one."""
        self._loss.seek(number)
        self._state.seek(number)
