"""The presets are what their names and sources say."""

from __future__ import annotations

import re

import pytest

from wintun_api.choices import PresetName
from wintun_api.hub.impairment.parameters import Parameters
from wintun_api.hub.impairment.presets import PRESETS, Preset

# Mbit/s down and up, and milliseconds for the way there and back.
PROFILES = {
    PresetName.DSL: (1.5, 0.384, 50),
    PresetName.CABLE: (5, 1, 28),
    PresetName.MOBILE_3G: (1.6, 0.768, 300),
    PresetName.LTE: (12, 12, 70),
    PresetName.MOBILE_5G: (100, 50, 22),
    PresetName.SATELLITE_LEO: (178, 17, 50),
    PresetName.SATELLITE_GEO: (100, 10, 600),
    PresetName.HOTEL_WIFI: (8.68, 7.57, 40),
    PresetName.TRAIN: (7.59, 3, 100),
}


def test_every_name_has_a_preset() -> None:
    """The names to choose from are those of the presets, in the same order."""
    assert list(PRESETS) == list(PresetName)
    assert all(preset.name is name for name, preset in PRESETS.items())


@pytest.mark.parametrize("preset", PRESETS.values(), ids=PRESETS)
def test_a_preset_names_its_source(preset: Preset) -> None:
    """It says where its numbers are from: a document with its address, or the name itself."""
    assert preset.source.endswith(".")
    assert re.search(r"https://|The name defines it", preset.source)
    assert preset.title


@pytest.mark.parametrize("name", PROFILES)
def test_rates_and_delays(name: PresetName) -> None:
    """The downlink is what is injected, the uplink what is received."""
    preset, (down, up, round_trip) = PRESETS[name], PROFILES[name]
    assert preset.injected.rate_bps == round(down * 1_000_000)
    assert preset.received.rate_bps == round(up * 1_000_000)
    assert preset.received.delay_ms + preset.injected.delay_ms == round_trip


def lost(values: Parameters) -> float:
    """The share of packets that are lost in the long run."""
    channel = values.gilbert_elliott
    return values.loss if channel is None else channel.p / (channel.p + channel.r)


@pytest.mark.parametrize(
    ("name", "share"),
    [
        (PresetName.LOSSY_1, 0.01),
        (PresetName.LOSSY_5, 0.05),
        (PresetName.SATELLITE_LEO, 0.004),
        (PresetName.HOTEL_WIFI, 0.01),
        (PresetName.TRAIN, 0.02),
        (PresetName.LTE, 0.0),
    ],
)
def test_losses(name: PresetName, share: float) -> None:
    """Bursts of losses have the share that the preset names."""
    for values in (PRESETS[name].received, PRESETS[name].injected):
        assert lost(values) == pytest.approx(share, rel=1e-3)


@pytest.mark.parametrize("name", PROFILES)
def test_a_limit_holds_what_is_under_way(name: PresetName) -> None:
    """A sender at the full rate loses nothing, and the queue behind it is a quarter of a second."""
    for values in (PRESETS[name].received, PRESETS[name].injected):
        assert values.rate_bps is not None
        under_way = values.rate_bps / 8 * values.delay_ms / 1000
        queue = values.limit_bytes - under_way
        assert queue >= max(values.rate_bps / 8 * 0.25, 50 * 1500) * 0.999
        assert values.limit_packets * 1500 > values.limit_bytes
