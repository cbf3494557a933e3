"""check: what a store or an index really returns, beside exact search over the vectors that are read back from it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from simgauge.findings import SEVERITY, Finding, Verdict, worst
from simgauge.labels import Ids
from simgauge.parameters import Rng, as_generator, check_choice, check_integer
from simgauge.progress import Progress, silent
from simgauge.shipping.verification import Answers, Truth, answers, scores_of
from simgauge.stores.store import Store, StoredVectors
from simgauge.stores.target import Target, open_store, parse_target
from simgauge.tabular import Tabular
from simgauge.wording import counted, some_of

Expected = Literal["cosine", "dot", "l2"]
SCHEMA_VERSION = 1

TINY_NORM = 3.45e-4
"""Norm below which Qdrant stores a row as it is instead of scaling it to norm one (its issue 10465)."""
UNIT = 1e-3
"""Norms within this of one count as one: half precision and normalisation in float32 stay within it."""
RECALL = 0.95
REACHED = 0.999
REASONS: Mapping[str, str] = {
    "zero": "their cosine is undefined: DuckDB sorts them first by similarity, sqlite-vec and PostgreSQL may, LanceDB drops them",
    "graph": "graphs of inner products have rows that no walk reaches, and lifting rows by one component makes recall worse",
}


@dataclass(frozen=True, repr=False)
class StoreCheck(Tabular):
    """What a check of a store found."""

    target: str
    expected: Expected
    n_rows: int
    n_components: int
    findings: tuple[Finding, ...]

    @property
    def verdict(self) -> Verdict:
        """The most severe verdict."""
        return worst([finding.verdict for finding in self.findings])

    def __getitem__(self, finding_id: str) -> Finding:
        for finding in self.findings:
            if finding.id == finding_id:
                return finding
        raise KeyError(f"no finding {finding_id!r}; there are {', '.join(finding.id for finding in self.findings)}")

    def failed(self, level: str) -> bool:
        """Whether any finding is at least as severe as `level` ("warn" or "fail")."""
        check_choice(level, "level", ("warn", "fail"))
        return SEVERITY[self.verdict] >= SEVERITY[level]

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "target": self.target,
            "expected": self.expected,
            "n_rows": self.n_rows,
            "n_components": self.n_components,
            "verdict": self.verdict,
            "findings": [finding.to_dict() for finding in self.findings],
        }

    def to_arrow(self) -> pa.Table:
        """One row a finding."""
        columns = ("id", "title", "verdict", "value", "summary", "cause", "action")
        return pa.Table.from_pylist([{name: getattr(row, name) for name in columns} for row in self.findings])

    def __repr__(self) -> str:
        return f"StoreCheck({self.verdict}: {self.target}, {counted(self.n_rows, 'row')}, expected {self.expected})"


@dataclass(frozen=True, eq=False)
class _Read:
    """What was read back, and what is derived from it once."""

    store: Store
    found: StoredVectors
    expected: Expected
    norms: NDArray[np.float64]
    queries: NDArray[np.intp]
    k: int

    @property
    def ids(self) -> Ids:
        return self.found.ids

    @property
    def truth(self) -> Truth:
        return Truth.of(self.found.ids, self.found.vectors, self.expected)


def check(
    target: str | Target,
    *,
    expect: Expected | None = None,
    table: str | None = None,
    vector: str = "vector",
    id_column: str = "id",
    k: int = 10,
    sample: int = 200,
    rng: Rng = 0,
    progress: Progress | None = None,
) -> StoreCheck:
    """Ask a vector store or an index file whether its answers are those that its vectors were made for.

    The vectors are read back from it, exact search over them is the truth, and the store's own exact search and its index
    are compared with that. Nothing is written.

    Parameters
    ----------
    target : str
        As for `export`, or ``faiss:``, ``usearch:`` with an index file.
    expect : {"cosine", "dot", "l2"}, optional
        What the vectors are to be compared with. Taken from the card that `export` left; cosine where there is none.
    table, vector, id_column : str, optional
        Table or collection, and columns; "items", "vector" and "id" when not given.
    k : int
        Neighbours that are compared.
    sample : int
        Rows to ask with.
    rng : int or numpy.random.Generator
    progress : callable, optional

    Returns
    -------
    StoreCheck

    Raises
    ------
    InputError
        The store is down, refuses, or holds nothing of this name.

    Examples
    --------
    >>> import tempfile
    >>> from simgauge.shipping.export import export
    >>> model = np.random.default_rng(0).normal(size=(50, 4))
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     _ = export(model, f"duckdb:{folder}/v.db")
    ...     check(f"duckdb:{folder}/v.db").verdict
    'ok'
    """
    if expect is not None:
        check_choice(expect, "expect", ("cosine", "dot", "l2"))
    check_integer(k, "k", 1)
    check_integer(sample, "sample", 1)
    show = progress or silent
    where = target if isinstance(target, Target) else parse_target(target)
    store = open_store(where, table=table, vector=vector, id_column=id_column)
    show("reading the vectors back", 0, 3)
    found = store.read()
    wanted = expect or _of_card(found)
    norms = np.linalg.norm(found.vectors.astype(np.float64), axis=1)
    usable = np.flatnonzero(norms > 0)
    generator = as_generator(rng)
    asked = usable if len(usable) <= sample else np.sort(generator.choice(usable, sample, replace=False))
    read = _Read(store, found, wanted, norms, asked.astype(np.intp), min(k, max(1, len(found.ids) - 1)))
    findings = [_metric(read), _normalisation(read), _zero_rows(read), _counts(read), _completeness(read)]
    show("asking for exact neighbours", 1, 3)
    findings += _searches(read)
    show("scoring rows against each other", 2, 3)
    findings.append(_self_dominated(read))
    show("done", 3, 3)
    n, width = found.vectors.shape
    return StoreCheck(str(where), wanted, n, width, tuple(row for row in findings if row is not None))


def _of_card(found: StoredVectors) -> Expected:
    stated = None if found.card is None else found.card.get("metric")
    return "dot" if stated == "dot" else "cosine"


def _is_unit(read: _Read) -> bool:
    alive = read.norms[read.norms > 0]
    return bool(len(alive)) and bool((np.abs(alive - 1) <= UNIT).all())


def _metric(read: _Read) -> Finding:
    own, unit = read.found.metric, _is_unit(read)
    alike = unit and own in ("cosine", "dot", "l2", None) and read.expected in ("cosine", "dot", "l2")
    fits = own is None or own == read.expected or alike
    said = "chosen in each query" if own is None else own
    because = ", and rows have norm one, so that all three rank alike" if alike and own != read.expected and own else ""
    return Finding(
        "store_metric",
        "Metric of the store",
        None,
        f"the store compares by {said}; expected {read.expected}{because}",
        "ok" if fits else "fail",
        cause="" if fits else f"lists by {own} are other lists than those by {read.expected} for rows of unequal norm",
        action="" if fits else f"make the table or index again with the metric {read.expected}, or export unit rows",
        verify="simgauge check again",
        group="store",
    )


def _normalisation(read: _Read) -> Finding:
    alive = read.norms[read.norms > 0]
    if not len(alive):
        return Finding("store_norms", "Norms", None, "every row is zero", "fail", cause="there is no direction in any row",
                       action="export the vectors again", verify="simgauge check again", group="store")  # fmt: skip
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
    return Finding("store_norms", "Norms", float(alive.max() / alive.min()), spread if mixed else "every row has norm one",
                   "info" if mixed else "ok", group="store")  # fmt: skip


def _zero_rows(read: _Read) -> Finding:
    zero = np.flatnonzero(read.norms == 0)
    named = f" ({some_of(read.ids[zero[:4]].tolist())})" if len(zero) else ""
    bad = len(zero) > 0 and read.expected == "cosine"
    return Finding(
        "store_zero_rows", "Zero rows", float(len(zero)), f"{counted(len(zero), 'zero row')}{named}",
        "fail" if bad else "ok",
        cause=REASONS["zero"] if bad else "", action="leave them out, as simgauge export does" if bad else "",
        verify="no zero rows afterwards", group="store",
    )  # fmt: skip


def _counts(read: _Read) -> Finding:
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


def _completeness(read: _Read) -> Finding | None:
    card = read.found.card
    if card is None:
        return Finding(
            "store_card", "What the vectors are", None, "no card: nothing says which model and map made these vectors", "info",
            group="store",
        )  # fmt: skip
    made = card.get("remedy") or card.get("gauge") or {}
    name = made.get("name", "as trained") if isinstance(made, Mapping) else "as trained"
    return Finding("store_card", "What the vectors are", None,
                   f"exported {card.get('created', 'at an unknown time')}, {name}, for {card.get('metric')}", "ok",
                   details={"card": dict(card)}, group="store")  # fmt: skip


def _searches(read: _Read) -> list[Finding]:
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


def _index(read: _Read) -> Finding:
    found = answers(read.store, read.truth, exact=False, queries=read.queries, k=read.k)
    low = found.agreement.high < RECALL
    lost = read.expected != "dot" and found.finds_itself < REACHED and found.agreement.high < 1
    verdict: Verdict = "fail" if low else "warn" if lost or found.agreement.value < RECALL else "ok"
    cause = (
        REASONS["graph"] if read.expected == "dot" else "the index holds too few links, or searches too few candidates"
    )
    more = f"; {found.finds_itself:.0%} of the rows find themselves" if found.finds_itself < 1 else ""
    return Finding(
        "store_recall", f"Recall of the index ({read.found.index})", found.agreement.value, _words(found) + more, verdict,
        (found.agreement.low, found.agreement.high),
        cause="" if verdict == "ok" else cause,
        action="" if verdict == "ok" else "for cosine export unit rows; raise the candidates of a search (ef), or use a flat or "
        "IVF index for rankings by inner product",
        verify="simgauge check again", details=found.to_dict(), group="store",
    )  # fmt: skip


def _self_dominated(read: _Read) -> Finding | None:
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
        "store_self_dominated", "Rows beaten by others even on themselves", share,
        f"{share:.0%} of the rows have another row with a larger inner product than their own", "warn" if share > 0.5 else "info",
        cause="long rows win every inner product: such rows are nobody's nearest neighbour, and graphs lose them",
        action="use cosine (export unit rows) for similar items; keep inner product for users' rankings, in a flat index",
        verify="the share is 0 for unit rows", group="store",
    )  # fmt: skip


def _words(found: Answers) -> str:
    share = found.agreement
    spread = f" [{share.low:.1%}, {share.high:.1%}]" if share.low < share.high else ""
    return f"{share.value:.1%}{spread} of the {found.k} nearest rows are returned ({found.n_queries} rows asked)"
