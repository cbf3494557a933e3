"""Arrays as text that a page decodes: coordinates in 16 bits, everything else in 32."""

from __future__ import annotations

import base64
from typing import Any

import numpy as np

from simgauge.core.tables.kinds import Matrix

STEPS = 32_767
"""Steps of a coordinate on either side of zero, relative to the largest of its row: cosines keep four digits."""


def floats(values: Any) -> str:
    """float32, little-endian, as base64.

    Examples
    --------
    >>> floats([1.0])
    'AACAPw=='
    """
    return _text(np.asarray(values, dtype="<f4"))


def whole_numbers(values: Any) -> str:
    """Unsigned numbers below 65,536, as base64."""
    return _text(np.asarray(values, dtype="<u2"))


def coordinates(table: Matrix) -> dict[str, str]:
    """Rows as 16-bit steps of the largest magnitude of each; `restored` gives them back."""
    steps, scale = quantised(table)
    return {"steps": _text(steps.astype("<i2")), "scale": floats(scale)}


def quantised(table: Matrix) -> tuple[Matrix, Matrix]:
    """Whole steps (n, r) and the size of a step of each row (n,).

    Examples
    --------
    >>> steps, scale = quantised(np.array([[2.0, -1.0], [0.0, 0.0]]))
    >>> bool(np.allclose(steps * scale[:, None], [[2.0, -1.0], [0.0, 0.0]], atol=2 / STEPS))
    True
    """
    scale = np.abs(table).max(axis=1, initial=0.0) / STEPS
    steps = np.divide(table, scale[:, None], out=np.zeros_like(table), where=scale[:, None] > 0)
    return np.rint(steps), scale


def restored(steps: Matrix, scale: Matrix) -> Matrix:
    """What the page computes with."""
    return np.asarray(steps * scale[:, None])


def _text(values: np.ndarray[Any, Any]) -> str:
    return base64.b64encode(np.ascontiguousarray(values).tobytes()).decode("ascii")
