"""upgrade: the queries of a new encoder brought into the index of an old one, so that the index can stay."""

from __future__ import annotations

from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.geometry.encoder_maps import PENALTIES, PairedRows, row_rank
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.equal_rows import first_equal
from simgauge.core.tables.kinds import FloatTable, Matrix
from simgauge.core.tables.tables import unit_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.labels import positions_of
from simgauge.matching.rows import check_rows
from simgauge.parameters import Rng, as_generator, check_choice, check_integer
from simgauge.read.as_embedding import as_embedding
from simgauge.remedies.affine_map import AffineMap
from simgauge.shipping.agreement import on_host
from simgauge.shipping.upgrade_scores import Asked
from simgauge.shipping.upgraded import METHODS, Upgraded, UpgradeMethod
from simgauge.wording import counted, some_of

HELD_OUT = 0.2
"""Share of the documents that are asked for, and of the others the share by which penalty and method are chosen."""

FEWEST = 50
"""Paired documents, below which neither a map nor its score says anything."""

INDEX_FOR_CHOICE, QUERIES_FOR_CHOICE = 20_000, 500
"""Rows among which, and with which, penalty and method are chosen."""


class _Tables(NamedTuple):
    """Rows of the same documents by both encoders, in one scale."""

    old: FloatTable
    new: FloatTable


class _Choice(NamedTuple):
    method: UpgradeMethod
    penalty: float
    tables: _Tables
    kept: float

    def matrix(self, rows: NDArray[np.intp]) -> Matrix:
        """(k1, k0): the map by these rows."""
        return matrix_of(PairedRows.of(self.tables.new[rows], self.tables.old[rows]), self.method, self.penalty)


def upgrade(
    old: Any,
    new: Any,
    *,
    old_queries: Any = None,
    new_queries: Any = None,
    method: Literal["best", "linear", "rotation", "anchors"] = "best",
    metric: Literal["cosine", "dot"] = "cosine",
    k: int = 10,
    sample: int = 2_000,
    rng: Rng = 0,
) -> Upgraded:
    """A map by which queries of a new encoder are asked in the index of an old one, and what that is worth.

    Every document embedded anew by the new encoder is the best that can be had, and may cost too much. With both
    encoders' vectors of some documents, new queries can be mapped into the old space instead, and the index stays.

    Parameters
    ----------
    old, new : Embedding, array-like, data frame or path
        Document vectors by the old encoder (all rows of the index, or a sample of them) and by the new one (some of the
        same documents), matched by item id. Any two widths.
    old_queries, new_queries : like `old` and `new`, optional
        Vectors of the same queries by both encoders, matched by id: they are what is scored. Without them a fifth of
        the documents is held out and asked for, each left out of its own list.
    method : {"best", "linear", "rotation", "anchors"}
        "linear": ridge regression. "rotation": orthogonal Procrustes, the narrower space filled up with zeros.
        "anchors": relative representations to the paired rows, turned back into the old space. Penalties, and the
        method for "best", are chosen by how much of the new encoder's own lists is found, on documents that neither
        made the maps nor are scored.
    metric : {"cosine", "dot"}
        What the index is asked by. With "cosine" the maps are fitted on rows of norm one or on rows as they are,
        whichever is better on the documents set apart.
    k : int
        Length of the lists.
    sample : int
        Held-out documents or queries that are scored, at most.
    rng : int or numpy.random.Generator
        Of the split.

    Returns
    -------
    Upgraded
        ``map_`` moves queries (and new documents) into the old space: ``apply(found.map_, vectors)``. It is saved by
        ``found.map_.save(path)`` and read by `load_map`.

    Notes
    -----
    Lists are compared with lists. Which encoder's lists are better only judgements of relevance can tell. Documents
    with equal vectors are never on both sides of a split.

    Raises
    ------
    InputError
        Too few documents with both vectors, or paired rows that do not span what the new encoder's vectors span.
    ParameterError
        A parameter outside its range.

    References
    ----------
    Drift-Adapter (arXiv 2509.23471); relative representations: Moschella et al. (2023).

    Examples
    --------
    >>> from simgauge.shipping.apply import apply
    >>> draw = np.random.default_rng(0)
    >>> old = draw.normal(size=(400, 8))
    >>> new = old @ np.linalg.qr(draw.normal(size=(12, 8)))[0].T  # the same meaning in twelve columns
    >>> found = upgrade(old, new, k=5)
    >>> found["rotation"].new_lists.value, found.itself_first, apply(found.map_, new[:3]).n_components
    (1.0, 1.0, 8)
    """
    check_choice(method, "method", ("best", *METHODS))
    check_choice(metric, "metric", ("cosine", "dot"))
    k, sample = check_integer(k, "k", 1), check_integer(sample, "sample", 2)
    index, first, second = _documents(as_embedding(old), as_embedding(new), k)
    asked = _queries(old_queries, new_queries, (index.shape[1], on_host(as_embedding(new).items).shape[1]))
    generator = as_generator(rng)
    paired = _Tables(index[first], second)
    fit, choose, held = _split(second, asked is None, generator)
    fitted = np.concatenate([fit, choose])
    notes = _check_span(second, fitted, None if asked is None else asked[1])
    choices = _chosen(paired, fit, choose, metric, k)
    scorer, queries = _scorer(index, paired, first, held[:sample], asked, sample, metric, k)
    scored = {choice.method: queries @ choice.matrix(fitted).astype(queries.dtype) for choice in choices}
    best = max(choices, key=lambda choice: choice.kept)
    final = next((choice for choice in choices if choice.method == method), best)
    H = final.matrix(np.arange(len(second)))
    return Upgraded(
        method=final.method,
        penalty=final.penalty,
        map_=AffineMap.of(f"{final.method} map into the old encoder's space", H, H),
        metric=metric,
        k=k,
        n_paired=len(second),
        n_fitted=len(fitted),
        n_queries=len(queries),
        asked_by="documents" if asked is None else "queries",
        rows=tuple(scorer.scores(scored)),
        itself_first=scorer.itself_first(scored[final.method]),
        notes=notes,
    )


