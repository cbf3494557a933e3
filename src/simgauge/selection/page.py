"""The summary of a fix's page: what was chosen against leaving alone, what it costs, how to apply and to undo it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.auditing.page import sha256_of_table
from simgauge.core.tables.tables import row_norms, take_rows
from simgauge.embedding import Embedding
from simgauge.neighbors import compare_neighbors
from simgauge.parameters import as_generator
from simgauge.remedies.canonical import CanonicalGauge
from simgauge.remedies.leave_alone import LeaveAlone
from simgauge.remedies.remedy import CHANGED, KEPT, RANKINGS_KEPT
from simgauge.report.explorer.forms import Point
from simgauge.report.names import shown_name, shown_sentence
from simgauge.report.summary import page_summary
from simgauge.selection.record import Change, Selection
from simgauge.wording import counted

SHOWN, LISTED, DRAWN = 4, 10, 14
"""Items with lists before and after, members of a list, candidates in the drawing."""

HEADLINES = {
    "improved": "Yes: other vectors of the same items serve better, on data that had no part in the choice.",
    "left alone": "Leave these vectors alone: nothing that was tried is better beyond doubt.",
    "default": "A default and not a finding: there was no evidence to choose by.",
}

COSTS = {
    KEPT: "Nothing: every dot product of a user with an item stays what it was. Only cosines and neighbours change.",
    RANKINGS_KEPT: "Each user's scores move by one constant, and every ranking of items for a user stays what it was.",
    CHANGED: "Predictions change: dot products of users with these items are others. Keep the old vectors for scoring, "
    "and use these for similar items.",
}  # fmt: skip

ALONE = "Nothing changes: the vectors were written as they came."
STAYED = "The vectors that were passed stay where they are: to go back, use them. In a store, load them again."
REPLACED = "These vectors were written over the ones that were passed: to go back, take your own copy of those."


def fix_page(
    selection: Selection,
    before: Embedding,
    after: Embedding,
    *,
    title: str,
    out: str = "OUT",
    shown: Sequence[Any] = (),
    popularity: Any = None,
    command: str = "",
    replaced: bool = False,
) -> dict[str, Any]:
    """Summary of the page of a fix, as ``schemas/page.schema.json`` describes it.

    Parameters
    ----------
    selection : Selection
    before, after : Embedding
        As passed to `fix`, and as it moved them.
    title : str
    out : str
        Where the moved vectors lie, for the commands that the page shows.
    shown : sequence of names or ids
        Items whose lists are shown before and after; popular ones, or some drawn at random, when not given.
    popularity : array-like, shape (n_items,), optional
    command : str
        What makes the page again.
    replaced : bool
        Whether the moved vectors were written over those that were passed.
    """
    from simgauge import __version__
    from simgauge.report.explorer.build import explore

    told = selection.to_dict()
    k = min(LISTED, before.n_items - 1)
    rows = _rows_shown(before, after, shown, popularity, selection.settings)
    labels = [before.item_ids[row] for row in rows]
    seed = int(told["settings"].get("seed", 0))
    more = {f"chosen: {selection.best_name}": point for point in [_point_of(selection.best)] if point is not None}
    explorer = explore(before, k=max(k, 1), popularity=popularity, shown=labels, more=more, rng=seed)
    alone = isinstance(selection.best, LeaveAlone)
    return page_summary(
        kind="fix",
        title=title,
        version=__version__,
        headline=HEADLINES[selection.decision],
        badge=selection.decision,
        subline=shown_sentence(selection.summary),
        facts=_facts(told, before),
        number=_number(told),
        explorer=explorer,
        selection={
            "decision": selection.decision,
            "best": selection.best_name,
            "metric": selection.metric,
            "n_candidates": len(told["table"]),
            **_forest(told),
            "picture": told.get("picture"),
            "columns": _columns(told),
            "table": [_cells(row, told) for row in told["table"]],
            "skipped": [{"name": row["name"], "reason": shown_sentence(row["reason"])} for row in told["skipped"]],
            "notes": [shown_sentence(note) for note in told["evidence"].get("notes", ())],
            "lists": [] if alone else _lists(before, after, labels, k, selection.metric),
            "cost": ALONE if alone else COSTS[selection.best.predictions_],
            "apply": [] if alone else _apply(out, selection.metric),
            "undo": "" if alone else REPLACED if replaced else STAYED,
        },
        how={"command": command, "facts": _how(told, before, after)},
    )


def _point_of(best: Any) -> Point | None:
    """A canonical gauge as a point of the slider's grid."""
    if not isinstance(best, CanonicalGauge):
        return None
    return Point(best.center, float(best.power), float(best.norm_power or 0.0))


