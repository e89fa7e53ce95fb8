"""The enums that clients share agree with one another."""

from __future__ import annotations

from wintun_api.choices import CaptureDirection, Direction, DriverGeneration, DriverName, Generation
from wintun_api.drivers import DRIVERS


def test_every_driver_has_a_name() -> None:
    """The names to choose from are those of the drivers that can be opened."""
    assert set(DRIVERS) == {name.value for name in DriverName}


def test_the_generations_of_wintun_are_generations_of_a_driver() -> None:
    """What the emulated driver can be asked to follow is what a driver can say it follows."""
    kernel = DriverGeneration.KERNEL.value
    assert {one.value for one in DriverGeneration} == {one.value for one in Generation} | {kernel}


def test_a_capture_has_directions_of_a_subscriber() -> None:
    """A capture is a subscriber, and always wants some direction."""
    assert {one.value for one in CaptureDirection} == {
        one.value for one in Direction if one is not Direction.NONE
    }