def _documents(old: Embedding, new: Embedding, k: int) -> tuple[FloatTable, NDArray[np.int64], FloatTable]:
    """The old index without zero rows, the rows of it that the new encoder has too, and their new vectors."""
    check_rows(old, new, ("old", "new"))
    index, ids = on_host(old.items), np.asarray(old.item_ids)
    alive = index.any(axis=1)
    index, ids = index[alive], ids[alive]
    table = on_host(new.items)
    places = positions_of(new.item_ids, ids)
    rows = np.flatnonzero((places >= 0) & table.any(axis=1))
    if len(rows) < max(FEWEST, 3 * k):
        raise InputError(
            f"{counted(len(rows), 'document')} with a vector that is not zero by both encoders (first ids: "
            f"{some_of(old.item_ids[:3].tolist())} and {some_of(new.item_ids[:3].tolist())}): at least "
            f"{max(FEWEST, 3 * k)} are needed. Embed more documents by both encoders, and pass the ids of both."
        )
    return index, places[rows], table[rows]


def _queries(old: Any, new: Any, widths: tuple[int, int]) -> tuple[FloatTable, FloatTable] | None:
    """Vectors of the same queries by both encoders."""
    if old is None and new is None:
        return None
    if old is None or new is None:
        raise InputError("pass the queries by both encoders (old_queries= and new_queries=), or neither.")
    by_old, by_new = as_embedding(old), as_embedding(new)
    tables = on_host(by_old.items), on_host(by_new.items)
    for name, table, width in zip(("old", "new"), tables, widths, strict=True):
        if table.shape[1] != width:
            raise InputError(
                f"the queries of the {name} encoder have {table.shape[1]} components and its documents {width}: pass "
                f"queries that the same encoder made."
            )
    if by_old.item_ids_given != by_new.item_ids_given or (
        not by_old.item_ids_given and by_old.n_items != by_new.n_items
    ):
        raise InputError(
            f"the queries by the old encoder ({by_old.n_items:,} rows) and by the new one ({by_new.n_items:,}) do not "
            "both have ids, so which belong together cannot be told: pass tables with a column of ids, or the same "
            "queries in the same order without ids."
        )
    places = positions_of(by_new.item_ids, by_old.item_ids)
    rows = np.flatnonzero(places >= 0)
    rows = rows[tables[0][places[rows]].any(axis=1) & tables[1][rows].any(axis=1)]
    if len(rows) < 2:
        raise InputError(
            f"{counted(len(rows), 'query')} with a vector that is not zero by both encoders: pass two or more, with "
            "the same ids."
        )
    return tables[0][places[rows]], tables[1][rows]