def _rows_shown(
    before: Embedding, after: Embedding, shown: Sequence[Any], popularity: Any, settings: Mapping[str, Any]
) -> NDArray[np.int64]:
    """Items with a direction before and after: those named, or popular ones, or a few at random."""
    if len(shown):
        wanted = before.find_items(shown)
    elif popularity is not None:
        wanted = np.argsort(-np.asarray(popularity, dtype=np.float64), kind="stable")[: 4 * SHOWN]
    else:
        draws = as_generator(int(settings.get("seed", 0)))
        wanted = np.sort(draws.choice(before.n_items, min(4 * SHOWN, before.n_items), replace=False))
    alive = [row_norms(take_rows(table, wanted)) > 0 for table in (before.items, after.items)]
    found = np.asarray(wanted[alive[0] & alive[1]], dtype=np.int64)
    return found if len(shown) else found[:SHOWN]


def _lists(before: Embedding, after: Embedding, labels: Sequence[Any], k: int, metric: str) -> list[dict[str, Any]]:
    """Neighbours of some items as they were by cosine, and as they are by the metric to use."""
    if k < 1 or not labels:
        return []
    found = []
    for name, embedding, used in (("before, by cosine", before, "cosine"), (f"after, by {metric}", after, metric)):
        directed = int((row_norms(embedding.items) > 0).sum())
        if directed < 2:
            return []
        result = compare_neighbors({name: embedding}, labels, min(k, directed - 1), used)
        found.append(result.lists)
    return [
        {
            "name": shown_name(old.item),
            "gauges": [
                {
                    "gauge": entry.gauge,
                    "neighbors": [
                        {"name": shown_name(name), "score": float(score), "in_first_list": label in other.ids}
                        for name, label, score in zip(entry.names, entry.ids, entry.scores, strict=True)
                    ],
                }
                for entry, other in ((old, new), (new, old))
            ],
        }
        for old, new in zip(*found, strict=True)
    ]


def _number(told: Mapping[str, Any]) -> dict[str, Any] | None:
    """What the choice gained where it had no part in the choosing; None without evidence."""
    found = told["confirmation"]
    if found is None:
        return None
    plain, weighted = _change(found["plain_change"]), _change(found["weighted_change"])
    assert plain is not None
    measure, units = told["evidence"]["measure"], counted(told["evidence"]["n_units"], told["evidence"]["unit"])
    text = f"{measure} against leaving the vectors alone (95 %: {_ends(plain)}), on {units} with no part in the choice"
    meaning = "" if weighted is None else f"With rare items counting more: {_short(weighted)} ({_ends(weighted)})."
    if told["decision"] != "improved":
        meaning = f"That is what the best candidate came to, and it was not chosen. {meaning}".strip()
    return {"id": "plain_change", "value": _short(plain), "number": plain.value, "text": text, "meaning": meaning,
            "peers": None}  # fmt: skip


def _change(told: Mapping[str, Any] | None) -> Change | None:
    return None if told is None else Change(told["value"], told["low"], told["high"], told["scale"])


def _short(change: Change) -> str:
    return f"×{change.value:.2f}" if change.scale == "ratio" else f"{change.value:+.3f}"


def _ends(change: Change) -> str:
    form = "×{:.2f} to ×{:.2f}" if change.scale == "ratio" else "{:+.3f} to {:+.3f}"
    return form.format(change.low, change.high)


def _forest(told: Mapping[str, Any]) -> dict[str, Any]:
    """The gains of the best candidates, of the chosen one and of leaving alone, with what speaks against each."""
    rows = [row for rank, row in enumerate(told["table"]) if rank < DRAWN or row["chosen"] or row["baseline"]]
    scale = rows[0]["gain"]["scale"] if rows else "ratio"
    return {
        "scale": scale,
        "rows": [
            {
                "label": row["name"],
                "value": row["gain"]["value"],
                "interval": [row["gain"]["low"], row["gain"]["high"]],
                "kind": "chosen"
                if row["chosen"]
                else "baseline"
                if row["baseline"]
                else "guarded"
                if row["guarded"]
                else "",
                "note": _note(row, told),
            }
            for row in rows
        ],
    }


