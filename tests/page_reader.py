"""What the script of a page does, in a few lines of NumPy: decode, move to a gauge, list."""

from __future__ import annotations

import base64

import numpy as np

from simgauge import canonical_gauge

TIE = 2e-3
"""How far a score may be off that 16 bits hold: of a cosine, and of the largest score for other norm powers."""


def numbers(text, kind):
    return np.frombuffer(base64.b64decode(text), dtype=kind)


def vectors(data, point):
    """Items that travel, in a gauge of the grid; as shipped for None."""
    width = data["n_components"]
    steps = numbers(data["coordinates"]["steps"], "<i2").reshape(-1, width).astype(np.float64)
    common = steps * numbers(data["coordinates"]["scale"], "<f4")[:, None]
    if point is None:
        return common @ numbers(data["shipped"], "<f4").reshape(width, -1).astype(np.float64)
    form = data["by_center"][point[0]]
    moved = common - numbers(form["mean"], "<f4")
    if form["diagonal"] is not None:
        moved = moved * numbers(form["diagonal"], "<f4")
    else:
        moved = moved @ numbers(form["matrix"], "<f4").reshape(width, -1).astype(np.float64)
    return moved * numbers(form["singular_values"], "<f4").astype(np.float64) ** point[1]


def similarity(data, point, item):
    """Of one item with all that travel."""
    rows = vectors(data, point)
    lengths = np.linalg.norm(rows, axis=1)
    cosine = rows @ rows[item] / (lengths * lengths[item])
    power = 0.0 if point is None else point[2]
    return cosine * (lengths * lengths[item]) ** power


def nearest(data, point, item, k=None):
    """Names of the nearest, as the page lists them."""
    scores = similarity(data, point, item)
    among = candidates(data, item)
    order = among[np.argsort(-scores[among], kind="stable")]
    return [data["names"][other] for other in order if other != item][: k or data["k"]]


def candidates(data, item):
    if data["candidates"] is None:
        return np.arange(data["n_travelling"])
    counts = numbers(data["candidates"]["counts"], "<u2").astype(int)
    start = int(counts[:item].sum())
    return numbers(data["candidates"]["positions"], "<u2")[start : start + counts[item]].astype(int)


def library_scores(embedding, point, row):
    """Similarity of a row with the whole table, by the functions that users call and in float64."""
    norm_power = 0.0
    items = embedding.items
    if point is not None:
        center, power, norm_power = point
        items = canonical_gauge(embedding, power, center, norm_power or None).items
    items = np.asarray(items, dtype=np.float64)
    if not norm_power:
        items = items / np.linalg.norm(items, axis=1, keepdims=True)
    return items @ items[row]


def assert_listed(shown, embedding, point, name, k):
    """The shown names are the k nearest of the whole table in their order, up to ties within quantisation."""
    rows = {label: row for row, label in enumerate(embedding.item_names.tolist())}
    scores = library_scores(embedding, point, rows[name])
    best = np.sort(np.delete(scores, rows[name]))[::-1][:k]
    got = scores[[rows[label] for label in shown]]
    assert name not in shown
    assert len(set(shown)) == len(shown) == min(k, len(rows) - 1)
    assert np.abs(got - best).max() <= TIE * np.abs(best).max(), f"{point} {name}: {got} against {best}"
