"""The outcome of an upgrade: a map of new queries into an old index, and what is lost against re-embedding."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import pyarrow as pa

from simgauge.core.inference.intervals import Interval
from simgauge.remedies.affine_map import AffineMap
from simgauge.tabular import Tabular
from simgauge.wording import counted

UpgradeMethod = Literal["linear", "rotation", "anchors"]
METHODS: tuple[UpgradeMethod, ...] = ("linear", "rotation", "anchors")

SCHEMA_VERSION = 1

OLD_QUERIES = "the old encoder's own queries"
RE_EMBEDDED = "everything re-embedded by the new encoder"


@dataclass(frozen=True)
class UpgradeRow:
    """One way to ask, scored on queries that had no part in any map."""

    way: str
    """"linear", "rotation" or "anchors" for a map; or what is done instead of one."""
    old_lists: Interval
    """Mean share of the old encoder's own lists that is found, among rows of the old index that no map has seen."""
    new_lists: Interval
    """Mean share of the new encoder's own lists (all re-embedded) that is found, among the documents held out."""
    beyond_old: Interval
    """`new_lists` minus that of the old encoder's own queries, query by query."""

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        shares = {name: getattr(self, name)._asdict() for name in ("old_lists", "new_lists", "beyond_old")}
        return {"way": self.way, **shares}


@dataclass(frozen=True, eq=False, repr=False)
class Upgraded(Tabular):
    """A map from a new encoder's space into that of an old one, and what it is worth. Made by `upgrade`."""

    method: UpgradeMethod
    """The method asked for, or the best one on rows set apart for the choice."""
    penalty: float
    """Chosen on those rows too, in units of the mean eigenvalue; 0 for a rotation."""
    map_: AffineMap
    """From the new encoder's vectors to the old space, by all paired rows."""
    metric: Literal["cosine", "dot"]
    k: int
    n_paired: int
    """Documents with a vector by both encoders."""
    n_fitted: int
    """Of those, by which the maps that are scored were made; the map that is returned uses all."""
    n_searched: int
    """Paired documents that had no part in those maps: among them the new encoder's lists are searched."""
    n_queries: int
    asked_by: Literal["documents", "queries"]
    """What the queries are: documents held out, or queries that were passed."""
    rows: tuple[UpgradeRow, ...]
    """The methods; what the old encoder's own queries find; and what re-embedding gives."""
    itself_first: float | None
    """Share of held-out documents whose mapped vector finds its own old row first; None for queries."""
    notes: tuple[str, ...] = ()

    def __getitem__(self, way: str) -> UpgradeRow:
        for row in self.rows:
            if row.way == way:
                return row
        raise KeyError(f"no row {way!r}; there are {', '.join(row.way for row in self.rows)}")

    @property
    def summary(self) -> str:
        """What mapped queries find, and what is given up, in full sentences."""
        row, old = self[self.method], self[OLD_QUERIES]
        return (
            f"New queries mapped into the old index ({self.method}) find {_share(row.old_lists)} of what the old "
            f"encoder's own queries find there. Of the neighbours that everything re-embedded by the new encoder would "
            f"give (among {self.n_searched:,} documents that no map has seen), they find {_share(row.new_lists)}, so "
            f"that {1 - row.new_lists.value:.1%} of those lists are given up by not re-embedding; the old encoder's "
            f"own queries find {_share(old.new_lists)}, and {_compared(row.beyond_old)}."
        )

    def to_dict(self) -> dict[str, Any]:
        """Plain JSON types."""
        plain = (
            "method",
            "penalty",
            "metric",
            "k",
            "n_paired",
            "n_fitted",
            "n_searched",
            "n_queries",
            "asked_by",
            "itself_first",
        )
        return {
            "schema_version": SCHEMA_VERSION,
            "summary": self.summary,
            **{name: getattr(self, name) for name in plain},
            "rows": [row.to_dict() for row in self.rows],
            "notes": list(self.notes),
        }

    def to_arrow(self) -> pa.Table:
        """One row a way to ask: shares with the ends of their intervals."""
        flat = []
        for row in self.rows:
            cells: dict[str, Any] = {"way": row.way}
            for name in ("old_lists", "new_lists", "beyond_old"):
                value, low, high = getattr(row, name)
                cells |= {name: value, f"{name}_low": low, f"{name}_high": high}
            flat.append(cells)
        return pa.Table.from_pylist(flat)

    def __repr__(self) -> str:
        kept = self[self.method]
        return (
            f"Upgraded({self.method}, {counted(self.n_paired, 'paired document')}, "
            f"{counted(self.n_queries, 'query')}: {kept.old_lists.value:.1%} of the old lists, "
            f"{kept.new_lists.value:.1%} of the new ones)"
        )


def _share(found: Interval) -> str:
    return f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}]"


def _compared(difference: Interval) -> str:
    """Mapped queries against the old ones, in words that the interval allows."""
    span = f"{100 * difference.value:+.1f} points [{100 * difference.low:+.1f}, {100 * difference.high:+.1f}]"
    if difference.low > 0:
        return f"mapped queries come nearer to the new encoder than they do ({span})"
    if difference.high < 0:
        return f"mapped queries stay further from the new encoder than they do ({span})"
    return f"between the two no difference can be told ({span})"
