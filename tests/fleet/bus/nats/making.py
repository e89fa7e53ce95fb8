"""Make streams and buckets on a server of a test."""

from __future__ import annotations

import json
from typing import Any

from wintun_api.fleet.bus.seam import Bus
from wintun_api.fleet.keys.rights import API, bucket_key, bucket_stream
from wintun_api.fleet.network import Network

SECOND = 1_000_000_000


async def make(bus: Bus, stream: dict[str, Any]) -> None:
    """Make a stream."""
    subject = f"{API}.STREAM.CREATE.{stream['name']}"
    answer = json.loads(await bus.request(subject, json.dumps(stream).encode(), patience=10))
    assert "error" not in answer, answer


async def make_bucket(bus: Bus, name: str, *, lasts: float = 0, **more: Any) -> None:
    """Make a bucket, whose keys expire after some seconds."""
    age = int(lasts * SECOND)
    await make(
        bus,
        {
            "name": bucket_stream(name),
            "subjects": [bucket_key(name, ">")],
            "max_msgs_per_subject": 1,
            "max_age": age,
            "duplicate_window": age or SECOND,
            "allow_direct": True,
            **more,
        },
    )


async def make_network(bus: Bus, network: Network, *, lasts: float) -> None:
    """Make what a network needs."""
    await make_bucket(bus, network.routes)
    await make_bucket(bus, network.hosts, lasts=lasts)
    await make(bus, {"name": network.captures, "subjects": [network.capture("*", "*")]})
