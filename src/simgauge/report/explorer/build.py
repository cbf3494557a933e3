"""Everything with which a page explores the gauges of one model, as plain JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from simgauge.core.gauges.canonical import Center
from simgauge.core.tables.scale import in_range
from simgauge.embedding import Embedding
from simgauge.errors import InputError
from simgauge.parameters import Rng, as_seed
from simgauge.report.explorer.encoding import coordinates, floats, whole_numbers
from simgauge.report.explorer.forms import NORM_POWERS, POWERS, Form, Forms, Point, diagonal, forms_of
from simgauge.report.explorer.lists import presets, static_lists
from simgauge.report.explorer.predictions import predictions_data, sample_predictions
from simgauge.report.explorer.searched import Searched, search_among
from simgauge.report.explorer.survey import (
    LISTED,
    affordable,
    certificates,
    grid_survey,
    mean_popularity,
    n_surveyed,
    norm_scatter,
    occurrence,
)
from simgauge.report.explorer.travellers import POPULAR, Travellers, travellers
from simgauge.report.names import shown_name

Indices = NDArray[np.int64]
Floats = NDArray[np.float64]

SHOWN = 4
"""Items whose lists a page opens with, where nobody named any."""


def explore(
    embedding: Embedding,
    *,
    k: int = 10,
    popularity: Any = None,
    shown: Sequence[Any] = (),
    center: Center = "none",
    more: Mapping[str, Point] | None = None,
    others: Mapping[str, Embedding] | None = None,
    columns: Sequence[str] = (),
    rng: Rng = 0,
) -> dict[str, Any] | None:
    """Items, gauges and lists for a page; None where it would hold nothing to explore.

    Parameters
    ----------
    embedding : Embedding
        One or two tables. Ids of users are not used.
    k : int
        Neighbours in a list; fewer in small tables.
    popularity : array-like, shape (n_items,), optional
        Interactions of each item.
    shown : sequence of names or ids
        Items whose lists the page opens with; popular ones when not given.
    center : {"none", "users", "items", "both"}
        The centring that the training objective calls for.
    more : mapping of str to Point, optional
        Further gauges to name, such as a chosen one; those that are not on the grid are left out. The page opens with
        the last of them.
    others : mapping of str to Embedding, optional
        Further gauges of the same two tables, by name; the page opens with the last of them.
    columns : sequence of str
        Named gauges whose lists are shown beside those as shipped; all but the balanced one when not given.
    rng : int or numpy.random.Generator
        Of all samples.

    Returns
    -------
    dict
        ``explorer`` of ``simgauge/schemas/page.schema.json``.

    Numerics
    --------
    Lists as those of the whole table at every point of the grid, as far as coordinates of 16 bits tell items apart: a
    cosine of the page is off by some 1e-4 at most for usual spectra.
    """
    generator = np.random.default_rng(as_seed(rng))
    named = embedding.find_items(shown) if len(shown) else np.empty(0, dtype=np.int64)
    items, users = in_range(embedding.items, np.float32)[0], in_range(embedding.users, np.float32)[0]
    try:
        pairs = {name: (other.items, other.users) for name, other in (others or {}).items()}
        forms = forms_of(items, users, center, pairs)
    except InputError:  # a table of zeros, or predictions that are all zero
        return None
    if forms is None:
        return None
    searched = search_among(items, forms, named, generator)
    k = min(k, len(searched.rows) - 1)
    if k < 1:
        return None
    counts = None if popularity is None else np.asarray(popularity, dtype=np.float64)[searched.rows]
    return _Page(embedding, searched, users, k, counts, generator).data(
        named, {**(more or {}), **{name: Point(name, 1.0, 0.0) for name in others or ()}}, columns
    )


class _Page:
    """The parts of the data, which share what is costly."""

    def __init__(
        self, embedding: Embedding, searched: Searched, users: Any, k: int, counts: Floats | None, rng: Any
    ) -> None:
        self.searched, self.users, self.k, self.counts, self.rng = searched, users, k, counts, rng
        self.n_items = embedding.n_items
        self.names = [shown_name(embedding.item_names[row]) for row in searched.rows]
        self.order = rng.permutation(len(searched.rows))

    def data(self, named: Indices, more: Mapping[str, Point], columns: Sequence[str]) -> dict[str, Any]:
        """As `explore` returns it."""
        shown, chosen = self._shown(named)
        sample = None
        if self.users is not None:
            sample = sample_predictions(self.users, self.searched, self.searched.items, self.rng)
        first = np.unique(np.concatenate([shown, *([] if sample is None else [sample.places])])).astype(np.int64)
        found = travellers(self.searched, self._wanted(shown), self.k, self.names, first)
        position = np.full(len(self.names), -1, dtype=np.int64)
        position[found.places] = np.arange(len(found.places))
        surveyed = self.order[: n_surveyed(self.searched)]
        listed = self.order[:LISTED]
        lists = self.searched.lists(None, surveyed, self.k)[0]
        known = presets(self.searched.forms, self.users is not None, more)
        beside = [row for row in known if (row["name"] in columns if columns else row["power"] != 0.5)]
        return {
            "k": self.k,
            "n_items": self.n_items,
            "n_searched": len(self.searched.rows),
            "n_directed": self.searched.n_directed,
            "n_travelling": len(found.places),
            "n_asked": found.n_asked,
            "two_tables": self.users is not None,
            "shown": position[shown].tolist(),
            "shown_are": chosen,
            "names": [self.names[place] for place in found.places],
            "popularity": None if self.counts is None else floats(self.counts[found.places]),
            "coordinates": coordinates(self.searched.common[found.places]),
            "n_components": int(self.searched.common.shape[1]),
            "candidates": _candidates(found),
            "powers": list(POWERS),
            "norm_powers": list(NORM_POWERS),
            "shipped": None if self.searched.forms.shipped is None else floats(self.searched.forms.shipped),
            "shipped_is": _shipped_is(self.searched.forms, self.users is not None),
            "by_center": {center: _form(form) for center, form in self.searched.forms.by_center.items()},
            "presets": known,
            "predictions": None if sample is None else predictions_data(sample, self.searched, position[sample.places]),
            "certificates": self._certificates(found, position, shown),
            "survey": {
                "n_lists": len(surveyed),
                "shipped_popularity": mean_popularity(lists, self.counts),
                "catalogue_popularity": None if self.counts is None else float(np.log10(1.0 + self.counts).mean()),
                "points": grid_survey(self.searched, surveyed, self.k, self.counts),
                "occurrence": occurrence(self.searched, listed, self.k, self.names),
                "norms": norm_scatter(self.searched, self.counts, self.rng),
            },
            "lists": static_lists(self.searched, shown, self.k, self.names, beside),
        }

    def _shown(self, named: Indices) -> tuple[Indices, str]:
        """Places of the items that the page opens with, and why these."""
        if len(named):
            places = np.searchsorted(self.searched.rows, named)
            inside = (places < len(self.searched.rows)) & np.isin(named, self.searched.rows)
            if inside.any():
                return places[inside], "Items that were named."
        if self.counts is not None and (self.counts > 0).any():
            return np.argsort(-self.counts, kind="stable")[:SHOWN], "The most popular items."
        return np.sort(self.order[:SHOWN]), "Items drawn at random."

    def _wanted(self, shown: Indices) -> Indices:
        popular = np.empty(0, dtype=np.int64) if self.counts is None else np.argsort(-self.counts, kind="stable")
        order = np.concatenate([shown, popular[:POPULAR], self.order])
        return np.array(list(dict.fromkeys(order.tolist())), dtype=np.int64)

    def _certificates(self, found: Travellers, position: Indices, shown: Indices) -> dict[str, Any] | None:
        """Thresholds and rivals of the lists as shipped, of the items that are asked for most."""
        wanted = [place for place in self._wanted(shown).tolist() if 0 <= position[place] < found.n_asked]
        asked = np.array(wanted[: affordable(self.searched)], dtype=np.int64)
        known = certificates(self.searched, asked, self.k)
        if known is None:
            return None
        thresholds, rivals = known
        names = [[self.names[rival] if rival >= 0 else "" for rival in row] for row in rivals]
        index = {name: number for number, name in enumerate(dict.fromkeys(name for row in names for name in row))}
        return {
            "items": position[asked].tolist(),
            "thresholds": floats(np.minimum(thresholds, 1e9)),
            "rivals": whole_numbers([[index[name] for name in row] for row in names]),
            "rival_names": list(index),
        }


def _candidates(found: Travellers) -> dict[str, str] | None:
    if found.candidates is None:
        return None
    return {
        "counts": whole_numbers([len(union) for union in found.candidates]),
        "positions": whole_numbers(np.concatenate(found.candidates)),
    }


def _form(form: Form) -> dict[str, Any]:
    """As the page holds it: the diagonal alone where the matrix has nothing else."""
    only = diagonal(form.matrix)
    return {
        "diagonal": floats(np.diag(form.matrix)) if only else None,
        "matrix": None if only else floats(form.matrix),
        "mean": floats(form.mean),
        "singular_values": floats(form.singular_values),
        "kept": form.kept,
        "fixed": form.fixed,
    }


def _shipped_is(forms: Forms, two_tables: bool) -> Mapping[str, Any] | None:
    """The point of the grid that is the table as shipped, where one is."""
    return None if two_tables or "none" not in forms.by_center else Point("none", 1.0, 0.0)._asdict()
