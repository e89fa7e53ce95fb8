"""Hold networks that many people know, with where their numbers are from.

The host is the subscriber of the network, so that `received` packets are its uplink and `injected`
ones its downlink. A round-trip time is halved between them. The sources say nothing of queues: each
link here holds a quarter of a second of its rate, and at least 50 full packets, which is the queue
of dummynet, with which WebPageTest shapes traffic.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from wintun_api.choices import Distribution, PresetName
from wintun_api.hub.impairment.parameters import GilbertElliott, Parameters

_WEBPAGETEST = (
    "WebPageTest, www/settings/connectivity.ini.sample "
    "(https://github.com/WPO-Foundation/webpagetest): {}."
)
_QUEUE = 0.25  # seconds
_FEWEST = 50 * 1500  # bytes
_MOST_PACKETS = 10_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Preset:
    """Describe a network in both directions, and the source of its numbers."""

    name: PresetName
    title: str
    source: str
    received: Parameters
    injected: Parameters


def _link(rate_bps: int, delay_ms: float, **more: Any) -> Parameters:
    jitter = more.get("jitter_ms", 0.0)
    under_way = rate_bps / 8 * (delay_ms + 4 * jitter) / 1000
    queue = max(rate_bps / 8 * _QUEUE, _FEWEST)
    return Parameters(
        rate_bps=rate_bps,
        delay_ms=delay_ms,
        limit_packets=_MOST_PACKETS,
        limit_bytes=round(under_way + queue),
        **more,
    )


def _burst(loss: float, length: float) -> GilbertElliott:
    """Return a channel with this share of losses, in bursts of this mean length."""
    r = 1 / length
    return GilbertElliott(p=round(r * loss / (1 - loss), 6), r=round(r, 6))


def _lossy(name: PresetName, loss: float) -> Preset:
    both = Parameters(loss=loss)
    return Preset(
        name=name,
        title=f"{loss:.0%} packet loss",
        source="The name defines it: independent losses in each direction, and nothing else.",
        received=both,
        injected=both,
    )


_ORBIT: Final[dict[str, Any]] = {
    "jitter_ms": 10.0,
    "distribution": Distribution.NORMAL,
    "delay_correlation": 0.99,
    "gilbert_elliott": _burst(0.004, 3),
}
_HOTEL: Final[dict[str, Any]] = {
    "jitter_ms": 10.0,
    "distribution": Distribution.PARETO,
    "delay_correlation": 0.25,
    "gilbert_elliott": _burst(0.01, 3),
}
_TRAIN: Final[dict[str, Any]] = {
    "jitter_ms": 20.0,
    "distribution": Distribution.PARETONORMAL,
    "delay_correlation": 0.5,
    "gilbert_elliott": _burst(0.02, 25),
}
_ALL = (
    Preset(
        name=PresetName.DSL,
        title="DSL: 1.5 Mbit/s down, 384 kbit/s up, 50 ms round trip",
        source=_WEBPAGETEST.format("DSL"),
        received=_link(384_000, 25.0),
        injected=_link(1_500_000, 25.0),
    ),
    Preset(
        name=PresetName.CABLE,
        title="Cable: 5 Mbit/s down, 1 Mbit/s up, 28 ms round trip",
        source=_WEBPAGETEST.format("Cable"),
        received=_link(1_000_000, 14.0),
        injected=_link(5_000_000, 14.0),
    ),
    Preset(
        name=PresetName.MOBILE_3G,
        title="3G: 1.6 Mbit/s down, 768 kbit/s up, 300 ms round trip",
        source=_WEBPAGETEST.format("3G"),
        received=_link(768_000, 150.0),
        injected=_link(1_600_000, 150.0),
    ),
    Preset(
        name=PresetName.LTE,
        title="LTE: 12 Mbit/s in both directions, 70 ms round trip",
        source=_WEBPAGETEST.format("LTE"),
        received=_link(12_000_000, 35.0),
        injected=_link(12_000_000, 35.0),
    ),
    Preset(
        name=PresetName.MOBILE_5G,
        title="5G: 100 Mbit/s down, 50 Mbit/s up, 22 ms round trip",
        source="Rates: ITU-R M.2410-0 (2017), section 4.3, the user experienced data rate. Round "
        "trip: D. Xu and others, Understanding Operational 5G, SIGCOMM 2020 "
        "(https://doi.org/10.1145/3387514.3405882), rounded.",
        received=_link(50_000_000, 11.0),
        injected=_link(100_000_000, 11.0),
    ),
    Preset(
        name=PresetName.SATELLITE_LEO,
        title="Low-orbit satellite: 178 Mbit/s down, 17 Mbit/s up, 50 ms round trip",
        source="F. Michel and others, A First Look at Starlink Performance, IMC 2022 "
        "(https://doi.org/10.1145/3517745.3561416), and what the authors write of it "
        "(https://blog.apnic.net/2022/11/28/fact-checking-starlinks-performance-figures): "
        "median rates, a median round trip of 50 ms with quartiles at 40 and 60 ms, and 0.4% of "
        "the packets lost under low load. That quartiles make a normal distribution, that the "
        "delay changes slowly, and a mean of 3 losses in a row are assumptions.",
        received=_link(17_000_000, 25.0, **_ORBIT),
        injected=_link(178_000_000, 25.0, **_ORBIT),
    ),
    Preset(
        name=PresetName.SATELLITE_GEO,
        title="Geostationary satellite: 100 Mbit/s down, 10 Mbit/s up, 600 ms round trip",
        source="Delay: RFC 2488, section 2, gives 239.6 to 279.0 ms for one way up and down; "
        "F. Michel and others, A First Look at Starlink Performance, IMC 2022 "
        "(https://doi.org/10.1145/3517745.3561416), a round trip of about 600 ms. Rates: the "
        "subscription that they measured.",
        received=_link(10_000_000, 300.0),
        injected=_link(100_000_000, 300.0),
    ),
    Preset(
        name=PresetName.HOTEL_WIFI,
        title="Hotel Wi-Fi: 8.7 Mbit/s down, 7.6 Mbit/s up, a tail of long delays",
        source="Rates: RottenWiFi, averages of complimentary Wi-Fi in hotels "
        "(https://blog.rottenwifi.com/complimentary-wifi-hotels-average/). Delay: Comcast, WIFI "
        "(https://github.com/tylertreat/comcast): 40 ms. The tail of the delays, and 1% of the "
        "packets lost with 3 in a row on average, are assumptions for a busy channel.",
        received=_link(7_570_000, 20.0, **_HOTEL),
        injected=_link(8_680_000, 20.0, **_HOTEL),
    ),
    Preset(
        name=PresetName.TRAIN,
        title="Train Wi-Fi: 7.6 Mbit/s down, 3 Mbit/s up, 100 ms round trip, gaps",
        source="Downlink: Ookla, the median of trains in Europe in the second quarter of 2025 "
        "(https://www.traincomms.com/news_detail.cfm?item=21579). That delays vary much and that "
        "packets are lost in long bursts at handovers: J. Wang and others, An Active-Passive "
        "Measurement Study of TCP Performance over LTE on High-speed Rails, MobiCom 2019 "
        "(https://arxiv.org/abs/1812.04823). The uplink, the delay, and 2% of the packets lost "
        "with 25 in a row on average are assumptions.",
        received=_link(3_000_000, 50.0, **_TRAIN),
        injected=_link(7_590_000, 50.0, **_TRAIN),
    ),
    _lossy(PresetName.LOSSY_1, 0.01),
    _lossy(PresetName.LOSSY_5, 0.05),
)

PRESETS: Final = {preset.name: preset for preset in _ALL}
