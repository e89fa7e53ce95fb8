"""What Prometheus reads of a service, as samples."""

from __future__ import annotations

import httpx
from prometheus_client.parser import text_string_to_metric_families

Samples = dict[tuple[str, frozenset[tuple[str, str]]], float]


def scraped(client: httpx.Client) -> Samples:
    """Read the metrics as Prometheus does."""
    answer = client.get("/metrics")
    assert answer.status_code == 200, answer.text
    assert answer.headers["content-type"].startswith("text/plain")
    return {
        (sample.name, frozenset(sample.labels.items())): sample.value
        for family in text_string_to_metric_families(answer.text)
        for sample in family.samples
    }


def value(samples: Samples, name: str, /, **labels: str) -> float:
    """Return the one sample with these labels among others."""
    (found,) = [
        number
        for (known, those), number in samples.items()
        if known == f"wintun_api_{name}" and labels.items() <= dict(those).items()
    ]
    return found
