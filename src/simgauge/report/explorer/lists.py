"""The lists that a page shows before anything moves, and on paper: a few items in a few named gauges."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.report.explorer.forms import Forms, Point
from simgauge.report.explorer.searched import Searched

AS_SHIPPED = "as shipped"

TWO_TABLES = {
    "whitened (α = 0)": Point("none", 0.0, 0.0),
    "balanced (α = ½)": Point("none", 0.5, 0.0),
    "projected back (α = 1)": Point("none", 1.0, 0.0),
    "projected back, users centred": Point("users", 1.0, 0.0),
}
ONE_TABLE = {
    "halfway to whitened": Point("none", 0.5, 0.0),
    "whitened": Point("none", 0.0, 0.0),
    "whitened, items centred": Point("items", 0.0, 0.0),
}


def presets(forms: Forms, two_tables: bool, more: Mapping[str, Point] | None = None) -> list[dict[str, Any]]:
    """Names for some points of the grid, those that exist, and for more of them."""
    named = (TWO_TABLES if two_tables else ONE_TABLE) | dict(more or {})
    grid = set(forms.points())
    return [{"name": name, **point._asdict()} for name, point in named.items() if point in grid]


def static_lists(
    searched: Searched,
    places: NDArray[np.int64],
    k: int,
    names: Sequence[str],
    beside: Sequence[Mapping[str, Any]],
) -> list[dict[str, Any]]:
    """Lists of some items as shipped and in some named gauges; what is not in the first list is marked."""
    points: dict[str, Point | None] = {AS_SHIPPED: None}
    for preset in beside:
        points[preset["name"]] = Point(preset["center"], preset["power"], preset["norm_power"])
    found = {name: searched.lists(point, places, k) for name, point in points.items()}
    first = found[AS_SHIPPED][0]
    return [
        {
            "name": names[place],
            "gauges": [
                {
                    "gauge": gauge,
                    "neighbors": [
                        {"name": names[other], "score": float(score), "in_first_list": bool(other in first[number])}
                        for other, score in zip(lists[number], scores[number], strict=True)
                    ],
                }
                for gauge, (lists, scores) in found.items()
            ],
        }
        for number, place in enumerate(places.tolist())
    ]
