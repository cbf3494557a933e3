"""What the script of a page does, in a few lines of NumPy: decode, move to a gauge, list."""

from __future__ import annotations

import base64

import numpy as np


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
