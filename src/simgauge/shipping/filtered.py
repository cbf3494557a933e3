"""Searches that carry a filter: what a store returns then, beside exact search over the rows that pass."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from simgauge.errors import InputError
from simgauge.findings import Finding, Verdict
from simgauge.labels import positions_of
from simgauge.shipping.store_findings import RECALL, ReadBack
from simgauge.shipping.verification import Answers, answers
from simgauge.stores.condition import Condition
from simgauge.stores.store import NAME
from simgauge.wording import counted, some_of

SHARES = (0.1, 0.01)
"""Of the rows, that filters keep: a category, and a user's own documents."""
MOST_IDS = 20_000
"""Ids that a query lists at most: beyond, messages and not searches are measured."""
QUERIES = 50


def filtered_searches(read: ReadBack, wanted: str | None, rng: np.random.Generator) -> Finding | None:
    """Recall of queries with a filter, against exact search over the rows that pass.

    Parameters
    ----------
    read : ReadBack
    wanted : str, optional
        ``COLUMN`` or ``COLUMN=VALUE``; of a column the two values are asked for that hold nearest to a tenth and a
        hundredth of the rows. Without it, lists of ids that keep these shares.
    rng : numpy.random.Generator

    Returns
    -------
    Finding or None
        None where the store's client takes no filters, or there are too few rows.

    Raises
    ------
    InputError
        There is no such column, or nothing in it to filter by.
    """
    if wanted is not None and not read.store.filters:
        raise InputError(f"simgauge cannot filter searches in {read.store.kind}: leave out --filter.")
    if not read.store.filters or not len(read.queries):
        return None
    conditions = _by_ids(read, rng) if wanted is None else _by_column(read, wanted)
    queries = read.queries
    if len(queries) > QUERIES:
        queries = np.sort(rng.choice(queries, QUERIES, replace=False))
    found = [
        (one, answers(read.store, read.truth, exact=False, queries=queries, k=read.k, only=one)) for one in conditions
    ]
    return _finding(read, found, named=wanted is not None) if found else None


def _finding(read: ReadBack, found: list[tuple[Condition, Answers]], *, named: bool) -> Finding:
    worst = min((answer for _, answer in found), key=lambda answer: answer.agreement.value)
    low = any(answer.agreement.high < RECALL for _, answer in found)
    short = any(answer.short for _, answer in found)
    verdict: Verdict = "ok"
    if low or short or worst.agreement.value < RECALL:
        verdict = "fail" if named and low else "warn"
    return Finding(
        "store_filtered",
        "Searches with a filter",
        worst.agreement.value,
        "; ".join(_words(read, condition, answer) for condition, answer in found),
        verdict,
        (worst.agreement.low, worst.agreement.high),
        cause="" if verdict == "ok" else _cause(read, short=short),
        action="" if verdict == "ok" else read.store.filter_remedy,
        verify="" if verdict == "ok" else "simgauge check again, with --filter COLUMN for a column of yours",
        details={
            "filters": [
                {
                    "condition": _name(read, condition),
                    "rows": len(condition.ids),
                    "share": len(condition.ids) / len(read.ids),
                    **answer.to_dict(),
                }
                for condition, answer in found
            ]
        },
        group="store",
    )


def _cause(read: ReadBack, *, short: bool) -> str:
    if read.found.index is None:
        return "the store does not search all rows that pass the filter"
    if short:
        return "the walk through the index ended before enough rows that pass the filter were met"
    return "the walk through the index met too few of the rows that pass the filter"


def _words(read: ReadBack, condition: Condition, found: Answers) -> str:
    share, kept = found.agreement, 100 * len(condition.ids) / len(read.ids)
    spread = f" [{share.low:.1%}, {share.high:.1%}]" if share.low < share.high else ""
    lacking = f", and {found.short:.0%} of the searches return fewer rows" if found.short else ""
    return (
        f"{_name(read, condition)} keeps {counted(len(condition.ids), 'row')} ({kept:.3g} % of all): {share.value:.1%}"
        f"{spread} of the {found.k} nearest are returned{lacking}"
    )


def _name(read: ReadBack, condition: Condition) -> str:
    return read.store.filter_by_ids if condition.column is None else f"{condition.column} = {condition.value!r}"


def _by_ids(read: ReadBack, rng: np.random.Generator) -> list[Condition]:
    n = len(read.ids)
    sizes = dict.fromkeys(min(round(share * n), MOST_IDS) for share in SHARES)
    return [Condition(read.ids[rng.choice(n, size, replace=False)]) for size in sizes if size >= read.k]


def _by_column(read: ReadBack, wanted: str) -> list[Condition]:
    column, equals, text = wanted.partition("=")
    if not NAME.fullmatch(column):
        raise InputError(f"--filter {wanted!r}: expected COLUMN or COLUMN=VALUE, with the name of a column.")
    ids, values = read.store.values(column)
    known = [value for value in values if isinstance(value, str | int)]  # a truth value is an int
    if not known:
        held = next((type(value).__name__ for value in values if value is not None), None)
        what = "nothing" if held is None else f"values of type {held}"
        raise InputError(f"column {column!r} holds {what}: a filter takes text, whole numbers or truth values.")
    counts = Counter(known)
    if equals:
        chosen = [value for value in counts if str(value) == text]
        if not chosen:
            raise InputError(f"no row holds {text!r} in {column!r}; there are {some_of(counts)}.")
    else:
        chosen = _near_shares(counts, len(values), read.k)
    places = positions_of(ids, read.ids)
    return [
        Condition(read.ids[np.array([p for p, value in zip(places, values, strict=True) if _same(value, one)])],
                  column, one)
        for one in chosen
    ]  # fmt: skip


def _near_shares(counts: Counter[Any], n: int, k: int) -> list[Any]:
    """Of the values that enough rows hold, those whose shares are nearest to `SHARES`, as ratios."""
    enough = {value: count for value, count in counts.items() if count >= k} or dict(counts)
    return list(
        dict.fromkeys(min(enough, key=lambda value: abs(np.log(enough[value] / n / share))) for share in SHARES)
    )


def _same(value: Any, other: Any) -> bool:
    """Whether two values are equal and of one type: 1 and True are not."""
    return type(value) is type(other) and value == other
