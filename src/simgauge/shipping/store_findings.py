"""Findings about a store: its metric, norms, zero rows, completeness, and how its answers agree with the truth."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from simgauge.findings import Finding, Verdict
from simgauge.labels import Ids
from simgauge.shipping.verification import Answers, Truth, answers, scores_of
from simgauge.stores.store import Store, StoredVectors
from simgauge.wording import counted, some_of

Expected = Literal["cosine", "dot", "l2"]


TINY_NORM = 3.45e-4
"""Norm below which Qdrant stores a row as it is instead of scaling it to norm one (its issue 10465)."""


UNIT = 1e-3
"""Norms within this of one count as one: half precision and normalisation in float32 stay within it."""


RECALL = 0.95


REACHED = 0.999


REASONS: Mapping[str, str] = {
    "zero": "their cosine is undefined: DuckDB sorts them first by similarity, sqlite-vec and PostgreSQL may, LanceDB "
    "drops them",
    "graph": "graphs of inner products have rows that no walk reaches, and lifting rows by one component makes recall "
    "worse",
}


@dataclass(frozen=True, eq=False)
class ReadBack:
    """What was read back, and what is derived from it once."""

    store: Store
    found: StoredVectors
    expected: Expected
    norms: NDArray[np.float64]
    queries: NDArray[np.intp]
    k: int

    @property
    def ids(self) -> Ids:
        """The ids of the rows that were read back."""
        return self.found.ids

    @property
    def truth(self) -> Truth:
        """Exact search over the rows that were read back."""
        return Truth.of(self.found.ids, self.found.vectors, self.expected)


def _is_unit(read: ReadBack) -> bool:
    alive = read.norms[read.norms > 0]
    return bool(len(alive)) and bool((np.abs(alive - 1) <= UNIT).all())


def store_metric(read: ReadBack) -> Finding:
    """Whether the store ranks by the metric that the vectors are meant for; unit rows rank alike under all three."""
    own, unit = read.found.metric, _is_unit(read)
    alike = unit and own in ("cosine", "dot", "l2", None) and read.expected in ("cosine", "dot", "l2")
    fits = own is None or own == read.expected or alike
    said = "the metric is chosen in each query" if own is None else f"the store compares by {own}"
    because = ", and rows have norm one, so that all three rank alike" if alike and own != read.expected and own else ""
    return Finding(
        "store_metric",
        "Metric of the store",
        None,
        f"{said}; expected {read.expected}{because}",
        "ok" if fits else "fail",
        cause="" if fits else f"lists by {own} are other lists than those by {read.expected} for rows of unequal norm",
        action="" if fits else f"make the table or index again with the metric {read.expected}, or export unit rows",
        verify="simgauge check again",
        group="store",
    )


def norms_of(read: ReadBack) -> Finding:
    """Norms of the rows that are not zero, and whether some are below a store's floor of normalisation."""
    alive = read.norms[read.norms > 0]
    if not len(alive):
        return Finding(
            "store_norms",
            "Norms",
            None,
            "every row is zero",
            "fail",
            cause="a zero row has no direction, so that nothing can be ranked by cosine",
            action="export the vectors again",
            verify="simgauge check again",
            group="store",
        )
    tiny = int((alive < TINY_NORM).sum())
    spread = f"norms from {alive.min():.3g} to {alive.max():.3g}"
    mixed = not _is_unit(read)
    if tiny and mixed:
        return Finding(
            "store_norms", "Norms", float(tiny), f"{spread}; {counted(tiny, 'row')} below {TINY_NORM:g}", "warn",
            cause="some stores leave such rows as they are when they normalise, and then rank them wrongly",
            action="export unit rows, which is what simgauge export does for cosine",
            verify="all norms are 1 afterwards", group="store",
        )  # fmt: skip
    return Finding(
        "store_norms",
        "Norms",
        float(alive.max() / alive.min()),
        spread if mixed else "every row has norm one",
        "info" if mixed else "ok",
        group="store",
    )


def zero_rows(read: ReadBack) -> Finding:
    """Rows without a direction, which stores rank first, last or not at all."""
    zero = np.flatnonzero(read.norms == 0)
    named = f" ({some_of(read.ids[zero[:4]].tolist())})" if len(zero) else ""
    bad = len(zero) > 0 and read.expected == "cosine"
    return Finding(
        "store_zero_rows", "Zero rows", float(len(zero)), f"{counted(len(zero), 'zero row')}{named}",
        "fail" if bad else "ok",
        cause=REASONS["zero"] if bad else "", action="leave them out, as simgauge export does" if bad else "",
        verify="no zero rows afterwards", group="store",
    )  # fmt: skip


