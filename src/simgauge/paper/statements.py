"""Every statement of the paper: in our words, with the function that implements it, its test, and a figure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa

from simgauge.datasets.clusters import simulate_clusters
from simgauge.paper.catalogue_of_statements import NOT_SHOWN, STATEMENTS, Statement
from simgauge.paper.measurements import gauge_rows
from simgauge.paper.paper_data import Figure, PaperData
from simgauge.paper.record import NEIGHBORS
from simgauge.parameters import check_integer
from simgauge.progress import Progress, logged
from simgauge.tabular import Tabular
from simgauge.wording import counted

SCHEMA_VERSION = 1

SMALL: Mapping[str, Any] = {
    "n_users": 2_000,
    "n_items": 120,
    "n_clusters": 4,
    "n_components": 12,
    "l2_product": 1_000.0,
    "l2_factors": 31.0,
    "rng": 0,
}
"""The size of docs/paper.md: seconds, and X of full rank. λ of Eq. 1 is about that of Eq. 2 squared, as in the
paper."""

SIMULATED = (
    "item_exponents", "user_exponent", "cluster_concentration", "preference_concentration", "min_items_per_user",
    "max_items_per_user", "power_law", "smallest_popularity",
)  # fmt: skip
"""Further parameters of `simulate_clusters`."""


@dataclass(frozen=True, eq=False, repr=False)
class StatementTable(Tabular):
    """The statements with what was found."""

    statements: tuple[Statement, ...]
    figures: tuple[Figure, ...]
    """One for each statement."""
    gauges: tuple[Mapping[str, Any], ...]
    """One for each named gauge of Eq. 1, see `simgauge.paper.measurements.gauge_rows`."""
    parameters: Mapping[str, Any]

    HOLDS: ClassVar[Mapping[Any, str]] = {True: "yes", False: "no", None: "a measurement"}

    def __repr__(self) -> str:
        held = sum(figure.holds is True for figure in self.figures)
        return f"StatementTable({counted(len(self.statements), 'statement')}, {held} hold)"

    def to_arrow(self) -> pa.Table:
        """One row a statement: id, section, text, functions, test, figure, value, holds."""
        return pa.Table.from_pylist(self._rows())

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        return {
            "schema_version": SCHEMA_VERSION,
            "parameters": dict(self.parameters),
            "statements": self._rows(),
            "gauges": [dict(row) for row in self.gauges],
        }

    def table_rows(self) -> Sequence[Sequence[str]]:
        """Cells for a terminal: statement, figure, whether it holds."""
        return [
            [f"{one.id}: {one.text}", figure.text, self.HOLDS[figure.holds]]
            for one, figure in zip(self.statements, self.figures, strict=True)
        ]

    def to_markdown(self) -> str:
        """The page of the documentation."""
        shape = "n = {n_users:,} users, p = {n_items:,} items, {n_clusters} clusters, k = {n_components}".format(
            **self.parameters
        )
        strengths = "λ = {l2_product:g} for Eq. 1 and {l2_factors:g} for Eq. 2".format(**self.parameters)
        lines = [
            "# The paper, executable",
            "",
            "Every statement of Steck, Ekanadham & Kallus, *Is Cosine-Similarity of Embeddings Really About "
            "Similarity?* (arXiv",
            "2403.05440), in our words: the functions that implement it, the test that checks it, and what was found "
            "on simulated",
            f"data of its section 4 ({shape}; {strengths}). Written by `python scripts/build_paper_page.py`;",
            "`simgauge reproduce --all` shows the same at any size. Statements marked *ours* are not in the paper.",
            "",
            "| statement | where | functions | test | found | holds |",
            "|---|---|---|---|---|---|",
        ]
        for one, figure in zip(self.statements, self.figures, strict=True):
            functions = ", ".join(f"`{name.removeprefix('simgauge.').replace(':', '.')}`" for name in one.functions)
            test = f"`{one.test.removeprefix('tests/')}`"
            cells = [one.text, one.section, functions, test, figure.text, self.HOLDS[figure.holds]]
            lines.append("| " + " | ".join(cell.replace("|", "\\|") for cell in cells) + " |")
        lines += ["", *self._gauge_lines(), "", "## Not shown", ""]
        lines += [f"- {text}" for text in NOT_SHOWN]
        return "\n".join(lines) + "\n"

    def _gauge_lines(self) -> list[str]:
        """The three kinds of cosine in every named gauge."""
        lines = [
            "## One set of predictions, six gauges",
            "",
            "The model of Eq. 1 in every named gauge. *Items*: are pairs of one cluster the more similar ones (AUC)? "
            "*Users*: how many",
            f"of the {NEIGHBORS} nearest users are those that rows of the predictions give, the paper's projection? "
            f"*Items for a user*: how",
            f"many of the first {NEIGHBORS} by cosine are those by dot product, which every gauge agrees on?",
            "",
            "| gauge | items | what it is | item-item: AUC | user-user: as projected | user-item: as scored |",
            "|---|---|---|---|---|---|",
        ]
        for row in self.gauges:
            lines.append(
                f"| {row['gauge']} | {row['items']} | {row['meaning']} | {row['item_auc']:.3f} | "
                f"{row['users_as_projected']:.0%} | {row['items_as_scored']:.0%} |"
            )
        return lines

    def _rows(self) -> list[dict[str, Any]]:
        return [
            {
                "id": one.id,
                "section": one.section,
                "text": one.text,
                "functions": list(one.functions),
                "test": one.test,
                "figure": figure.text,
                "value": figure.value,
                "holds": figure.holds,
            }
            for one, figure in zip(self.statements, self.figures, strict=True)
        ]


def show_statements(parameters: Mapping[str, Any] = SMALL, *, progress: Progress | None = None) -> StatementTable:
    """Compute the figure of every statement on one simulated data set.

    Parameters
    ----------
    parameters : mapping
        Those of `reproduce`, as `Reproduction.parameters` holds them; a small data set when not given. The first seed
        is taken.
    progress : callable, optional
        Called with text, steps done, steps in all.

    Raises
    ------
    ParameterError
        A single component, or what `simulate_clusters` refuses.

    Examples
    --------
    >>> shown = show_statements({**SMALL, "n_users": 300, "n_items": 40, "n_components": 6})
    >>> {row["id"]: row["holds"] for row in shown.to_dict()["statements"]}["case-a-items"]
    True
    """
    hint = "One component has no gauge but a scale, and every cosine is 1 or −1."
    check_integer(parameters["n_components"], "n_components", 2, hint=hint)
    show = progress or logged
    given = {name: parameters[name] for name in SIMULATED if name in parameters}
    if "item_exponents" in given:
        given["item_exponents"] = tuple(given["item_exponents"])
    sizes = parameters["n_users"], parameters["n_items"], parameters["n_clusters"]
    made = simulate_clusters(*sizes, rng=parameters["rng"], **given)
    data = PaperData(
        made.matrix.astype(np.float64), made.clusters, parameters["n_components"], parameters["l2_product"],
        parameters["l2_factors"], parameters["rng"],
    )  # fmt: skip
    figures = []
    for place, statement in enumerate(STATEMENTS):
        show(f"statement {statement.id}", place, len(STATEMENTS))
        figures.append(statement.figure(data))
    show("done", len(STATEMENTS), len(STATEMENTS))
    return StatementTable(STATEMENTS, tuple(figures), tuple(gauge_rows(data)), dict(parameters))
