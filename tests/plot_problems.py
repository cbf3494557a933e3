"""Results that pictures are drawn of, under short names and under long ones."""

from __future__ import annotations

import numpy as np

from simgauge import Embedding, cosine_bounds, factorize_path, spectrum
from simgauge.core.inference.intervals import Interval
from simgauge.neighbors import compare_neighbors, standard_gauges
from simgauge.selection.record import Change, Row, Selection

LONG = "An extraordinarily long name of a thing that nobody could read in one line, at $5 or $x^2$, " * 3
SHORT = "tea"


def comparison_of(name, n=8):
    rng = np.random.default_rng(0)
    names = [f"{number} {name}" for number in range(n)]
    model = Embedding(rng.normal(size=(n, 3)), rng.normal(size=(9, 3)), item_names=names)
    return compare_neighbors(standard_gauges(model), [names[0], names[3]], 5)


def selection_of(name, weighted=True):
    rows = []
    for number in range(6):
        gain = Change(1.0 + 0.1 * (3 - number), 0.9 + 0.1 * (3 - number), 1.1 + 0.1 * (3 - number), "ratio")
        value = 0.1 + 0.02 * (3 - number)
        other = Interval(0.05 + 0.01 * number, 0.04, 0.2) if weighted else None
        marks = {"guarded": number == 5, "baseline": number == 3, "chosen": number == 0, "pareto": number in (0, 1)}
        plain = Interval(value, value - 0.01, value + 0.01)
        changes = (gain, gain if weighted else None, gain)
        row = Row(f"{name}({number})", "cosine", plain, other, *changes, 0.1, "", keeps_predictions=True, **marks)
        rows.append(row)
    return Selection("improved", None, "use it", tuple(rows), evidence={"measure": "recall@20"},
                     settings={"popularity_exponent": 0.5})  # fmt: skip


def bounds_of(n=4):
    table = np.random.default_rng(1).normal(size=(n + 1, 3))
    pairs = np.array([[row, row + 1] for row in range(n)])
    return cosine_bounds(table, pairs, 4.0)


def path_of():
    X = np.random.default_rng(2).normal(size=(20, 6))
    return list(factorize_path(spectrum(X, 4), ["factors"], l2=[0.0, 0.5, 1.0, 2.0]))
