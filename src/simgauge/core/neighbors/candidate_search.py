"""The k largest inner products in float32, unordered among ties: FAISS where it pays, tiles of NumPy or of a device."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.tables.arrays import is_tensor, to_host
from simgauge.core.tables.kinds import Array

FAISS_FROM = 2e9
"""Multiplications from which FAISS is worth its import (0.1 to 0.3 s)."""

FAISS_QUERY_VALUES = 128_000
"""Queries x components from which FAISS multiplies by BLAS (its `distance_compute_blas_threshold`). Below, it scans
the table query by query: 500 queries of 64 components took 6 times as long as by NumPy."""

QUERIES, COLUMNS = 1024, 8192
"""Size of one tile of scores of the NumPy search: 32 MiB."""

FIRST_SHARE = 4
"""The first tile is narrower by this factor: to sort it costs more than to look through a tile for what beats its
best."""

DEVICE_QUERIES, DEVICE_COLUMNS = 2048, 65_536
"""The same on an accelerator: 512 MiB, enough to keep all of it busy."""

Found = tuple[NDArray[np.float32], NDArray[np.int64]]


def largest_products(queries: Array, table: Array, k: int) -> Found:
    """The k largest of queries @ table.T per row: scores, not rising, and indices, both (n_queries, k), on the host.

    Both float32, both NumPy or both tensors on one device. For tensors within `tensor_precision.ieee_products` only.

    Examples
    --------
    >>> scores, indices = largest_products(np.eye(2, dtype="f4"), np.array([[0, 1], [2, 1], [3, 0]], dtype="f4"), 2)
    >>> indices
    array([[2, 1],
           [0, 1]])
    """
    if is_tensor(table):
        return by_device(queries, table, k)
    pays = queries.size >= FAISS_QUERY_VALUES and float(queries.size) * len(table) >= FAISS_FROM
    faiss = _faiss() if pays else None
    if faiss is None:
        return by_numpy(queries, table, k)
    scores, indices = faiss.knn(queries, table, k, metric=faiss.METRIC_INNER_PRODUCT)
    return scores, indices


def _faiss() -> Any:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # its generated wrappers warn about themselves on some Python versions
            import faiss
    except ImportError:  # no wheel for this platform: the NumPy search gives the same lists
        return None
    return faiss


def by_numpy(queries: NDArray[np.float32], table: NDArray[np.float32], k: int) -> Found:
    """The same without FAISS. Tiles of scores; after the first, only what beats the k-th score so far is sorted."""
    scores = np.empty((len(queries), k), dtype=np.float32)
    indices = np.empty((len(queries), k), dtype=np.int64)
    for start in range(0, len(queries), QUERIES):
        rows = slice(start, start + QUERIES)
        scores[rows], indices[rows] = _search_tiles(queries[rows], table, k)
    return scores, indices


def by_device(queries: Array, table: Array, k: int) -> Found:
    """The same for tensors: a tile of scores is multiplied and cut down to its k largest on the device."""
    import torch  # loaded already: there are tensors

    on_cpu = table.device.type == "cpu"
    height, width = (QUERIES, COLUMNS) if on_cpu else (DEVICE_QUERIES, DEVICE_COLUMNS)
    scores = np.empty((len(queries), k), dtype=np.float32)
    indices = np.empty((len(queries), k), dtype=np.int64)
    for first in range(0, len(queries), height):
        asked, best = queries[first : first + height], None
        for start in range(0, len(table), width):
            tile = asked @ table[start : start + width].T
            found, column = torch.topk(tile, min(k, tile.shape[1]), dim=1)
            column += start
            if best is not None:
                found, column = torch.cat([best[0], found], dim=1), torch.cat([best[1], column], dim=1)
                found, place = torch.topk(found, min(k, found.shape[1]), dim=1)
                column = torch.gather(column, 1, place)
            best = found, column
        if best is not None:
            scores[first : first + height], indices[first : first + height] = map(to_host, best)
    return scores, indices


def _search_tiles(queries: NDArray[np.float32], table: NDArray[np.float32], k: int) -> Found:
    first, width = max(COLUMNS // FIRST_SHARE, k), max(COLUMNS, k)
    tile = queries @ table[:first].T
    indices = np.argpartition(tile, tile.shape[1] - k, axis=1)[:, -k:].astype(np.int64)
    scores = np.take_along_axis(tile, indices, axis=1)
    scores, indices = _ordered(scores, indices)
    for start in range(first, len(table), width):
        tile = queries @ table[start : start + width].T
        hits = np.flatnonzero(tile > scores[:, -1:])
        if len(hits):
            row, column = np.divmod(hits, tile.shape[1])
            scores, indices = _merged(scores, indices, row, tile.reshape(-1)[hits], column + start)
    return scores, indices


def _ordered(scores: NDArray[np.float32], indices: NDArray[np.int64]) -> Found:
    order = np.argsort(-scores, axis=1, kind="stable")
    return np.take_along_axis(scores, order, axis=1), np.take_along_axis(indices, order, axis=1)


def _merged(
    scores: NDArray[np.float32],
    indices: NDArray[np.int64],
    row: NDArray[np.int64],
    new_scores: NDArray[np.float32],
    new_indices: NDArray[np.int64],
) -> Found:
    """The lists with new entries of some rows put in their places."""
    k = scores.shape[1]
    touched = np.unique(row)
    all_rows = np.concatenate([np.repeat(touched, k), row])
    all_scores = np.concatenate([scores[touched].reshape(-1), new_scores])
    all_indices = np.concatenate([indices[touched].reshape(-1), new_indices])
    order = np.lexsort((-all_scores, all_rows))
    first = np.searchsorted(all_rows[order], touched)
    keep = order[(first[:, None] + np.arange(k)).reshape(-1)]
    scores[touched], indices[touched] = all_scores[keep].reshape(-1, k), all_indices[keep].reshape(-1, k)
    return scores, indices