def _note(row: Mapping[str, Any], told: Mapping[str, Any]) -> str:
    """Chosen, or why a candidate could not be."""
    if row["chosen"]:
        return "chosen"
    if row["baseline"]:
        return "as they are"
    if not row["guarded"]:
        return ""
    allowed = float(told["settings"].get("max_loss", 0.0))
    lost = []
    for name, change in (("plain", row["plain_change"]), ("weighted", row["weighted_change"])):
        if change is None:
            continue
        limit = 1 - allowed if change["scale"] == "ratio" else -allowed
        if change["value"] < limit:
            lost.append(f"loses too much of the {name} measure ({_short(Change(**_parts(change)))})")
        elif change["low"] < limit:
            lost.append(f"may lose too much of the {name} measure (from {_ends(Change(**_parts(change)))})")
    return "kept out: " + (" and ".join(lost) or "comes too near to a loss")


def _parts(change: Mapping[str, Any]) -> dict[str, Any]:
    return {name: change[name] for name in ("value", "low", "high", "scale")}


def _columns(told: Mapping[str, Any]) -> list[str]:
    """Heads of the table of all candidates: a column for every weight of popularity that was measured."""
    if not told["table"]:
        return []
    first, measure = told["table"][0], told["evidence"]["measure"]
    exponents = first.get("at_exponents") or []
    changes = [f"change, popularity weight {one['exponent']:g}" for one in exponents] or ["change"]
    return ["candidate", str(measure), *changes, "gain", "predictions", "note"]


def _cells(row: Mapping[str, Any], told: Mapping[str, Any]) -> list[str]:
    changes = [one["change"] for one in row.get("at_exponents") or []] or [row["plain_change"]]
    shown = [f"{_short(change)} ({_ends(change)})" for change in (Change(**_parts(part)) for part in changes)]
    gain = Change(**_parts(row["gain"]))
    kept = {True: "kept", False: "changed", None: "not known"}[row["keeps_predictions"]]
    notes = [_note(row, told), "Pareto" if row["pareto"] else "", row["significant"]]
    return [row["name"], f"{row['plain']['value']:.4f}", *shown, f"{_short(gain)} ({_ends(gain)})", kept,
            ", ".join(note for note in notes if note)]  # fmt: skip


def _apply(out: str, metric: str) -> list[dict[str, str]]:
    """What to type: to use the vectors, to move new ones, and to go back."""
    python = f'import simgauge\n\nfixed = simgauge.Embedding.load("{out}")  # compare its items by {metric}'
    return [
        {"title": "Use the new vectors", "code": python},
        {"title": "Put them into a store", "code": f"simgauge export {out} --help"},
        {"title": "Move new items by the same map", "code": f"simgauge apply {out} NEW_ITEMS --out MOVED"},
        {"title": "Move users, for predictions by dot product",
         "code": f"simgauge apply {out} NEW_USERS --side users --out MOVED"},
        {"title": "Look for what changed", "code": f"simgauge compare BEFORE {out}"},
    ]  # fmt: skip


def _facts(told: Mapping[str, Any], before: Embedding) -> list[str]:
    sizes = [counted(before.n_items, "item"), *([counted(before.n_users, "user")] if before.users is not None else [])]
    tried = [counted(len(told["table"]), "candidate")] if told["table"] else []
    return [*sizes, counted(before.n_components, "component"), *tried]


def _how(told: Mapping[str, Any], before: Embedding, after: Embedding) -> list[list[str]]:
    named = ("popularity_exponent", "popularity_tradeoff", "max_loss", "folds", "confidence", "n_resamples", "seed")
    known = told["settings"]
    facts = [[name.replace("_", " "), str(known[name])] for name in named if known.get(name) is not None]
    facts.append(["items before, SHA-256", sha256_of_table(before.items)])
    return [*facts, ["items after, SHA-256", sha256_of_table(after.items)]]
