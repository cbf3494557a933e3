"""The summary of the page of a comparison: what the models are to each other, who moved, and what was only gauge."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from simgauge.auditing.comparison import ModelComparison
from simgauge.auditing.comparison_text import keeps_cosines
from simgauge.auditing.movers import Movers, movers
from simgauge.auditing.page import sha256_of_table
from simgauge.core.inference.intervals import share_interval
from simgauge.embedding import Embedding
from simgauge.findings import SEVERITY
from simgauge.parameters import Rng, as_seed
from simgauge.report.names import shown_name, shown_sentence
from simgauge.report.summary import page_summary
from simgauge.wording import counted

MOVERS, LISTED = 10, 3
"""Items in a table of movers, and those whose lists are shown."""


def comparison_page(
    result: ModelComparison,
    first: Embedding,
    second: Embedding,
    *,
    title: str,
    sample: int = 2_000,
    rng: Rng = 0,
    command: str = "",
) -> dict[str, Any]:
    """Summary of the page of `compare`, as ``schemas/page.schema.json`` describes it.

    Parameters
    ----------
    result : ModelComparison
    first, second : Embedding
        What was compared.
    title, command : str
    sample : int
        Items whose lists are compared, where there are more.
    rng : int or numpy.random.Generator
    """
    from simgauge import __version__

    seed = as_seed(rng)
    found = movers(first, second, result.k, sample, np.random.default_rng(seed))
    overlap = f"{result.neighbor_overlap:.0%}".replace("%", " %")
    neighbors = "nearest neighbour is" if result.k == 1 else f"{result.k} nearest neighbours are"
    return page_summary(
        kind="compare",
        title=title,
        version=__version__,
        headline=headline(result),
        badge=result.relation,
        subline=shown_sentence(result.summary),
        facts=[counted(result.n_shared, "shared item"), *(f"{counted(e.n_items, 'item')} in the {name}"
               for name, e in (("first", first), ("second", second)))],
        number={
            "id": "neighbor_overlap",
            "value": overlap,
            "number": result.neighbor_overlap,
            "text": f"of the {neighbors} the same in both tables as shipped",
            "meaning": "" if found is None else _only_gauge_sentence(found),
            "peers": None,
        },
        comparison={
            "agreement": _agreement(result),
            "verdicts": _verdicts(result),
            **(_nobody() if found is None else _movers(found, first)),
        },
        how={"command": command, "facts": [
            ["seed", str(seed)], ["k", str(result.k)],
            ["first items, SHA-256", sha256_of_table(first.items)],
            ["second items, SHA-256", sha256_of_table(second.items)],
        ]},
    )  # fmt: skip


def headline(result: ModelComparison) -> str:
    """What the two tables are to each other, in one sentence that holds in every case in which it is shown."""
    same = result.predictions is not None and result.predictions.same_model
    if result.relation == "identical":
        return "The two tables of items are equal."
    if result.relation == "undetermined":
        return "The shared items are too few to tell what turns one table into the other."
    if result.relation == "different":
        return "These are two different models."
    if same and not keeps_cosines(result.items):
        return "One model in two gauges: the predictions are the same, the cosines are not."
    return f"One table of items is the other up to this: {result.relation}."


def _only_gauge_sentence(found: Movers) -> str:
    """How much of the difference a gauge explains."""
    shipped, canonical = float(found.shipped.mean()), float(found.canonical.mean())
    if canonical >= 1 - 1e-9 and shipped < 1 - 1e-9:
        return f"In a gauge that both models determine ({found.gauge}) all are the same: the difference is gauge alone."
    told = f"In a gauge that both models determine ({found.gauge}) {canonical:.0%} are the same".replace("%", " %")
    return f"{told}; what differs there is no matter of gauge."


def _movers(found: Movers, first: Embedding) -> dict[str, Any]:
    rows = [
        {"label": label, "value": interval.value, "interval": [interval.low, interval.high]}
        for label, values in (("as shipped", found.shipped), (f"{found.gauge}, each model", found.canonical))
        for interval in [share_interval(values, population=found.n_shared)]
    ]
    moved = found.moved(MOVERS)
    return {
        "gauge": found.gauge,
        "n_lists": len(found.rows),
        "overlaps": rows,
        "movers": _shares(found, moved, first),
        "only_gauge": _shares(found, found.only_gauge(MOVERS), first),
        "lists": _lists(found, moved[:LISTED], first),
    }


def _nobody() -> dict[str, Any]:
    return {"gauge": "", "n_lists": 0, "overlaps": [], "movers": [], "only_gauge": [], "lists": []}


def _shares(found: Movers, positions: Any, first: Embedding) -> list[dict[str, Any]]:
    return [
        {
            "name": shown_name(first.item_names[found.rows[place]]),
            "shipped": float(found.shipped[place]),
            "canonical": float(found.canonical[place]),
        }
        for place in positions
    ]


def _lists(found: Movers, positions: Any, first: Embedding) -> list[dict[str, Any]]:
    """Neighbours of the movers in the gauge that both models determine."""
    return [
        {
            "name": shown_name(first.item_names[found.rows[place]]),
            "gauges": [
                {
                    "gauge": gauge,
                    "neighbors": [
                        {"name": shown_name(first.item_names[row]), "score": None, "in_first_list": bool(row in other)}
                        for row in own
                    ],
                }
                for gauge, own, other in (
                    ("first model", found.lists[0][place], found.lists[1][place]),
                    ("second model", found.lists[1][place], found.lists[0][place]),
                )
            ],
        }
        for place in positions
    ]


def _agreement(result: ModelComparison) -> list[list[str]]:
    above = result.agreement_above_chance
    return [
        ["mean cosine of two items, first and second", "{:.3f} and {:.3f}".format(*result.mean_cosines)],
        ["linear CKA: shapes up to rotation, scale and shift", f"{result.cka:.3f}"],
        ["Procrustes similarity: the same, by the best rotation", f"{result.procrustes_similarity:.3f}"],
        ["canonical agreement: up to any gauge and shift", f"{result.canonical_agreement:.3f}"],
        ["the same of unrelated tables of these sizes", f"{result.chance_agreement:.3f}"],
        ["canonical agreement above chance", "cannot be told" if above is None else f"{above:.3f}"],
    ]


def _verdicts(result: ModelComparison) -> list[dict[str, str]]:
    """Findings that are not ok in one of the two audits."""
    other = {finding.id: finding for finding in result.audits[1].findings}
    pairs: Sequence[Any] = [(one, other[one.id]) for one in result.audits[0].findings if one.id in other]
    return [
        {
            "title": one.title,
            "first": one.verdict,
            "first_said": shown_sentence(one.summary),
            "second": two.verdict,
            "second_said": shown_sentence(two.summary),
        }
        for one, two in pairs
        if SEVERITY[one.verdict] or SEVERITY[two.verdict]
    ]
