"""Which rows of a table are the same, by hashing and then entry by entry, where the table lies."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.arrays import beside, doubled, namespace, on_host, to_host
from simgauge.core.tables.kinds import Array, Table
from simgauge.core.tables.tables import map_rows, take_rows

Indices = NDArray[np.int64]

VALUES_PER_BLOCK = 1 << 21
"""Entries compared in one step: 16 MiB in float64."""


def first_equal(table: Table) -> Indices:
    """Position, for every row, of the first row with equal entries (0.0 and −0.0 are equal); its own without copies.

    Parameters
    ----------
    table : ndarray or tensor, shape (n_rows, n_components)

    Numerics
    --------
    One pass, O(n k), for 64-bit hashes, which are sorted on the host: 24 bytes a row. Rows of equal hashes are compared
    entry by entry, on the device, with the first of their group; what a collision leaves over is compared again.

    Examples
    --------
    >>> first_equal(np.array([[1.0, 0.0], [2.0, 1.0], [1.0, -0.0]]))
    array([0, 1, 0])
    """
    hashes = row_hashes(table)
    labels = np.arange(len(hashes))
    order = np.argsort(hashes, kind="stable")  # stable: the first of a group is its lowest row
    values = hashes[order]
    while len(order):
        head = np.r_[True, values[1:] != values[:-1]]
        place = np.flatnonzero(~head)
        heads = order[np.flatnonzero(head)[np.cumsum(head)[place] - 1]]
        equal = _are_equal(table, order[place], heads)
        labels[order[place[equal]]] = heads[equal]
        order, values = order[place[~equal]], values[place[~equal]]
    return labels


def row_hashes(table: Table) -> Indices:
    """Sums of the bit patterns of entries times fixed odd multipliers, modulo 2^64: equal rows have equal hashes."""
    multipliers = np.random.default_rng(0).integers(2**63, size=table.shape[1], dtype=np.uint64) * 2 + 1
    step = max(1, VALUES_PER_BLOCK // table.shape[1])
    return np.concatenate(list(map_rows(table, _hashes_of_block, multipliers.view(np.int64), step=step)))


def _hashes_of_block(block: Array, _: int, multipliers: Indices) -> Indices:
    wide = doubled(block) + 0.0  # −0.0 becomes 0.0
    xp = namespace(wide)
    bits = wide.view(xp.int64)
    bits = bits ^ (bits >> 32)  # low bits of float32 data are zero, and a product never carries downwards
    if on_host(bits):
        hashes: Indices = bits @ multipliers
        return hashes
    # devices have no product of integer matrices; sums of int64 wrap around as those of uint64 do
    return to_host(xp.sum(bits * beside(multipliers, bits), axis=1))


def _are_equal(table: Table, rows: Indices, others: Indices) -> NDArray[np.bool_]:
    equal = np.empty(len(rows), dtype=bool)
    step = max(1, VALUES_PER_BLOCK // table.shape[1])
    for start in range(0, len(rows), step):
        part = slice(start, start + step)
        left, right = take_rows(table, rows[part]), take_rows(table, others[part])
        equal[part] = to_host(_all_equal(left, right))
    return equal


def _all_equal(left: Array, right: Array) -> Any:
    return namespace(left).all(left == right, axis=1)
