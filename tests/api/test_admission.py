"""Places of connections by themselves."""

from __future__ import annotations

import pytest

from wintun_api.api.admission import CROWD, Admission


@pytest.mark.parametrize(("most", "times"), [(CROWD - 1, 0), (CROWD, 1), (2 * CROWD, 1)])
def test_the_end_of_a_crowd_is_told_once(most: int, times: int) -> None:
    """It is told when three quarters of a crowd have ended."""
    admission = Admission(10 * CROWD)
    told: list[int] = []
    admission.thinned = lambda: told.append(admission.open)
    seats = [seat for _ in range(most) if (seat := admission.enter()) is not None]
    for seat in seats:
        seat.leave()
    assert told == [most // 4] * times


def test_every_crowd_is_told() -> None:
    """A second crowd is told like the first."""
    admission = Admission(10 * CROWD)
    told: list[int] = []
    admission.thinned = lambda: told.append(admission.open)
    for _ in range(2):
        seats = [seat for _ in range(CROWD) if (seat := admission.enter()) is not None]
        for seat in seats:
            seat.leave()
    assert len(told) == 2
