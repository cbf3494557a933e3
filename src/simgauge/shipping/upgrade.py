"""upgrade: the queries of a new encoder brought into the index of an old one, so that the index can stay."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from simgauge.core.geometry.encoder_maps import PENALTIES, PairedRows, row_rank
from simgauge.core.neighbors.overlap import neighbor_overlap
from simgauge.core.neighbors.topk import top_k
from simgauge.core.tables.equal_rows import first_equal
from simgauge.core.tables.kinds import FloatTable, Matrix
from simgauge.core.tables.scale import in_range, range_exponent
from simgauge.core.tables.tables import unit_rows
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.labels import positions_of
from simgauge.matching.rows import check_rows
from simgauge.parameters import Rng, as_generator, check_choice, check_integer
from simgauge.read.as_embedding import as_embedding
from simgauge.remedies.affine_map import AffineMap
from simgauge.shipping.agreement import on_host
from simgauge.shipping.upgrade_scores import Asked, without
from simgauge.shipping.upgraded import METHODS, Upgraded, UpgradeMethod
from simgauge.wording import counted, some_of

HELD_OUT, FOR_CHOICE = 0.3, 0.15
"""Shares of the paired documents among which the maps are scored, and by which penalty and method are chosen."""

FEWEST = 50
"""Paired documents, below which neither a map nor its score says anything."""

QUERIES_FOR_CHOICE = 500
"""Documents with which penalty and method are chosen, at most."""


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
        Vectors of the same queries by both encoders, matched by id: they are what is asked. Without them the documents
        held out are asked for, each left out of its own list.
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
    Three tenths of the paired documents are held out: neither the maps that are scored nor the choice among them has
    seen these, and lists are searched among them (for the old encoder's lists: among all rows of the index that no map
    has seen), as a map knows the documents that it was fitted on. The map that is returned is fitted on all.
    Documents with equal vectors are never on both sides of a split. Lists are compared with lists; which encoder's
    lists are better only judgements of relevance can tell.

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
    documents = [as_embedding(table) for table in (old, new)]
    index, first, second = _documents(documents[0], documents[1], k)
    asked = _queries(old_queries, new_queries, documents)
    generator = as_generator(rng)
    paired = _Tables(index[first], second)
    fit, choose, held = split_documents(second, generator)
    n_different = len(np.unique(first_equal(second)))
    if n_different < _least(k):
        raise InputError(_too_few(n_different, k, "different "))
    fitted = np.concatenate([fit, choose])
    notes = _check_span(second, fitted, None if asked is None else asked[1])
    choices = _chosen(paired, fit, choose, metric, k)
    unseen = np.setdiff1d(np.arange(len(index)), first[fitted])
    scorer, queries = _scorer(
        index[unseen], paired, np.searchsorted(unseen, first[held]), held, asked, sample, metric, k
    )
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
        n_searched=len(held),
        n_queries=len(queries),
        asked_by="documents" if asked is None else "queries",
        rows=tuple(scorer.scores(scored)),
        itself_first=scorer.itself_first(scored[final.method]),
        notes=notes,
    )


def _documents(old: Embedding, new: Embedding, k: int) -> tuple[FloatTable, NDArray[np.int64], FloatTable]:
    """The old index without zero rows, the rows of it that the new encoder has too, and their new vectors.

    Extreme tables are brought near 1: lists do not depend on it, and what a map gives is as long as its input then.
    """
    check_rows(old, new, ("old", "new"))
    index, ids = in_range(on_host(old.items))[0], np.asarray(old.item_ids)
    alive = index.any(axis=1)
    index, ids = index[alive], ids[alive]
    table = in_range(on_host(new.items))[0]
    places = positions_of(new.item_ids, ids)
    rows = np.flatnonzero((places >= 0) & table.any(axis=1))
    if len(rows) < _least(k):
        ids_shown = f" First ids: {some_of(old.item_ids[:3].tolist())} and {some_of(new.item_ids[:3].tolist())}."
        raise InputError(_too_few(len(rows), k, "") + ids_shown)
    return index, places[rows], table[rows]


def _least(k: int) -> int:
    """Paired documents of which the smallest part still has lists of k."""
    return max(FEWEST, int(np.ceil((k + 2) / FOR_CHOICE)))


def _too_few(found: int, k: int, which: str) -> str:
    return (
        f"{counted(found, f'{which}document')} with a vector that is not zero by both encoders: at least {_least(k)} "
        f"are needed for lists of {k}. Embed more documents by both encoders, and pass the ids of both."
    )


def _queries(old: Any, new: Any, documents: Sequence[Embedding]) -> tuple[FloatTable, FloatTable] | None:
    """Vectors of the same queries by both encoders."""
    if old is None and new is None:
        return None
    if old is None or new is None:
        raise InputError("pass the queries by both encoders (old_queries= and new_queries=), or neither.")
    by_old, by_new = as_embedding(old), as_embedding(new)
    for name, queries, known in zip(("old", "new"), (by_old, by_new), documents, strict=True):
        if queries.n_components != known.n_components:
            raise InputError(
                f"the queries of the {name} encoder have {queries.n_components} components and its documents "
                f"{known.n_components}: pass queries that the same encoder made."
            )
    exponents = [range_exponent(on_host(known.items)) for known in documents]
    tables = [np.ldexp(on_host(made.items), power) for made, power in zip((by_old, by_new), exponents, strict=True)]
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
    return np.asarray(tables[0][places[rows]]), np.asarray(tables[1][rows])


def split_documents(
    new: FloatTable, rng: np.random.Generator
) -> tuple[NDArray[np.intp], NDArray[np.intp], NDArray[np.intp]]:
    """Rows to fit by, to choose by, and held out; documents with equal vectors are on one side."""
    _, group = np.unique(first_equal(new), return_inverse=True)
    order = rng.permutation(int(group.max()) + 1)
    n_held, n_choose = (int(np.ceil(share * len(order))) for share in (HELD_OUT, FOR_CHOICE))
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
    asked = choose[:QUERIES_FOR_CHOICE]
    own = np.arange(len(asked))
    old, new = paired.old[choose], paired.new[choose]
    wanted = without(top_k(new, k + 1, metric, new[own])[0], own)
    queries = new[own].astype(np.float64)
    best: dict[str, _Choice] = {}
    for tables in _scales(paired, metric):
        pairs = PairedRows.of(tables.new[fit], tables.old[fit])
        for method in METHODS:
            for penalty in PENALTIES if method != "rotation" else (0.0,):
                moved = queries @ matrix_of(pairs, method, penalty)
                lists = without(top_k(old, k + 1, metric, moved.astype(old.dtype))[0], own)
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
    unseen: FloatTable,
    paired: _Tables,
    places: NDArray[np.int64],
    held: NDArray[np.intp],
    asked: tuple[FloatTable, FloatTable] | None,
    sample: int,
    metric: str,
    k: int,
) -> tuple[Asked, FloatTable]:
    """The queries that are scored, in both spaces, and their vectors by the new encoder."""
    among = paired.old[held], paired.new[held]
    if asked is not None:
        old, new = (table[:sample] for table in asked)
        return Asked(unseen, *among, old, new, None, None, metric, k), new
    own = np.arange(min(sample, len(held)))
    old, new = (table[own] for table in among)
    return Asked(unseen, *among, old, new, places[own], own, metric, k), new
