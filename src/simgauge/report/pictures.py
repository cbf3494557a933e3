"""Heat maps of many cells as small pictures inside a page: a palette from blue over white to red, in plain PNG."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.kinds import Matrix

COLD, MIDDLE, WARM = (33, 102, 172), (247, 247, 247), (178, 24, 43)
LEVELS = 201
"""Colours from −1 to 1: steps of 0.01."""
MOST_CELLS = 200
"""Cells along a side; larger tables are averaged over blocks."""


def heat_picture(values: Matrix) -> str:
    """Address (data:) of a picture of numbers from −1 to 1; what is beyond has the colour of the end.

    Examples
    --------
    >>> heat_picture(np.eye(3))[:30]
    'data:image/png;base64,iVBORw0K'
    """
    cells = shrunk(np.nan_to_num(np.asarray(values, dtype=np.float64)), MOST_CELLS)
    steps = np.rint((np.clip(cells, -1, 1) + 1) / 2 * (LEVELS - 1)).astype(np.uint8)
    height, width = steps.shape
    lines = np.concatenate([np.zeros((height, 1), dtype=np.uint8), steps], axis=1)  # each line begins with its filter
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    parts = [(b"IHDR", header), (b"PLTE", palette().tobytes()), (b"IDAT", zlib.compress(lines.tobytes(), 9))]
    data = b"\x89PNG\r\n\x1a\n" + b"".join(_chunk(kind, part) for kind, part in [*parts, (b"IEND", b"")])
    return "data:image/png;base64," + base64.b64encode(data).decode("ascii")


def shrunk(values: Matrix, most: int) -> Matrix:
    """Means over blocks of rows and columns, so that no side has more than `most`.

    Examples
    --------
    >>> shrunk(np.arange(8.0).reshape(2, 4), 2)
    array([[0.5, 2.5],
           [4.5, 6.5]])
    """
    for axis in (0, 1):
        size = values.shape[axis]
        if size > most:
            starts = np.unique(np.linspace(0, size, most, endpoint=False).astype(int))
            counts = np.diff([*starts, size])
            sums = np.add.reduceat(values, starts, axis=axis)
            values = sums / (counts[:, None] if axis == 0 else counts)
    return values


def palette() -> NDArray[np.uint8]:
    """Colours of the levels, (LEVELS, 3)."""
    half = np.linspace(0, 1, LEVELS // 2 + 1)[:, None]
    cold = np.array(COLD) + half * (np.array(MIDDLE) - np.array(COLD))
    warm = np.array(MIDDLE) + half * (np.array(WARM) - np.array(MIDDLE))
    colours: NDArray[np.uint8] = np.rint(np.concatenate([cold, warm[1:]])).astype(np.uint8)
    return colours


def _chunk(kind: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
