"""What there is to trade: every candidate as a point over the two measures that decide."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def trade_off_picture(table: Sequence[Any], measure: str, settings: Mapping[str, Any]) -> dict[str, Any] | None:
    """Axes and points of the picture of plain against popularity-weighted scores; None where there is one measure.

    Parameters
    ----------
    table : sequence of Row
        Every candidate.
    measure : str
        Name of the metric, such as "recall@20".
    settings : mapping
        Of the selection: "popularity_exponent".

    Returns
    -------
    dict or None
        "x" and "y": name of the measure and exponent of popularity. "points": one for each candidate, with the flags
        that a picture shows; "front": names of the candidates that no other beats on both, from the most popular to
        the rarest.
    """
    if not table or any(row.weighted is None for row in table):
        return None
    points = [
        {
            "name": row.name,
            "x": row.plain.value,
            "y": row.weighted.value,
            "pareto": row.pareto,
            "guarded": row.guarded,
            "chosen": row.chosen,
            "baseline": row.baseline,
            "keeps_predictions": row.keeps_predictions,
        }
        for row in table
        if row.weighted is not None
    ]
    front = sorted((point for point in points if point["pareto"]), key=lambda point: -float(point["x"] or 0.0))
    return {
        "x": {"measure": measure, "exponent": 0.0},
        "y": {"measure": f"{measure}, weighted", "exponent": settings.get("popularity_exponent")},
        "points": points,
        "front": [point["name"] for point in front],
    }
