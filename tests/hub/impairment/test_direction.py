"""Whether the limit of a rule is nearly reached, and how often that is told."""

from __future__ import annotations

from wintun_api.hub.impairment.accounts import Accounts
from wintun_api.hub.impairment.direction import Track
from wintun_api.hub.impairment.lane import Lane
from wintun_api.hub.impairment.parameters import Parameters
from wintun_api.hub.impairment.waiting import Waiting


def test_a_nearly_full_lane_is_told_once_until_half_has_left_and_once_a_second() -> None:
    """A queue that fills and empties quickly does not flood the readers of events."""
    accounts = Accounts()
    parameters = Parameters(delay_ms=1, limit_packets=10)
    lane, waiting = Lane(parameters, 1, 0, False, accounts), Waiting(accounts)
    track = Track(0, lane)

    def fill(packets: int) -> None:
        waiting.take_all()
        for _ in range(packets):
            lane.put(bytes(40), 0, waiting)

    told = []
    for now, packets in [
        (100.0, 7),  # not enough
        (100.1, 8),  # told
        (100.2, 10),  # known
        (100.3, 6),  # more than half is still there
        (101.5, 9),
        (101.6, 5),  # half has left
        (101.7, 9),  # told: the last time is longer ago than a second
        (101.8, 2),
        (101.9, 9),  # too soon
        (102.8, 9),  # told now
    ]:
        fill(packets)
        if track.warns(now):
            told.append(now)
    assert told == [100.1, 101.7, 102.8]