def rows_present(read: ReadBack) -> Finding:
    """Whether every row that was exported is there, once."""
    n, counted_rows = len(read.ids), read.found.count
    unique = len(np.unique(read.ids.astype(str))) if n else 0
    stated = None if read.found.card is None else read.found.card.get("n_rows")
    problems = []
    if counted_rows != n:
        problems.append(f"the store counts {counted_rows:,} rows and returns {n:,}")
    if unique != n:
        problems.append(f"{n - unique:,} ids occur more than once")
    if stated is not None and stated > n:
        problems.append(f"{stated:,} rows were exported")
    bad = bool(problems)
    return Finding(
        "store_rows", "Rows", float(n), "; ".join(problems) if bad else f"{n:,} rows, each with an id of its own",
        "fail" if bad else "ok",
        cause="rows were dropped while loading or building an index, or were loaded twice" if bad else "",
        action="export again; compare the counts" if bad else "", verify="simgauge check again", group="store",
    )  # fmt: skip


def card_of(read: ReadBack) -> Finding | None:
    """What the card says of the vectors, where simgauge wrote one."""
    stated = read.found.card
    if stated is None:
        return Finding(
            "store_card", "What the vectors are", None, "no card: nothing says which model and map made these "
            "vectors", "info",
            group="store",
        )  # fmt: skip
    made = stated.get("remedy") or stated.get("gauge") or {}
    name = made.get("name", "as trained") if isinstance(made, Mapping) else "as trained"
    return Finding("store_card", "What the vectors are", None,
                   f"exported {stated.get('created', 'at an unknown time')}, {name}, for {stated.get('metric')}", "ok",
                   details={"card": dict(stated)}, group="store")  # fmt: skip


def searches(read: ReadBack) -> list[Finding]:
    """The store's exact search and its index, beside the truth."""
    if not read.store.searches or not len(read.queries):
        return []
    exact = answers(read.store, read.truth, exact=True, queries=read.queries, k=read.k)
    wrong = exact.agreement.value < 1 - 0.5 / (exact.k * exact.n_queries)
    found = [
        Finding(
            "store_exact", "Exact search", exact.agreement.value, _words(exact), "fail" if wrong else "ok",
            (exact.agreement.low, exact.agreement.high),
            cause="the store's exact search ranks by something else than the expected metric, or does not see every row"
            if wrong else "",
            action=f"query with the metric {read.expected}; see the store's recipe in the docs" if wrong else "",
            verify="simgauge check again", details=exact.to_dict(), group="store",
        )
    ]  # fmt: skip
    if read.found.index is not None:
        found.append(_index(read))
    return found


def _index(read: ReadBack) -> Finding:
    found = answers(read.store, read.truth, exact=False, queries=read.queries, k=read.k)
    low = found.agreement.high < RECALL
    lost = read.expected != "dot" and found.finds_itself < REACHED and found.agreement.high < 1
    verdict: Verdict = "fail" if low else "warn" if lost or found.agreement.value < RECALL else "ok"
    cause = (
        REASONS["graph"] if read.expected == "dot" else "the index holds too few links, or searches too few candidates"
    )
    more = f"; {found.finds_itself:.0%} of the rows find themselves" if found.finds_itself < 1 else ""
    return Finding(
        "store_recall",
        f"Recall of the index ({read.found.index})",
        found.agreement.value,
        _words(found) + more,
        verdict,
        (found.agreement.low, found.agreement.high),
        cause="" if verdict == "ok" else cause,
        action=""
        if verdict == "ok"
        else "for cosine export unit rows; raise the candidates of a search (ef), or use "
        "a flat or "
        "IVF index for rankings by inner product",
        verify="simgauge check again",
        details=found.to_dict(),
        group="store",
    )


def self_dominated(read: ReadBack) -> Finding | None:
    """Rows that another row beats by inner product with themselves; None where nobody compares by inner product."""
    if read.expected != "dot" and read.found.metric != "dot":
        return None
    if _is_unit(read) or not len(read.queries):
        return None
    asked = read.found.vectors[read.queries]
    own = read.norms[read.queries] ** 2
    best = np.full(len(asked), -np.inf)
    for start in range(0, len(read.ids), 1 << 16):
        best = np.maximum(best, scores_of(asked, read.found.vectors[start : start + (1 << 16)], "dot").max(axis=1))
    share = float((best > own * (1 + 1e-6)).mean())
    return Finding(
        "store_self_dominated",
        "Rows beaten by others even on themselves",
        share,
        f"{share:.0%} of the rows have another row with a larger inner product than their own",
        "warn" if share > 0.5 else "info",
        cause="long rows win by inner product: a shorter row may lose even its own query, and graphs may not reach it",
        action="use cosine (export unit rows) for similar items; keep inner product for users' rankings, in a flat "
        "index",
        verify="the share is 0 for unit rows",
        group="store",
    )


def _words(found: Answers) -> str:
    share = found.agreement
    spread = f" [{share.low:.1%}, {share.high:.1%}]" if share.low < share.high else ""
    return f"{share.value:.1%}{spread} of the {found.k} nearest rows are returned ({found.n_queries} rows asked)"
