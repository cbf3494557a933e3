"""Which drawings a summary has data for."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from markupsafe import Markup

from simgauge.report import figures

CERTAIN = {"nearest": "nearest neighbours", "neighbors": "all neighbours", "lists": "whole lists"}


def draw(summary: Mapping[str, Any]) -> dict[str, Markup]:
    """Every drawing that the summary has data for, by name, as HTML."""
    drawn: dict[str, Markup] = {}
    number = summary["number"]
    if number and number["peers"]:
        title = "This table among real embeddings of its kind"
        drawn["peers"] = figures.dot_plot(number["peers"]["values"], number["number"], title, shares=True)
    for curve in summary["curves"]:
        drawn[curve["id"]] = _finding(curve["id"], curve["rows"], curve["title"])
    if summary["recall"]:
        rows = [{**row, "label": row["gauge"], "value": row["recall"], "kind": "best" if row["best"] else ""}
                for row in summary["recall"]["gauges"]]  # fmt: skip
        drawn["recall"] = figures.interval_rows(rows, "Held-out recall of each gauge, 95 % intervals", form="{:.3f}")
    if summary["selection"]:
        drawn |= _selection(summary["selection"])
    if summary["comparison"] and summary["comparison"]["overlaps"]:
        rows = summary["comparison"]["overlaps"]
        drawn["overlaps"] = figures.interval_rows(rows, "Neighbours in common", zero=1.0)
    if summary["reproduction"]:
        title = "AUC of each similarity"
        drawn["auc"] = figures.interval_rows(summary["reproduction"]["rows"], title, form="{:.3f}")
    if summary["explorer"]:
        drawn |= _survey(summary["explorer"]["survey"])
    return drawn


def _finding(name: str, rows: list[Mapping[str, Any]], title: str) -> Markup:
    if name == "canonical_overlap":
        shown = [{"label": row["gauge"], "value": row["overlap"], "interval": row["interval"]} for row in rows]
        return figures.interval_rows(shown, title)
    if name == "random_gauge_overlap":
        start = {"condition_number": 1.0, "overlap": 1.0, "low": 1.0, "high": 1.0}
        lines = {"overlap": "neighbours that stay"}
        return figures.by_condition([start, *rows], lines, title, band="5 % to 95 % of lists")
    return figures.by_condition(rows, CERTAIN, title)


def _selection(selection: Mapping[str, Any]) -> dict[str, Markup]:
    """The forest of candidates, and plain against weighted where there are two measures."""
    drawn = {}
    ratio = selection["scale"] == "ratio"
    if selection["rows"]:
        title = "Gain of each candidate against leaving alone"
        form = "×{:.2f}" if ratio else "{:+.3f}"
        drawn["forest"] = figures.interval_rows(selection["rows"], title, form=form, zero=1.0 if ratio else 0.0)
    picture = selection["picture"]
    if picture:
        points = [{"x": point["x"], "y": point["y"], "label": point["name"], "kind": _kind(point)}
                  for point in picture["points"]]  # fmt: skip
        drawn["trade"] = figures.trade_off(points, "Plain against weighted measure", str(picture["x"]["measure"]))
    return drawn


def _kind(point: Mapping[str, Any]) -> str:
    kinds = (("chosen", "chosen"), ("baseline", "baseline"), ("guarded", "guarded"), ("pareto", "front"))
    return next((kind for flag, kind in kinds if point[flag]), "")


def _survey(survey: Mapping[str, Any]) -> dict[str, Markup]:
    drawn = {}
    along = [row for row in survey["points"] if row["center"] == "none" and row["norm_power"] == 0]
    if survey["shipped_popularity"] is not None and along:
        points = [(row["power"], 10 ** row["popularity"] - 1) for row in along]
        levels = {
            "as shipped": 10 ** survey["shipped_popularity"] - 1,
            "average item": 10 ** survey["catalogue_popularity"] - 1,
        }
        title = "interactions of a neighbour (geometric mean)"
        drawn["popularity"] = figures.curve(points, levels, title, "α: 0 whitened, 1 projected back")
    found = survey["occurrence"]
    drawn["occurrence"] = figures.histogram(
        found["bars"], "Items by the lists that hold them", "lists that hold the item"
    )
    if survey["norms"] is not None:
        points = list(zip(survey["norms"]["popularity"], survey["norms"]["norm"], strict=True))
        drawn["norms"] = figures.scatter(points, "Length against popularity", "interactions (popularity), logarithmic")
    return drawn
