"""Vectors that are not what cosine takes them for: bytes, another geometry, several encoders, norms below a floor."""

from __future__ import annotations

import itertools

import numpy as np

from simgauge.auditing.workspace import Workspace
from simgauge.core.geometry.byte_codes import byte_codes
from simgauge.core.geometry.row_sources import row_sources, shared_directions
from simgauge.core.tables.arrays import to_host
from simgauge.core.tables.tables import take_rows
from simgauge.findings import Finding

ROWS_READ = 2_000
SAME_SPACE = 0.2
"""Likeness of covariances below which two parts share no directions; spaces turned at random give 0 within 1 /
components."""
RELIABLE = 0.3
"""Likeness of two halves of one part above which covariances say anything at all."""
QDRANT_FLOOR = float(np.sqrt(np.finfo(np.float32).eps))
"""3.45e-4: Qdrant does not normalise vectors whose squared norm is below float32's epsilon (issue 10465)."""
HYPERBOLIC = ("PoincareKeyedVectors", "PoincareModel")


def unsigned_bytes(workspace: Workspace) -> Finding:
    """Quantised vectors whose zero is not 0, or packed bits."""
    n_rows = workspace.embedding.n_items
    rows = np.linspace(0, n_rows - 1, min(ROWS_READ, n_rows)).astype(np.int64)
    found = byte_codes(np.asarray(to_host(take_rows(workspace.items, rows))))
    text = "the entries are no bytes with a zero point"
    if found is not None:
        text = (
            f"all entries are whole numbers from {found.lowest} to {found.highest} around {found.offset:.0f}: "
            f"unsigned bytes "
            f"whose zero is not 0; this offset alone is {found.offset_share:.0%} of the squared length"
        )
    return workspace.finding(
        "unsigned_bytes",
        "Bytes taken for numbers",
        0.0 if found is None else found.offset_share,
        text,
        cause="quantised numbers are stored as bytes around a zero point (often 128), and binary vectors as eight "
        "bits an "
        "entry; the cosine of the bytes is neither that of the numbers nor that of the bits",
        action="subtract the zero point (usually 128) before comparing quantised vectors; compare packed bits by "
        "Hamming "
        "distance, or unpack them (numpy.unpackbits)",
        verify="the mean of all entries must be near 0 after that",
        gauge_dependent=False,
        details={} if found is None else {"offset": found.offset, "lowest": found.lowest, "highest": found.highest},
    )


def other_geometry(workspace: Workspace) -> Finding | None:
    """Vectors whose class says that another distance belongs to them; None for all others."""
    kind = str(workspace.embedding.provenance.get("class", "")).rpartition(".")[2]
    if kind not in HYPERBOLIC:
        return None
    return workspace.finding(
        "other_geometry",
        "Vectors of another geometry",
        1.0,
        f"these are vectors of the Poincaré ball ({kind}): their similarity is the hyperbolic distance, not the cosine",
        cause="in the Poincaré ball the norm says how deep in the hierarchy an item is; cosine throws it away, and "
        "items "
        "of one branch are nearly parallel without being copies",
        action="use the distance of the class (kv.distance, kv.most_similar), or an index that accepts your "
        "own distance function",
        verify="compare the lists of kv.most_similar with those by cosine",
        gauge_dependent=False,
    )


def several_sources(workspace: Workspace) -> Finding:
    """Rows of two encoders, or of two versions of one, in a table: the first rows know nothing of the last."""
    n_rows = workspace.embedding.n_items
    found = row_sources(workspace.rows, workspace.shipped_lists, n_rows)
    edges = [0, *found.borders, n_rows]
    alike, reliable = _least_alike(workspace, edges) if found.borders else (1.0, 1.0)
    foreign = bool(found.borders) and alike < SAME_SPACE and reliable > RELIABLE
    value = 1.0 - max(np.diff(edges)) / n_rows if foreign else 0.0
    text = "no border in the order of the rows separates two encoders"
    if foreign:
        at = " and ".join(f"row {border} (“{workspace.name(border)}”)" for border in found.borders)
        text = (
            f"from {at} on the vectors list next to nothing before it, and the other way round: "
            f"{found.cross_ratio:.1%} "
            f"of the links that a random order would have; the likeness of the directions used is {alike:.2f} of 1"
        )
    elif found.borders:
        text = f"the rows from {found.borders[0]} on list next to nothing before them, but use the same directions"
    return workspace.finding(
        "several_sources",
        "Several encoders in one table",
        value,
        text,
        cause="rows made by another model, or by another training of the same one, whose cosines with the rest mean "
        "nothing; "
        "or content that has nothing in common with the rest",
        action="find out what made the rows on either side of the border: two models need one encoder for all rows, "
        "or a "
        "map from one space to the other (simgauge align) by items known in both",
        verify="embed some rows of both sides again with one encoder: their neighbours must cross the border",
        details={
            "borders": list(found.borders),
            "cross_ratio": found.cross_ratio,
            "likeness": alike,
            "halves": reliable,
        },
    )


def _least_alike(workspace: Workspace, edges: list[int]) -> tuple[float, float]:
    """Least likeness of neighbouring parts, and how reliable it is."""
    parts = []
    for start, stop in itertools.pairwise(edges):
        rows = np.unique(np.linspace(start, stop - 1, min(ROWS_READ, stop - start)).astype(np.int64))
        parts.append(np.asarray(to_host(take_rows(workspace.items, rows))))
    pairs = [shared_directions(one, other) for one, other in itertools.pairwise(parts)]
    return min(pairs)


def tiny_norms(workspace: Workspace) -> Finding:
    """Rows that are not zero but below the norm from which a store normalises."""
    norms = workspace.item_norms
    rows = np.flatnonzero((norms > 0) & (norms < QDRANT_FLOOR / workspace.item_scale))
    return workspace.finding(
        "tiny_norms",
        "Norms below a store's floor",
        len(rows) / len(norms),
        f"{len(rows)} items have a norm above 0 and below {QDRANT_FLOOR:.2e}",
        cause="vectors that training hardly moved from 0; Qdrant stores vectors this short without normalising them, "
        "and "
        "ranks them last under cosine",
        action="scale the rows to norm one before they are stored (simgauge export does), or leave these items out",
        verify="measure the shortest norm again afterwards",
        details={"named": workspace.names(rows), "floor": QDRANT_FLOOR},
    )
