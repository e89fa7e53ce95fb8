"""A route of the service in one line."""

from __future__ import annotations

from typing import Any


def route_text(route: dict[str, Any]) -> str:
    """Return the destination, and the next hop and the metric where the route has them."""
    via = f" via {route['next_hop']}" if route["next_hop"] else ""
    metric = f" metric {route['metric']}" if route["metric"] else ""
    return f"{route['destination']}{via}{metric}"