def _split(
    new: FloatTable, hold_out: bool, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Rows to fit by, to choose by, and held out; documents with equal vectors are on one side."""
    _, group = np.unique(first_equal(new), return_inverse=True)
    order = rng.permutation(int(group.max()) + 1)
    n_held = round(HELD_OUT * len(order)) if hold_out else 0
    n_choose = max(1, round(HELD_OUT * (len(order) - n_held)))
    side = np.zeros(len(order), dtype=np.int64)
    side[order[:n_held]] = 2
    side[order[n_held : n_held + n_choose]] = 1
    fit, choose, held = (rng.permutation(np.flatnonzero(side[group] == which)) for which in range(3))
    return fit, choose, held


def _check_span(new: FloatTable, fitted: NDArray[np.intp], queries: FloatTable | None) -> tuple[str, ...]:
    """Refuse paired rows that leave directions of the new vectors out; say where the new vectors have fewer than
    columns."""
    width = new.shape[1]
    spanned = row_rank(new[fitted])
    whole = row_rank(new if queries is None else np.concatenate([new, queries.astype(new.dtype)]))
    if spanned < whole:
        raise InputError(
            f"the {len(fitted)} paired documents that the map is fitted on span {spanned} of the {whole} directions of "
            f"the new encoder's vectors, so the others would be mapped to nothing. Embed more documents by both "
            f"encoders: at least {round(1.5 * width)} different ones for {width} components, several times as many "
            "for a good map."
        )
    if whole == width:
        return ()
    return (
        f"The new encoder's vectors span {whole} of their {width} columns' directions: of a later vector, what lies "
        "outside them is not mapped.",
    )


def _chosen(paired: _Tables, fit: NDArray[np.intp], choose: NDArray[np.intp], metric: str, k: int) -> list[_Choice]:
    """Of every method the best penalty and scale of the rows, by the new encoder's lists that mapped rows find."""
    choose, searched = choose[:QUERIES_FOR_CHOICE], fit[:INDEX_FOR_CHOICE]
    k = min(k, len(searched))
    wanted = top_k(paired.new[searched], k, metric, paired.new[choose])[0]
    index, queries = paired.old[searched], paired.new[choose].astype(np.float64)
    best: dict[str, _Choice] = {}
    for tables in _scales(paired, metric):
        pairs = PairedRows.of(tables.new[fit], tables.old[fit])
        for method in METHODS:
            for penalty in PENALTIES if method != "rotation" else (0.0,):
                moved = queries @ matrix_of(pairs, method, penalty)
                lists = top_k(index, k, metric, moved.astype(index.dtype))[0]
                tried = _Choice(method, penalty, tables, neighbor_overlap(lists, wanted).mean)
                if method not in best or tried.kept > best[method].kept:
                    best[method] = tried
    return list(best.values())


def _scales(paired: _Tables, metric: str) -> list[_Tables]:
    """The rows that maps are fitted on: as they are, and for cosine also with norm one where that is another thing.

    Where two models are linear maps of one another that holds for the rows as they are, and where only directions agree
    for rows of norm one.
    """
    units = _Tables(unit_rows(paired.old), unit_rows(paired.new))
    if metric == "dot":
        return [paired]
    alike = all(np.allclose(unit, rows, atol=1e-3) for unit, rows in zip(units, paired, strict=True))
    return [units] if alike else [units, paired]


def matrix_of(pairs: PairedRows, method: UpgradeMethod, penalty: float) -> Matrix:
    """(k1, k0): the map of one method."""
    if method == "rotation":
        return pairs.rotation()
    return pairs.linear(penalty) if method == "linear" else pairs.anchored(penalty)


def _scorer(
    index: FloatTable,
    paired: _Tables,
    first: NDArray[np.int64],
    held: NDArray[np.intp],
    asked: tuple[FloatTable, FloatTable] | None,
    sample: int,
    metric: str,
    k: int,
) -> tuple[Asked, FloatTable]:
    """The queries that are scored, in both spaces, and their vectors by the new encoder."""
    if asked is not None:
        old, new = (table[:sample] for table in asked)
        return Asked(index, *paired, old, new, None, None, metric, k), new
    old, new = paired.old[held], paired.new[held]
    return Asked(index, *paired, old, new, first[held], held.astype(np.int64), metric, k), new
