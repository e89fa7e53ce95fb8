"""Decide everything that is left to chance for each packet of a lane."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from wintun_api.hub.impairment.chance import BLOCK, Events
from wintun_api.hub.impairment.corruption import Corruption
from wintun_api.hub.impairment.delay import Delays, nanoseconds
from wintun_api.hub.impairment.loss import Channel
from wintun_api.hub.impairment.parameters import Parameters

AT_ONCE: Final = -1  # instead of a delay: the packet leaves before those that wait

# Whether the packet is lost and whether it is duplicated; the place of the bit to invert, or less
# than 0 for none; the delay in nanoseconds, or `AT_ONCE`; then both of these for the copy.
Fate = tuple[bool, bool, float, int, float, int]


class Reordering:
    """Say of each packet whether it leaves at once.

    As in sch_netem, so many packets as the gap says, less one, are delayed; then each packet may
    leave at once, until one does and the gap begins again.
    """

    __slots__ = ("_delayed", "_events", "_gap", "_happens")

    def __init__(self, key: str, number: int) -> None:
        self._events = Events(key, number)
        self._happens = self._events.happens
        self._gap = 1
        self._delayed = 0

    def change(self, probability: float, correlation: float, gap: int) -> None:
        """Reorder packets like this from the next one on."""
        self._events.change(probability, correlation)
        self._gap = gap

    def happens(self) -> bool:
        """Say whether the next packet leaves at once."""
        if self._delayed < self._gap - 1:
            self._delayed += 1
            self._events.skip()
            return False
        if self._happens():
            self._delayed = 0
            return True
        return False

    def seek(self, number: int) -> None:
        """Go to the packet of this number, which is the next one."""
        self._events.seek(number)


class Fates:
    """Decide the fates of packets, one after the other.

    What a feature decides for the n-th packet follows from the seed, the rule, the direction, the
    feature, its own parameters and n; it does not depend on time or on other features. A feature
    that is off costs one test.
    """

    __slots__ = (
        "_certain",
        "_copy_corruption",
        "_copy_delays",
        "_corruption",
        "_delay",
        "_delays",
        "_duplicate",
        "_key",
        "_loss",
        "_number",
        "_reorder",
    )

    def __init__(self, parameters: Parameters, key: str) -> None:
        self._key = key
        self._number = 0
        self._duplicate: Events | None = None
        self._loss: Events | Channel | None = None
        self._corruption: Corruption | None = None
        self._copy_corruption: Corruption | None = None
        self._reorder: Reordering | None = None
        self._delays: Delays | None = None
        self._copy_delays: Delays | None = None
        self._delay = 0
        self._certain: Fate | None = None
        self.change(parameters)

    def change(self, parameters: Parameters) -> None:
        """Follow these parameters from the next packet on; what stays on keeps its streams."""
        self._delay = nanoseconds(parameters.delay_ms)
        self._duplicate = self._events(
            self._duplicate, "duplicate", parameters.duplicate, parameters.duplicate_correlation
        )
        self._reorder = self._reordering(parameters)
        self._loss = self._losses(parameters)
        copies = self._duplicate is not None
        self._corruption = self._corrupt(self._corruption, "corrupt", parameters)
        self._copy_corruption = (
            self._corrupt(self._copy_corruption, "copy/corrupt", parameters) if copies else None
        )
        self._delays = self._jitter(self._delays, "delay", parameters)
        self._copy_delays = (
            self._jitter(self._copy_delays, "copy/delay", parameters) if copies else None
        )
        certain = not any(self._features())
        self._certain = (False, False, -1.0, self._delay, -1.0, self._delay) if certain else None

    def decide(self) -> Fate:
        """Decide the fate of the next packet."""
        number = self._number
        self._number = number + 1
        if self._certain is not None:
            return self._certain
        if not number % BLOCK:
            for feature in self._features():
                feature.seek(number)
        lost = self._loss is not None and self._loss.happens()
        duplicated = self._duplicate is not None and self._duplicate.happens()
        delay = self._delay if self._delays is None else self._delays.choose()
        if self._reorder is not None and self._reorder.happens():
            delay = AT_ONCE
        return (
            lost,
            duplicated,
            -1.0 if self._corruption is None else self._corruption.choose(),
            delay,
            -1.0 if self._copy_corruption is None else self._copy_corruption.choose(),
            self._delay if self._copy_delays is None else self._copy_delays.choose(),
        )

    def _events(
        self, events: Events | None, feature: str, probability: float, correlation: float
    ) -> Events | None:
        if not probability:
            return None
        if events is None:
            events = Events(f"{self._key}/{feature}", self._number)
        events.change(probability, correlation)
        return events

    def _losses(self, parameters: Parameters) -> Events | Channel | None:
        loss, model = self._loss, parameters.gilbert_elliott
        if model is None:
            events = loss if isinstance(loss, Events) else None
            return self._events(events, "loss", parameters.loss, parameters.loss_correlation)
        channel = loss
        if not isinstance(channel, Channel):
            channel = Channel(f"{self._key}/gilbert_elliott", self._number)
        channel.change(model)
        return channel

    def _reordering(self, parameters: Parameters) -> Reordering | None:
        if not parameters.reorder:
            return None
        reorder = self._reorder
        if reorder is None:
            reorder = Reordering(f"{self._key}/reorder", self._number)
        reorder.change(parameters.reorder, parameters.reorder_correlation, parameters.reorder_gap)
        return reorder

    def _corrupt(
        self, corruption: Corruption | None, feature: str, parameters: Parameters
    ) -> Corruption | None:
        if not parameters.corrupt:
            return None
        if corruption is None:
            corruption = Corruption(f"{self._key}/{feature}", self._number)
        corruption.change(parameters.corrupt, parameters.corrupt_correlation)
        return corruption

    def _jitter(self, delays: Delays | None, feature: str, parameters: Parameters) -> Delays | None:
        if not parameters.jitter_ms:
            return None
        if delays is None:
            delays = Delays(f"{self._key}/{feature}", self._number)
        delays.change(
            parameters.delay_ms,
            parameters.jitter_ms,
            parameters.distribution,
            parameters.delay_correlation,
        )
        return delays

    def _features(self) -> Iterator[Events | Channel | Corruption | Reordering | Delays]:
        """Return what is on and draws."""
        features = (
            self._duplicate,
            self._loss,
            self._corruption,
            self._copy_corruption,
            self._reorder,
            self._delays,
            self._copy_delays,
        )
        return (feature for feature in features if feature is not None)
